//! How a model is asked, and how its text is read.

use std::fmt;

use qianshou_chat::{FinishReason, Message, Role};

use crate::{RunError, ToolSpec, Warning};

/// What is asked: a question, or a whole conversation that ends with one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversation(pub(crate) Vec<Message>);

impl Conversation {
    /// The messages, the last of which has to be the user's.
    pub(crate) fn checked(self) -> Result<Vec<Message>, RunError> {
        match self.0.last() {
            Some(last) if last.role == Role::User => Ok(self.0),
            _ => Err(RunError::NoQuestion),
        }
    }
}

impl From<&str> for Conversation {
    fn from(question: &str) -> Self {
        Self(vec![Message::user(question)])
    }
}

impl From<String> for Conversation {
    fn from(question: String) -> Self {
        Self(vec![Message::user(question)])
    }
}

impl From<Vec<Message>> for Conversation {
    fn from(messages: Vec<Message>) -> Self {
        Self(messages)
    }
}

/// A way of asking a model to think in steps and call tools, and of reading what it writes.
pub trait Protocol: fmt::Debug + Send + Sync {
    /// The messages that the model is given: the conversation, with the tools and the way to call them
    /// worked in.
    fn render(&self, conversation: &[Message], tools: &[ToolSpec]) -> Vec<Message>;

    /// Where a reply has to stop.
    fn stop_strings(&self) -> Vec<String>;

    /// Whether the model goes on in its own message after an observation.
    fn continues(&self) -> bool;

    /// A reader for the reply that follows these messages.
    fn reader(&self, messages: &[Message]) -> Box<dyn StepReader>;

    /// Adds what came back for the calls of the last reply, in their order, and whatever makes the model
    /// go on. The messages so far are a prefix of the new ones; nothing in them moves.
    fn observe(&self, messages: &mut Vec<Message>, observations: &[&str]);
}

/// Something that was read in a reply. Deltas of one kind, joined, are the whole text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StepEvent {
    /// More of the thought.
    Thought(String),
    /// A call of this tool begins.
    Action(String),
    /// More of the input of the call.
    Arguments(String),
    /// More of the final answer.
    Answer(String),
    /// Something is odd.
    Warning(Warning),
}

/// Reads one reply as it comes. Any split of the text gives the same events, up to where deltas are cut;
/// there is no text that it cannot read.
pub trait StepReader: fmt::Debug + Send {
    /// Takes more text.
    fn push(&mut self, text: &str) -> Vec<StepEvent>;

    /// The reply is over; gives what was held back.
    fn finish(&mut self, finish: &FinishReason) -> Vec<StepEvent>;

    /// How many bytes of the reply belong to the step, where that is not all of them: what follows (an
    /// invented observation, say) is to be dropped.
    fn kept(&self) -> Option<usize>;
}
