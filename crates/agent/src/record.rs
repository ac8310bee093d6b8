//! What is known about a run and its steps afterwards.

use std::fmt;

use qianshou_chat::{FinishReason, Message, Usage};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{ArgumentStage, Artifact, Decision, ToolCall, Warning};

/// Why a run ended. (Why a single reply of the model ended is a [`FinishReason`].)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StopReason {
    /// The model gave an answer.
    Answered,
    /// The limit of steps was reached.
    Steps,
    /// The run took too long.
    WallClock,
    /// The limit of tokens was reached.
    Tokens,
    /// The limit of cost was reached.
    Cost,
    /// Question, tools and the last step do not fit into the context window.
    ContextFull,
    /// The model got more calls wrong than it may repair.
    Repairs,
    /// The model called the same tool with the same arguments again and again.
    RepeatedAction,
    /// A reply was cut off because it or the context was full.
    ReplyLength,
    /// The run was cancelled.
    Cancelled,
}

impl fmt::Display for StopReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Answered => "the model answered",
            Self::Steps => "the limit of steps was reached",
            Self::WallClock => "the time limit was reached",
            Self::Tokens => "the limit of tokens was reached",
            Self::Cost => "the limit of cost was reached",
            Self::ContextFull => "the context window is full",
            Self::Repairs => "the model got too many calls wrong",
            Self::RepeatedAction => "the model repeated the same call",
            Self::ReplyLength => "a reply was cut off at its maximum length",
            Self::Cancelled => "the run was cancelled",
        })
    }
}

/// What an observation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ObservationKind {
    /// The tool's result.
    Output,
    /// No tool has this name.
    UnknownTool,
    /// The arguments cannot be read, do not fit the schema, or the tool refused them.
    WrongArguments,
    /// The reply held neither a call nor an answer.
    NoAction,
    /// The tool failed.
    ToolFailed,
    /// The tool panicked.
    ToolPanicked,
    /// The tool took too long.
    ToolTimedOut,
    /// The call was not allowed.
    Denied,
    /// The call was cancelled before it gave a result.
    Cancelled,
}

impl ObservationKind {
    /// Whether the model has to mend something, which takes one of its repairs.
    pub fn is_repair(self) -> bool {
        matches!(self, Self::UnknownTool | Self::WrongArguments | Self::NoAction)
    }
}

/// What came back for a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// What it is.
    pub kind: ObservationKind,
    /// What the model reads.
    pub text: String,
    /// What only the operator reads.
    pub diagnostics: Option<String>,
    /// What the tool made besides text.
    pub artifacts: Vec<Artifact>,
}

/// One call of a tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRecord {
    /// Its id, unique within the run.
    pub id: String,
    /// The name of the tool: the registered one where there is such a tool, else as written.
    pub name: String,
    /// The input as the model wrote it.
    pub input: String,
    /// The arguments, when they could be read and fit.
    pub arguments: Option<Value>,
    /// How they were read.
    pub stage: Option<ArgumentStage>,
    /// Whether the call may run only when that is decided.
    pub needs_approval: bool,
    /// What was decided.
    pub decision: Option<Decision>,
    /// What came back; nothing while the call is open.
    pub observation: Option<Observation>,
}

impl CallRecord {
    /// A call of which the name is known.
    pub(crate) fn begun(id: String, name: String) -> Self {
        Self {
            id,
            name,
            input: String::new(),
            arguments: None,
            stage: None,
            needs_approval: false,
            decision: None,
            observation: None,
        }
    }

    /// Whether nothing has come back yet.
    pub fn is_open(&self) -> bool {
        self.observation.is_none()
    }

    /// Whether it cannot run before that is decided.
    pub fn awaits_decision(&self) -> bool {
        self.is_open() && self.needs_approval && self.decision.is_none()
    }

    /// The call as tools get it, if its arguments fit.
    pub fn to_call(&self) -> Option<ToolCall> {
        let arguments = self.arguments.clone()?;
        Some(ToolCall { id: self.id.clone(), name: self.name.clone(), arguments })
    }
}

/// One step: a reply of the model and the calls in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRecord {
    /// What the model thought.
    pub thought: String,
    /// Its final answer, if it gave one.
    pub answer: Option<String>,
    /// Its calls.
    pub calls: Vec<CallRecord>,
    /// What the model was told because the reply held neither.
    pub no_action: Option<Observation>,
    /// What was odd.
    pub warnings: Vec<Warning>,
    /// Tokens of the model call.
    pub usage: Usage,
    /// Why the reply ended.
    pub finish: FinishReason,
}

impl StepRecord {
    /// A step of which nothing has been heard. It counts as cancelled until its reply has ended.
    pub fn begun() -> Self {
        Self {
            thought: String::new(),
            answer: None,
            calls: Vec::new(),
            no_action: None,
            warnings: Vec::new(),
            usage: Usage::default(),
            finish: FinishReason::Cancelled,
        }
    }

    /// The calls that nothing has come back for.
    pub fn open_calls(&self) -> impl Iterator<Item = &CallRecord> {
        self.calls.iter().filter(|call| call.is_open())
    }

    /// What the model was told after the step, in order.
    pub fn observations(&self) -> impl Iterator<Item = &Observation> {
        self.calls.iter().filter_map(|call| call.observation.as_ref()).chain(&self.no_action)
    }
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The final answer; what there is of it when the run ended early.
    pub text: String,
    /// Why the run ended.
    pub stop_reason: StopReason,
    /// All steps.
    pub steps: Vec<StepRecord>,
    /// Tokens of all steps.
    pub usage: Usage,
    /// How many times the model was told to mend a call.
    pub repairs: usize,
    /// The conversation, with what the run added to it: the history for a next question. Replies keep
    /// their token ids.
    pub messages: Vec<Message>,
}

impl Answer {
    /// The final answer.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the model answered, rather than the run being stopped.
    pub fn is_answered(&self) -> bool {
        self.stop_reason == StopReason::Answered
    }

    /// What the tools made besides text, in order.
    pub fn artifacts(&self) -> impl Iterator<Item = &Artifact> {
        self.steps.iter().flat_map(StepRecord::observations).flat_map(|observation| &observation.artifacts)
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}
