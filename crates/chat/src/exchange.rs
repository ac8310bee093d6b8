//! The record of one call of a chat model.

use std::error::Error;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{ChatError, ChatErrorKind, ChatEvent, ChatRequest, ModelInfo};

/// One call of a chat model: what was asked, and all that came back.
///
/// A complete reply ends with [`ChatEvent::End`]. A call that was given up by the caller ends with
/// [`FinishReason::Cancelled`](crate::FinishReason::Cancelled), whose usage counts the tokens that had
/// been delivered. A failed call has an `error`, after the events that came before it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    /// The model that was asked.
    pub model: ModelInfo,
    /// What it was asked.
    pub request: ChatRequest,
    /// What it answered.
    pub events: Vec<ChatEvent>,
    /// Why it failed, if it did.
    pub error: Option<RecordedError>,
}

/// A [`ChatError`] as it is kept in records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedError {
    /// What kind of failure it was.
    pub kind: ChatErrorKind,
    /// Its message.
    pub message: String,
    /// Its hint, if it had one.
    pub hint: Option<String>,
    /// The messages of the errors that caused it, the nearest first.
    pub causes: Vec<String>,
}

impl From<&ChatError> for RecordedError {
    fn from(error: &ChatError) -> Self {
        let mut causes = Vec::new();
        let mut source = error.source();
        while let Some(cause) = source {
            causes.push(cause.to_string());
            source = cause.source();
        }
        Self { kind: error.kind(), message: error.to_string(), hint: error.hint().map(str::to_owned), causes }
    }
}

impl From<RecordedError> for ChatError {
    /// The error as it was, but that its causes have lost their types.
    fn from(recorded: RecordedError) -> Self {
        let RecordedError { kind, message, hint, causes } = recorded;
        let mut error = Self::new(kind, message);
        if let Some(hint) = hint {
            error = error.with_hint(hint);
        }
        let wrap = |source, message| Some(Box::new(Cause { message, source }));
        match causes.into_iter().rev().fold(None, wrap) {
            Some(cause) => error.with_source(cause),
            None => error,
        }
    }
}

/// A cause of which only the message is known.
#[derive(Debug)]
struct Cause {
    message: String,
    source: Option<Box<Cause>>,
}

impl fmt::Display for Cause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl Error for Cause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
