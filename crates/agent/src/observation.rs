//! What the model is told about a call, and how it is cut when it is too long.

use qianshou_prompts::{Prompt, Prompts};

use crate::{Observation, ObservationKind, ToolOutcome, ToolOutput};

impl Observation {
    /// An observation of text alone.
    pub(crate) fn plain(kind: ObservationKind, text: String) -> Self {
        Self { kind, text, diagnostics: None, artifacts: Vec::new() }
    }
}

/// What the model is told about a call of the tool `name` that ended so.
pub(crate) fn of(outcome: ToolOutcome, name: &str, prompts: &Prompts) -> Observation {
    match outcome {
        ToolOutcome::Output(ToolOutput { text, artifacts }) => {
            Observation { artifacts, ..Observation::plain(ObservationKind::Output, text) }
        }
        ToolOutcome::Error { text, invalid_arguments, diagnostics } => {
            let kind = if invalid_arguments { ObservationKind::WrongArguments } else { ObservationKind::ToolFailed };
            let text = prompts.fill(Prompt::ToolFailed, &[("name", name), ("error", &text)]);
            Observation { diagnostics, ..Observation::plain(kind, text) }
        }
        ToolOutcome::Panicked { message } => {
            let text = prompts.fill(Prompt::ToolPanicked, &[("name", name)]);
            Observation { diagnostics: Some(message), ..Observation::plain(ObservationKind::ToolPanicked, text) }
        }
        ToolOutcome::TimedOut { after } => {
            let values = [("name", name), ("seconds", &after.as_secs_f64().to_string())];
            Observation::plain(ObservationKind::ToolTimedOut, prompts.fill(Prompt::ToolTimedOut, &values))
        }
    }
}

/// Cuts `text` to `limit` of its characters and returns how many are missing. Beginning and end are kept,
/// and a line between them says how many characters are not.
pub(crate) fn cut(text: &mut String, limit: usize, prompts: &Prompts) -> usize {
    let length = text.chars().count();
    let missing = length.saturating_sub(limit);
    if missing > 0 {
        // The beginning says what a text is, so that it gets the larger part.
        let tail = limit / 3;
        let offset = |characters: usize| text.char_indices().nth(characters).map_or(text.len(), |(at, _)| at);
        let (head, tail) = (&text[..offset(limit - tail)], &text[offset(length - tail)..]);
        let marker = prompts.fill(Prompt::Cut, &[("missing", &missing.to_string())]);
        *text = format!("{head}\n{marker}\n{tail}");
    }
    missing
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shortened(text: &str, limit: usize) -> (String, usize) {
        let mut text = text.to_owned();
        let missing = cut(&mut text, limit, &Prompts::embedded());
        (text, missing)
    }

    #[test]
    fn head_and_tail_stay() {
        assert_eq!(shortened("äbcdefghij", 6), ("äbcd\n[4 characters left out]\nij".to_owned(), 4));
        assert_eq!(shortened("äbc", 3), ("äbc".to_owned(), 0));
        assert_eq!(shortened("äbc", 0), ("\n[3 characters left out]\n".to_owned(), 3));
    }

    proptest! {
        #[test]
        fn any_text_can_be_cut(text in ".{0,60}", limit in 0_usize..80) {
            let (shown, missing) = shortened(&text, limit);
            prop_assert_eq!(missing, text.chars().count().saturating_sub(limit));
            prop_assert!(shown == text || shown.contains("left out"));
        }
    }
}
