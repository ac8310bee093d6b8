//! The work that every agent here does: it adds a number a step, and then answers.
//!
//! Both frameworks get the same question, tool and replies from here, and hold the same observations.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use schemars::JsonSchema;
use serde::Deserialize;
use tokio::sync::Barrier;

pub(crate) const SYSTEM: &str = "You are a helpful assistant.";
pub(crate) const QUESTION: &str = "What is the sum of the numbers from 1 on?";
pub(crate) const TOOL: &str = "add";
pub(crate) const DESCRIPTION: &str = "Adds two integers.";
pub(crate) const ANSWER: &str = "I added them one by one; the last observation is their sum.";

/// What the tool is called with.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct AddArgs {
    /// The sum so far.
    a: i64,
    /// The next number.
    b: i64,
}

impl AddArgs {
    pub(crate) fn sum(&self) -> String {
        (self.a + self.b).to_string()
    }
}

/// One reply of the model.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// A call of the tool.
    Call {
        /// Unique within the run.
        id: String,
        /// A JSON object.
        arguments: String,
    },
    Answer,
}

/// The replies of a run of so many steps: calls, of which no two are equal, and then the answer.
pub(crate) fn replies(steps: usize) -> impl Iterator<Item = Reply> {
    let call = |step: usize| Reply::Call {
        id: format!("call-{step}"),
        arguments: format!(r#"{{"a": {}, "b": {step}}}"#, step * (step - 1) / 2),
    };
    (1..steps).map(call).chain([Reply::Answer])
}

/// Where a model is in its replies. After the last it begins anew, for the next run.
pub(crate) struct Place {
    next: AtomicUsize,
    steps: usize,
    meeting: Option<Arc<Barrier>>,
}

impl Place {
    /// With a meeting, the last reply waits until all others of it have come as far.
    pub(crate) fn new(steps: usize, meeting: Option<Arc<Barrier>>) -> Self {
        Self { next: AtomicUsize::new(0), steps, meeting }
    }

    /// Which reply comes now, from 0.
    pub(crate) async fn advance(&self) -> usize {
        let index = self.next.fetch_add(1, Ordering::Relaxed) % self.steps;
        if let Some(meeting) = self.meeting.as_ref().filter(|_| index + 1 == self.steps) {
            meeting.wait().await;
        }
        index
    }
}
