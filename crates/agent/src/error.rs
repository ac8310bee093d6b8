//! What is ours to mend: wrong set-up, and models that fail.

use qianshou_chat::{ChatError, RecordingError};

use crate::{RunState, SchemaError};

/// Why an agent cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// Two tools have the same name.
    #[error("two tools have the name `{name}`; give one of them another in its spec")]
    DuplicateTool {
        /// The name.
        name: String,
    },
    /// A tool has a name that the protocol cannot write.
    #[error("the tool name {name:?} cannot be written by a model; use {rule}")]
    ToolName {
        /// The name.
        name: String,
        /// What may be in a name.
        rule: &'static str,
    },
    /// A tool's parameters cannot be shown to a model.
    #[error("the parameters of the tool `{name}` cannot be shown to a model")]
    ToolSchema {
        /// The tool.
        name: String,
        /// Why.
        source: SchemaError,
    },
    /// The protocol needs native tool calls.
    #[error("the model `{model}` has no native tool calls; use the protocol `ReAct`")]
    NoNativeTools {
        /// The model.
        model: String,
    },
}

/// Why a run ended without an answer that could be given back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The conversation does not end with a message of the user.
    #[error("the conversation has to end with a message of the user")]
    NoQuestion,
    /// A call waits for approval, and nobody can decide now.
    #[error("the run is suspended: a call waits for approval")]
    Suspended {
        /// The run, to be saved and resumed.
        state: Box<RunState>,
    },
    /// The run had begun before it was to be written down. Its transcript would lack the beginning, and nobody
    /// could replay or resume it.
    #[error(
        "the run has begun unrecorded; record runs from their beginning, and go on with them by `resume_transcript`"
    )]
    BegunUnrecorded {
        /// The run.
        state: Box<RunState>,
    },
    /// The run cannot be written down.
    #[error("the transcript cannot be written")]
    Transcript {
        /// Why.
        source: RecordingError,
    },
    /// The model failed.
    #[error("the model failed in step {step}")]
    Model {
        /// Which step of the run, the first being 1.
        step: usize,
        /// What the model says.
        source: ChatError,
    },
}
