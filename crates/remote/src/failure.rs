//! What can go wrong with a request.

use std::fmt;
use std::time::Duration;

use qianshou_chat::{ChatError, ChatErrorKind};

/// How a request failed: the source of the [`ChatError`]s of a remote model.
///
/// ```
/// use qianshou_chat::ChatError;
/// use qianshou_remote::Failure;
///
/// fn may_be_asked_again(error: &ChatError) -> bool {
///     Failure::of(error).is_some_and(|failure| failure.is_retryable() && failure.received().is_empty())
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    endpoint: String,
    status: Option<u16>,
    attempts: usize,
    retryable: bool,
    received: String,
}

impl Failure {
    /// The failure behind an error, if it is that of a remote model.
    pub fn of(error: &ChatError) -> Option<&Self> {
        std::error::Error::source(error)?.downcast_ref()
    }

    /// Host and port of the server that was asked last.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The HTTP status, if the server answered with an error.
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// How many times the request was sent.
    pub fn attempts(&self) -> usize {
        self.attempts
    }

    /// Whether the reason may pass, so that the same request may work later.
    pub fn is_retryable(&self) -> bool {
        self.retryable
    }

    /// The text that had been emitted before the reply broke off.
    pub fn received(&self) -> &str {
        &self.received
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.received.chars().count() {
            0 => write!(formatter, "attempt {} failed before anything was said", self.attempts),
            received => write!(formatter, "attempt {} failed after {received} characters", self.attempts),
        }
    }
}

impl std::error::Error for Failure {}

/// What is wrong with one attempt.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) kind: ChatErrorKind,
    /// What the server did or did not, to be read behind its name.
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    pub(crate) status: Option<u16>,
    pub(crate) retryable: bool,
    /// How long the server asks to wait.
    pub(crate) retry_after: Option<Duration>,
}

impl Fault {
    pub(crate) fn new(kind: ChatErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, status: None, retryable: false, retry_after: None }
    }

    /// A pause that was too long.
    pub(crate) fn timeout(connecting: bool) -> Self {
        let message = if connecting { "cannot be reached in time" } else { "did not answer in time" };
        Self::new(ChatErrorKind::Unavailable, message).retryable().with_hint("try again later, or allow more time")
    }

    pub(crate) fn retryable(self) -> Self {
        Self { retryable: true, ..self }
    }

    pub(crate) fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// The error of the request.
    pub(crate) fn into_error(self, endpoint: &str, attempts: usize, received: &str) -> ChatError {
        let Self { kind, message, hint, status, retryable, retry_after } = self;
        let hint = match retry_after {
            Some(wait) => Some(format!("the server asks to wait {} seconds", wait.as_secs())),
            None => hint,
        };
        let error = ChatError::new(kind, format!("{endpoint} {message}"));
        let error = match hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        };
        let received = received.to_owned();
        error.with_source(Failure { endpoint: endpoint.to_owned(), status, attempts, retryable, received })
    }
}

/// The innermost reason of an error. What is around it repeats what was tried, and may name a URL.
pub(crate) fn root_cause(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
