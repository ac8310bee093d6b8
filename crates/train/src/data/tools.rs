//! Tools that stand for real ones: they tell what the episode says.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use jiff::ZonedDateTime;
use qianshou_agent::{AnyTool, Tool, ToolContext, ToolError, ToolOutput, ToolSpec};
use qianshou_tools::CurrentTime;
use serde_json::Value;

/// A tool that was never built: it gives what was written down for it, in order, and then nothing of use.
#[derive(Debug)]
pub struct Rehearsed {
    spec: ToolSpec,
    observations: Mutex<VecDeque<String>>,
    calls: Mutex<Vec<Value>>,
}

impl Rehearsed {
    /// A tool with these observations.
    pub fn new(spec: ToolSpec, observations: impl IntoIterator<Item = String>) -> Self {
        Self { spec, observations: Mutex::new(observations.into_iter().collect()), calls: Mutex::default() }
    }

    /// What it was called with so far.
    pub fn calls(&self) -> Vec<Value> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl AnyTool for Rehearsed {
    fn spec(&self) -> ToolSpec {
        self.spec.clone()
    }

    async fn call(&self, arguments: Value, _: &ToolContext) -> Result<ToolOutput, ToolError> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(arguments);
        let observation = self.observations.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        observation.map(Into::into).ok_or_else(|| ToolError::new("nothing was found"))
    }
}

/// The clock, at a moment that was drawn: the real one would teach the model the day of its training.
#[derive(Clone, Debug)]
pub(super) struct ClockAt(pub(super) ZonedDateTime);

#[async_trait]
impl AnyTool for ClockAt {
    fn spec(&self) -> ToolSpec {
        Tool::spec(&CurrentTime)
    }

    /// In the form of [`CurrentTime`].
    async fn call(&self, _: Value, _: &ToolContext) -> Result<ToolOutput, ToolError> {
        Ok(self.0.strftime("%A, %-d %B %Y, %H:%M:%S (UTC%:z)").to_string().into())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[tokio::test]
    async fn the_clock_tells_what_the_real_one_would() {
        let context = ToolContext::default();
        let form = |told: &str| -> String {
            let letter = |letter: char| if letter.is_ascii_digit() { '0' } else { letter };
            told.split_once(',').unwrap().1.chars().map(letter).filter(|letter| !letter.is_alphabetic()).collect()
        };
        // Whatever the day is, the real clock and this one agree about it but for seconds.
        let real = AnyTool::call(&CurrentTime, serde_json::json!({}), &context).await.unwrap().text;
        let told = ClockAt(ZonedDateTime::now()).call(Value::Null, &context).await.unwrap().text;
        assert_eq!(form(&told), form(&real));
    }
}
