//! Where there is no sandbox there is no Python.

use std::convert::Infallible;

use qianshou_interpreter_protocol::{Completion, Limits, Tier, Verdict, WarmReport};

use crate::builder::InterpreterBuilder;
use crate::conversation::Conversation;
use crate::error::InterpreterError;
use crate::python::Chosen;

/// Never made.
#[derive(Debug)]
pub(crate) struct Launcher(Infallible);

pub(crate) struct Opened {
    pub(crate) conversation: Conversation,
}

impl Opened {
    pub(crate) fn count(&mut self) {}

    pub(crate) fn add_counts(&self, _: &mut Completion) {}

    pub(crate) async fn close(self) {}
}

impl Launcher {
    pub(crate) async fn start(_: &InterpreterBuilder, _: &Chosen, _: Tier) -> Result<Self, InterpreterError> {
        Err(InterpreterError::System(std::env::consts::OS))
    }

    pub(crate) async fn open(&self) -> Result<Opened, InterpreterError> {
        match self.0 {}
    }

    pub(crate) async fn verdicts(&self, _: bool) -> Result<Vec<Verdict>, InterpreterError> {
        match self.0 {}
    }

    pub(crate) fn without_groups(&self) -> Option<&str> {
        match self.0 {}
    }

    pub(crate) fn limits(&self) -> &Limits {
        match self.0 {}
    }

    pub(crate) fn warm(&self) -> &WarmReport {
        match self.0 {}
    }
}
