//! What goes in and out of a run: steps, inputs and limits.

use std::time::Duration;

use qianshou_chat::{ChatEvent, ChatRequest};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Answer, ToolError, ToolOutput};

/// What a run may take. Each limit that ends a run has a [`StopReason`](crate::StopReason) of its
/// own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Replies of the model.
    pub steps: usize,
    /// Observations that ask the model to mend a call; the next fault ends the run.
    pub repairs: usize,
    /// Equal calls in a row; the last one is not run any more.
    pub repeated_actions: usize,
    /// Tokens computed in prompts and generated, over all steps.
    pub tokens: Option<usize>,
    /// Tokens of one reply.
    pub reply_tokens: Option<usize>,
    /// Characters of an observation that the model is shown.
    pub observation_characters: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            steps: 8,
            repairs: 3,
            repeated_actions: 3,
            tokens: None,
            reply_tokens: None,
            observation_characters: 8000,
        }
    }
}

/// What is to be done next.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Send this to the model; feed each of its events as [`Input::Model`].
    Model(Box<ChatRequest>),
    /// Run these calls, at once or one by one; feed each result as [`Input::Tool`].
    Tools(Vec<ToolCall>),
    /// The run is over.
    Finished(Box<Answer>),
}

/// A call whose arguments fit.
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
