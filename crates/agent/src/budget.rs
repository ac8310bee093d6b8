//! The room in a model's context window, in tokens.
//!
//! The model's own count decides, where it can give one. It costs time, so that it is not asked for when
//! the bytes of the prompt would fit already. For other models, what the last request is known to have
//! taken is the base, and only the text since then is estimated.

use std::fmt;
use std::sync::Arc;

use qianshou_chat::{ChatModel, ChatRequest, Part};

use crate::{Limits, TakenStep};

/// What a chat format adds to a message, and to a list of tools.
const MESSAGE_TOKENS: usize = 8;
const TOOLS_TOKENS: usize = 256;
/// An image, where the model does not count; vision models take from a few hundred tokens on.
const IMAGE_TOKENS: usize = 1024;

/// How much a prompt may hold.
pub(crate) struct Budget {
    model: Arc<dyn ChatModel>,
    /// The window less what is reserved for the reply, if the window is known.
    room: Option<usize>,
}

impl fmt::Debug for Budget {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Budget").field("room", &self.room).finish_non_exhaustive()
    }
}

/// Whether a prompt fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    Fits,
    TooLong,
    /// It may be too long; only the model could tell.
    Doubtful,
}

impl Budget {
    pub(crate) fn new(model: Arc<dyn ChatModel>, limits: &Limits) -> Self {
        let reserved = |window: usize| limits.reserved_tokens.or(limits.reply_tokens).unwrap_or(1024.min(window / 4));
        let room = model.info().context_window.map(|window| window.saturating_sub(reserved(window)));
        Self { model, room }
    }

    /// Whether the prompt of a request fits. `last` is the step before it, if the request is that of the
    /// step and what came of it.
    pub(crate) fn fit(&self, request: &ChatRequest, last: Option<&TakenStep>) -> Fit {
        let Some(room) = self.room else {
            return Fit::Fits;
        };
        if tokens(request, str::len) <= room {
            return Fit::Fits;
        }
        if let Some(counted) = self.model.count_tokens(request) {
            return if counted <= room { Fit::Fits } else { Fit::TooLong };
        }
        let measured = last.filter(|step| step.record.usage.prompt() > 0).map(|step| {
            let new: usize = step.observations().map(|text| estimate(text) + MESSAGE_TOKENS).sum();
            step.record.usage.prompt() + step.record.usage.generated + MESSAGE_TOKENS + new
        });
        if measured.unwrap_or_else(|| tokens(request, estimate)) <= room { Fit::Fits } else { Fit::Doubtful }
    }
}

/// The tokens of a prompt, by a count of those of its texts.
fn tokens(request: &ChatRequest, of: impl Fn(&str) -> usize) -> usize {
    let of_part = |part: &Part| match part {
        Part::Generated(generated) if !generated.ids.is_empty() => generated.ids.len(),
        Part::Image(_) => IMAGE_TOKENS,
        Part::Call(call) => MESSAGE_TOKENS + of(&call.name) + of(&call.arguments),
        part => of(part.text()),
    };
    let messages = request.messages.iter();
    let messages = messages.map(|message| MESSAGE_TOKENS + message.content.iter().map(of_part).sum::<usize>());
    let tools = request
        .tools
        .iter()
        .map(|tool| MESSAGE_TOKENS + of(&tool.name) + of(&tool.description) + of(&tool.parameters.to_string()));
    let tools: usize = tools.sum();
    messages.sum::<usize>() + if tools > 0 { TOOLS_TOKENS + tools } else { 0 }
}

/// How many tokens a text has, rather too many than too few: vocabularies hold many words, but digits and
/// punctuation one by one, and other scripts by their bytes.
fn estimate(text: &str) -> usize {
    let halves = text.chars().map(|character| match character {
        'a'..='z' | 'A'..='Z' | ' ' => 1,
        '\0'..='\x7f' => 2,
        _ => character.len_utf8(),
    });
    halves.sum::<usize>().div_ceil(2)
}

#[cfg(test)]
mod tests {
    use qianshou_chat::{Message, ScriptedModel};

    use super::*;

    #[test]
    fn an_estimate_is_rather_too_high() {
        assert_eq!(estimate("The weather"), 6);
        assert_eq!(estimate("37 * 48"), 6);
        assert_eq!(estimate("天气"), 3);
        assert_eq!(estimate(""), 0);
    }

    #[test]
    fn without_a_window_everything_fits() {
        let budget = Budget::new(Arc::new(ScriptedModel::new([""])), &Limits::default());
        assert_eq!(budget.fit(&ChatRequest::new([Message::user("x".repeat(1 << 20))]), None), Fit::Fits);
    }
}
