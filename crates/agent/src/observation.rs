//! Cutting observations that are too long for a model.

use qianshou_prompts::{Prompt, Prompts};

/// `text` with at most `limit` of its characters: beginning and end are kept, and a line between them
/// says how many characters are missing.
pub(crate) fn cut(text: &str, limit: usize, prompts: &Prompts) -> String {
    let length = text.chars().count();
    if length <= limit {
        return text.to_owned();
    }
    // The beginning says what a text is, so that it gets the larger part.
    let tail = limit / 3;
    let head = limit - tail;
    let offset = |characters: usize| text.char_indices().nth(characters).map_or(text.len(), |(at, _)| at);
    let marker = prompts.fill(Prompt::Cut, &[("missing", &(length - limit).to_string())]);
    format!("{}\n{marker}\n{}", &text[..offset(head)], &text[offset(length - tail)..])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn head_and_tail_stay() {
        let prompts = Prompts::embedded();
        assert_eq!(cut("äbcdefghij", 6, &prompts), "äbcd\n[4 characters left out]\nij");
        assert_eq!(cut("äbc", 3, &prompts), "äbc");
        assert_eq!(cut("äbc", 0, &prompts), "\n[3 characters left out]\n");
    }

    proptest! {
        #[test]
        fn any_text_can_be_cut(text in ".{0,60}", limit in 0_usize..80) {
            let shown = cut(&text, limit, &Prompts::embedded());
            prop_assert!(shown == text || shown.contains("left out"));
        }
    }
}
