//! What is asked of a chat model.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Capabilities, ChatError, ChatErrorKind, Message, NativeTool, Part, Role};

/// How the next token is chosen. A field left at `None` takes the model's own default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sampling {
    /// Softens (> 1) or sharpens (< 1) the distribution; 0 is greedy.
    pub temperature: Option<f32>,
    /// Keeps the smallest set of tokens whose probabilities reach this sum, in (0, 1].
    pub top_p: Option<f32>,
    /// Keeps this many most likely tokens; 0 keeps all.
    pub top_k: Option<u32>,
    /// Divides positive and multiplies negative logits of tokens already seen; 1 does nothing.
    pub repetition_penalty: Option<f32>,
    /// Makes sampling repeatable.
    pub seed: Option<u64>,
}

impl Sampling {
    /// Always the most likely token, without any penalty.
    pub fn greedy() -> Self {
        Self { temperature: Some(0.0), repetition_penalty: Some(1.0), ..Self::default() }
    }
}

/// A rule that the reply has to satisfy from its first to its last character.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Constraint {
    /// A regular expression.
    Regex(String),
    /// A JSON schema.
    JsonSchema(Value),
    /// A Lark grammar.
    Grammar(String),
}

/// One request to a [`ChatModel`](crate::ChatModel).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ChatRequest {
    /// The conversation, oldest message first.
    pub messages: Vec<Message>,
    /// The last message is an assistant's, and the model goes on from its end instead of opening a
    /// new turn. ReAct needs this: after a tool ran, generation continues in the same turn.
    pub continue_last: bool,
    /// Generation ends before any of these; no part of one is ever emitted.
    pub stop: Vec<String>,
    /// How tokens are chosen.
    pub sampling: Sampling,
    /// Upper limit of generated tokens; `None` is what the context window leaves.
    pub max_tokens: Option<usize>,
    /// What the reply has to satisfy.
    pub constraint: Option<Constraint>,
    /// Tools for the model's native interface. A remote model answers with
    /// [`ChatEvent::Call`](crate::ChatEvent::Call); a local one writes its calls as text, in the form that
    /// its chat template taught it.
    pub tools: Vec<NativeTool>,
}

impl ChatRequest {
    /// A request with these messages and the model's defaults.
    pub fn new(messages: impl IntoIterator<Item = Message>) -> Self {
        Self { messages: messages.into_iter().collect(), ..Self::default() }
    }

    /// Checks what holds for every model, and that `capabilities` cover what is asked for.
    ///
    /// # Errors
    /// [`ChatErrorKind::InvalidRequest`] for a request that no model could serve,
    /// [`ChatErrorKind::Unsupported`] for one that needs another model.
    pub fn validate(&self, capabilities: &Capabilities) -> Result<(), ChatError> {
        let invalid = |message: &str| Err(ChatError::new(ChatErrorKind::InvalidRequest, message));
        let unsupported =
            |what: &str| Err(ChatError::new(ChatErrorKind::Unsupported, format!("this model does not support {what}")));
        let Some(last) = self.messages.last() else {
            return invalid("the request has no message");
        };
        if self.continue_last && last.role != Role::Assistant {
            return invalid("`continue_last` needs an assistant's message at the end");
        }
        if self.continue_last && last.content.iter().any(|part| matches!(part, Part::Call(_))) {
            return invalid("`continue_last` cannot go on behind a native tool call; give the results of the calls");
        }
        let holds = |role: Role, is_wrong: fn(&Part) -> bool| {
            self.messages.iter().any(|message| message.role != role && message.content.iter().any(is_wrong))
        };
        if holds(Role::Assistant, |part| matches!(part, Part::Call(_))) {
            return invalid("a native tool call is in a message that is not the assistant's");
        }
        if holds(Role::Tool, |part| matches!(part, Part::Result(_))) {
            return invalid("the result of a native tool call is in a message that is not a tool's");
        }
        if self.stop.iter().any(String::is_empty) {
            return invalid("a stop string is empty");
        }
        if self.max_tokens == Some(0) {
            return invalid("`max_tokens` is 0; the smallest useful value is 1");
        }
        let Sampling { temperature, top_p, repetition_penalty, .. } = self.sampling;
        if temperature.is_some_and(|value| !value.is_finite() || value < 0.0) {
            return invalid("`temperature` must be 0 or more");
        }
        if top_p.is_some_and(|value| !(value > 0.0 && value <= 1.0)) {
            return invalid("`top_p` must be above 0 and at most 1");
        }
        if repetition_penalty.is_some_and(|value| !value.is_finite() || value <= 0.0) {
            return invalid("`repetition_penalty` must be above 0");
        }
        if self.continue_last && !capabilities.continue_last {
            return unsupported("continuing an assistant's message");
        }
        if self.constraint.is_some() && !capabilities.constraints {
            return unsupported("constrained replies");
        }
        if !self.tools.is_empty() && !capabilities.native_tools {
            return unsupported("native tool calls");
        }
        let has_image = |message: &Message| message.content.iter().any(|part| matches!(part, Part::Image(_)));
        if self.messages.iter().any(has_image) && !capabilities.images {
            return unsupported("images");
        }
        Ok(())
    }
}
