//! What goes in and out of a run: steps and inputs.

use std::time::Duration;

use qianshou_chat::{ChatEvent, ChatRequest};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Answer, ToolError, ToolOutput};

/// What is to be done next.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Send this to the model; feed each of its events as [`Input::Model`].
    Model(Box<ChatRequest>),
    /// Decide whether these calls may run; feed each decision as [`Input::Decision`].
    Approval(Vec<ToolCall>),
    /// Run these calls, at once or one by one; feed each result as [`Input::Tool`].
    Tools(Vec<ToolCall>),
    /// The run is over.
    Finished(Box<Answer>),
}

/// A call whose arguments fit. A tool is called once for it; when a run is resumed that was killed
/// meanwhile, once more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    /// Its id, unique within the run.
    pub id: String,
    /// The registered name of the tool.
    pub name: String,
    /// The arguments.
    pub arguments: Value,
}

/// Something that happened outside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// An event of the model's stream.
    Model(ChatEvent),
    /// The reply broke off; what came of it is forgotten, and it is asked for again.
    ReplyLost {
        /// Why.
        reason: String,
    },
    /// The model refused the prompt because it is too long; the run leaves out more, or ends.
    ContextExceeded,
    /// It was decided whether a call may run.
    Decision {
        /// The id of the call.
        call: String,
        /// What was decided.
        decision: Decision,
    },
    /// A call came to an end.
    Tool {
        /// The id of the call.
        call: String,
        /// How it ended.
        outcome: ToolOutcome,
    },
    /// The run has to end now.
    Interrupt(Interruption),
}

/// Whether a call may run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It may.
    Allow,
    /// It may not; the model reads why.
    Deny {
        /// Why, in words for the model.
        reason: String,
    },
    /// It may, with other arguments; the model reads which. When they do not fit the tool's schema, the
    /// call is denied.
    Edit {
        /// All arguments.
        arguments: Value,
    },
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolOutcome {
    /// With a result.
    Output(ToolOutput),
    /// With an error.
    Error {
        /// What the model reads.
        text: String,
        /// Whether other arguments could mend it.
        invalid_arguments: bool,
        /// What the operator reads.
        diagnostics: Option<String>,
    },
    /// With a panic.
    Panicked {
        /// The message of the panic, for the operator.
        message: String,
    },
    /// Not in time.
    TimedOut {
        /// How long it was given.
        after: Duration,
    },
}

impl From<Result<ToolOutput, ToolError>> for ToolOutcome {
    fn from(result: Result<ToolOutput, ToolError>) -> Self {
        match result {
            Ok(output) => Self::Output(output),
            Err(error) => Self::Error {
                text: error.text().to_owned(),
                invalid_arguments: error.is_invalid_arguments(),
                diagnostics: error.diagnostics(),
            },
        }
    }
}

/// Why a run is ended from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interruption {
    /// Somebody cancelled it.
    Cancelled,
    /// Its time is over.
    WallClock,
}
