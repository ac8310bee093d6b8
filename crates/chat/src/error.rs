//! Why a chat model could not answer.

use std::error::Error;

use serde::{Deserialize, Serialize};

/// What kind of failure a [`ChatError`] is, for code that decides what to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChatErrorKind {
    /// The request asks for something that this model does not offer (a constraint, images, …).
    Unsupported,
    /// The request contradicts itself or is out of range (no message, a negative temperature, …).
    InvalidRequest,
    /// Prompt and reserved output do not fit into the context window.
    ContextExceeded,
    /// The server refuses the key, or what the key's account may use is used up.
    Denied,
    /// The model cannot be reached or has shut down; the same request may work later.
    Unavailable,
    /// The computation itself failed.
    Failed,
}

/// A failed chat request: a [kind](ChatError::kind), one line for people, and where possible a
/// [hint](ChatError::hint) on how to mend it.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct ChatError {
    kind: ChatErrorKind,
    message: String,
    hint: Option<String>,
    #[source]
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl ChatError {
    /// An error of `kind`; `message` is a lower-case fragment that says what and where.
    pub fn new(kind: ChatErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, source: None }
    }

    /// Adds what the user can do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the error that caused this one.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What kind of failure this is.
    pub fn kind(&self) -> ChatErrorKind {
        self.kind
    }

    /// What the user can do about it, if anything is known to help.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}
