//! How a model is asked, and how its text is read.

use std::fmt;

use qianshou_chat::{Capabilities, ChatRequest, FinishReason, Message, ModelInfo, NativeCall, Part, Role};
use serde::{Deserialize, Serialize};

use crate::{BuildError, RunError, StepRecord, ToolSpec, Warning};

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

/// A step that was taken: what the model wrote, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenStep {
    /// The reply, up to where it counts. Its ids are those that the model generated.
    pub reply: Vec<Part>,
    /// What was read in it, and what came back for its calls.
    pub record: StepRecord,
}

impl TakenStep {
    /// The texts of what came back, in the order of the calls.
    pub fn observations(&self) -> impl Iterator<Item = &str> {
        self.record.observations().map(|observation| observation.text.as_str())
    }
}

/// All that a prompt is made of.
#[derive(Clone, Copy, Debug)]
pub struct Turn<'a> {
    /// The messages that frame the conversation.
    pub system: &'a [Message],
    /// Earlier turns and the question, without those that had to be left out.
    pub conversation: &'a [Message],
    /// The steps taken since the question, without those that had to be left out.
    pub steps: &'a [TakenStep],
    /// How many steps were left out before those.
    pub steps_left_out: usize,
    /// The tools that may be called.
    pub tools: &'a [ToolSpec],
    /// What the model can do.
    pub capabilities: Capabilities,
}

/// A way of asking a model to think in steps and call tools, and of reading what it writes.
pub trait Protocol: fmt::Debug + Send + Sync {
    /// Its name in records.
    fn name(&self) -> &str;

    /// Whether these tools can be offered to this model.
    ///
    /// # Errors
    /// When a name or a schema cannot be expressed, or the model cannot do what the protocol needs.
    fn check(&self, tools: &[ToolSpec], model: &ModelInfo) -> Result<(), BuildError> {
        let _ = (tools, model);
        Ok(())
    }

    /// The next request of a turn: messages, stop strings, and whatever else makes the model take a step.
    ///
    /// The same turn gives the same request, and with one step more the messages only grow at their end.
    fn request(&self, turn: &Turn<'_>) -> ChatRequest;

    /// A reader for the reply to that request.
    fn reader(&self, turn: &Turn<'_>) -> Box<dyn StepReader>;

    /// What the model is told when a reply holds neither a call nor an answer.
    fn no_action(&self) -> &str;

    /// The steps of a turn that is over, as they stand in the history of the next.
    fn history(&self, steps: &[TakenStep]) -> Vec<Message>;
}

/// Something that was read in a reply. Deltas of one kind, joined, are the whole text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StepEvent {
    /// More of the thought.
    Thought(String),
    /// A call of this tool begins.
    Action(String),
    /// More of the input of the last call.
    Arguments(String),
    /// More of the final answer.
    Answer(String),
    /// What was read as the answer so far is a thought: a call follows it.
    AnswerWasThought,
    /// Something is odd.
    Warning(Warning),
}

/// Reads one reply as it comes. Any split of the text gives the same events, up to where deltas are cut;
/// there is no text that it cannot read.
pub trait StepReader: fmt::Debug + Send {
    /// Takes more text.
    fn push(&mut self, text: &str) -> Vec<StepEvent>;

    /// A call comes apart from the text, through the model's native interface. Protocols that do not ask
    /// for such calls take it for a mistake.
    fn push_call(&mut self, call: &NativeCall) -> Vec<StepEvent> {
        vec![StepEvent::Warning(Warning::LooksLikeCall { text: call.name.clone() })]
    }

    /// Takes more of the arguments of that call.
    fn push_arguments(&mut self, text: &str) -> Vec<StepEvent> {
        let _ = text;
        Vec::new()
    }

    /// The reply is over; gives what was held back.
    fn finish(&mut self, finish: &FinishReason) -> Vec<StepEvent>;

    /// How many bytes of the reply belong to the step, where that is not all of them: what follows (an
    /// invented observation, say) is to be dropped.
    fn kept(&self) -> Option<usize>;
}
