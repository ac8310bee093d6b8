//! Messages and the parts that they are made of.

use serde::{Deserialize, Serialize};

use crate::{NativeCall, NativeResult};

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Instructions that frame the conversation.
    System,
    /// The person (or program) that asks.
    User,
    /// The model.
    Assistant,
    /// The result of a native tool call.
    Tool,
}

impl Role {
    /// The name of the role as ChatML and the OpenAI API write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
        }
    }
}

/// Text that a model produced, with the token ids it is made of.
///
/// Invariant kept by every model in this workspace: decoding `ids` with that model's tokenizer gives
/// `text` (malformed UTF-8 replaced).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generated {
    /// The decoded text.
    pub text: String,
    /// The token ids, in the vocabulary of the model that generated them.
    pub ids: Vec<u32>,
}

/// An image given to a vision model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Media type, for example `image/png`.
    pub media_type: String,
    /// The encoded file. Records hold it as base64.
    #[serde(with = "crate::bytes")]
    pub bytes: Vec<u8>,
}

/// One piece of a message's content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Plain text; never read as control tokens.
    Text(String),
    /// An image.
    Image(Image),
    /// Text that a model generated; a local model reuses its ids.
    Generated(Generated),
    /// A native tool call, in an assistant's message.
    Call(NativeCall),
    /// The result of one, in a tool's message.
    Result(NativeResult),
}

impl Part {
    /// The text of the part, or nothing for an image or a call.
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Generated(generated) => &generated.text,
            Self::Result(result) => &result.text,
            Self::Image(_) | Self::Call(_) => "",
        }
    }
}

/// One turn of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said, in order.
    pub content: Vec<Part>,
}

impl Message {
    /// A message of one text part.
    pub fn new(role: Role, text: impl Into<String>) -> Self {
        Self { role, content: vec![Part::Text(text.into())] }
    }

    /// A system message.
    pub fn system(text: impl Into<String>) -> Self {
        Self::new(Role::System, text)
    }

    /// A user message.
    pub fn user(text: impl Into<String>) -> Self {
        Self::new(Role::User, text)
    }

    /// An assistant message.
    pub fn assistant(text: impl Into<String>) -> Self {
        Self::new(Role::Assistant, text)
    }

    /// The result of a native tool call.
    pub fn result(call: impl Into<String>, text: impl Into<String>) -> Self {
        let result = NativeResult { call: call.into(), text: text.into() };
        Self { role: Role::Tool, content: vec![Part::Result(result)] }
    }

    /// The native tool calls in it, in order.
    pub fn calls(&self) -> impl Iterator<Item = &NativeCall> {
        self.content.iter().filter_map(|part| match part {
            Part::Call(call) => Some(call),
            _ => None,
        })
    }

    /// The text of all parts, joined.
    pub fn text(&self) -> String {
        self.content.iter().map(Part::text).collect()
    }

    /// Appends plain text, joining it to a last text part so that both are encoded as one.
    pub fn push_text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        match self.content.last_mut() {
            Some(Part::Text(last)) => last.push_str(text),
            _ => self.content.push(Part::Text(text.to_owned())),
        }
    }

    /// Appends what a model generated, joining it to a last generated part.
    pub fn push_generated(&mut self, text: &str, ids: &[u32]) {
        match self.content.last_mut() {
            Some(Part::Generated(last)) => {
                last.text.push_str(text);
                last.ids.extend_from_slice(ids);
            }
            _ => self.content.push(Part::Generated(Generated { text: text.to_owned(), ids: ids.to_vec() })),
        }
    }

    /// Appends to the arguments of the last native tool call, if there is one.
    pub fn push_arguments(&mut self, arguments: &str) {
        let calls = self.content.iter_mut().rev().filter_map(|part| match part {
            Part::Call(call) => Some(call),
            _ => None,
        });
        calls.take(1).for_each(|call| call.arguments.push_str(arguments));
    }

    /// Appends a part, joining it to the last one where both are text or both generated.
    pub fn push(&mut self, part: Part) {
        match part {
            Part::Text(text) => self.push_text(&text),
            Part::Generated(Generated { text, ids }) => self.push_generated(&text, &ids),
            Part::Image(_) | Part::Call(_) | Part::Result(_) => self.content.push(part),
        }
    }
}
