//! Which step failed, and why.

use std::fmt;
use std::io;

/// A step of locking in that failed.
#[derive(Debug)]
pub struct Failure {
    step: String,
    source: io::Error,
}

impl Failure {
    /// A step, which reads after "cannot", and the error of the system.
    pub fn new(step: impl Into<String>, source: impl Into<io::Error>) -> Self {
        Self { step: step.into(), source: source.into() }
    }

    /// The error of the system.
    #[must_use]
    pub fn raw_os_error(&self) -> Option<i32> {
        self.source.raw_os_error()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "cannot {}: {}", self.step, self.source)
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// Names the step of a result.
pub trait Step<T> {
    /// Turns an error into a [`Failure`] of this step; `step` reads after "cannot".
    ///
    /// # Errors
    /// When the result is one.
    fn step(self, step: impl Into<String>) -> Result<T, Failure>;
}

impl<T, E: Into<io::Error>> Step<T> for Result<T, E> {
    fn step(self, step: impl Into<String>) -> Result<T, Failure> {
        self.map_err(|error| Failure::new(step, error))
    }
}
