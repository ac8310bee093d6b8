//! The four nouns: a task is samples, what solves them and what scores the solutions.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use qianshou_chat::{ChatError, ChatModel};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{DataFile, Solution};

/// One question of a task: what the harness needs to know of it. What a solver and a scorer need is the
/// task's own.
pub trait Sample: Send + Sync {
    /// Its id, unique in the task.
    fn id(&self) -> &str;

    /// What it counts to in tables.
    fn category(&self) -> &str;

    /// What is asked, for readers of a report.
    fn question(&self) -> &str;

    /// What was expected, for readers of a report.
    fn expected(&self) -> String;
}

/// What one attempt at a sample is made with.
#[derive(Clone)]
pub struct Attempt {
    /// The model.
    pub model: Arc<dyn ChatModel>,
    /// Which repetition of the task, the first being 1.
    pub epoch: u32,
}

impl fmt::Debug for Attempt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Attempt").field("epoch", &self.epoch).finish_non_exhaustive()
    }
}

/// Anything that can have a go at a sample: an agent, or a model that is asked once.
#[async_trait]
pub trait Solver<S>: Send + Sync {
    /// What decides what it does (protocol, limits, sampling), for the header of the log. A log goes on only
    /// with equal settings.
    fn settings(&self) -> Value;

    /// Where it works, for the header of the log. A log goes on elsewhere.
    fn environment(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    /// Has a go. A limit that was reached, or a model that got something wrong, is a solution like any other.
    ///
    /// # Errors
    /// When there is nothing to score: the surroundings failed, not the model.
    async fn solve(&self, sample: &S, attempt: &Attempt) -> Result<Solution, Fault>;
}

/// Judges solutions.
#[async_trait]
pub trait Scorer<S>: Send + Sync {
    /// What decides how it judges, for the header of the log.
    fn settings(&self) -> Value;

    /// What it measures, the most important first.
    fn measures(&self) -> Vec<Measure>;

    /// Judges a solution. The same solution has the same verdict.
    ///
    /// # Errors
    /// When it cannot be judged: the surroundings failed.
    async fn score(&self, sample: &S, solution: &Solution) -> Result<Verdict, Fault>;
}

/// A benchmark: samples, a solver and a scorer.
#[derive(Clone)]
pub struct Task<S> {
    /// Its name, as in `bench NAME`.
    pub name: &'static str,
    /// The version of its rules. Scores of different versions are not comparable.
    pub version: u32,
    /// The files that the samples came from.
    pub data: Vec<DataFile>,
    /// The samples, in their order.
    pub samples: Arc<[S]>,
    /// What solves them.
    pub solver: Arc<dyn Solver<S>>,
    /// What judges the solutions.
    pub scorer: Arc<dyn Scorer<S>>,
}

impl<S> fmt::Debug for Task<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Task")
            .field("name", &self.name)
            .field("samples", &self.samples.len())
            .finish_non_exhaustive()
    }
}

/// Something that is measured of each sample, as a number from 0 to 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measure {
    /// Its name in records.
    pub name: String,
    /// What it is, for people.
    pub title: String,
    /// Whether less is better.
    pub less_is_better: bool,
}

impl Measure {
    /// A measure of which more is better.
    pub fn new(name: &str, title: &str) -> Self {
        Self { name: name.to_owned(), title: title.to_owned(), less_is_better: false }
    }

    /// The same of which less is better.
    #[must_use]
    pub fn less_is_better(self) -> Self {
        Self { less_is_better: true, ..self }
    }
}

/// What a scorer says of a solution.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Measures that apply to the sample, by name, from 0 to 1.
    pub scores: BTreeMap<String, f64>,
    /// Classes that the solution belongs to, by kind: the tool that was called, how the sandbox ended it.
    pub labels: BTreeMap<String, String>,
    /// Why, a sentence each.
    pub why: Vec<String>,
}

impl Verdict {
    /// Sets a measure.
    pub fn score(&mut self, measure: &str, value: impl Into<f64>) {
        self.scores.insert(measure.to_owned(), value.into());
    }

    /// Sets a class.
    pub fn label(&mut self, kind: &str, class: impl Into<String>) {
        self.labels.insert(kind.to_owned(), class.into());
    }

    /// Adds a reason.
    pub fn because(&mut self, reason: impl Into<String>) {
        self.why.push(reason.into());
    }
}

/// Why an attempt came to nothing: the surroundings, not the model.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    message: String,
    reach: Reach,
}

/// What a fault meets besides this attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// Nothing: the next attempt may go well.
    Attempt,
    /// Every attempt at this sample.
    Sample,
    /// Every sample.
    Run,
}

impl Fault {
    /// A fault that may be gone at the next attempt.
    pub fn passing(message: impl Into<String>) -> Self {
        Self { message: message.into(), reach: Reach::Attempt }
    }

    /// A fault that every further sample would meet, too: the run ends.
    pub fn lasting(message: impl Into<String>) -> Self {
        Self { message: message.into(), reach: Reach::Run }
    }

    /// Whether another attempt may go well.
    pub fn is_passing(&self) -> bool {
        self.reach == Reach::Attempt
    }

    /// Whether every further sample would meet it, too, when the model has `answered` some or none. Who has answered
    /// none is not there, or has another name.
    pub fn is_lasting(&self, answered: bool) -> bool {
        !answered || self.reach == Reach::Run
    }

    /// What went wrong, with its causes.
    pub(crate) fn of(error: &dyn std::error::Error, lasting: bool) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            message = format!("{message}: {error}");
            cause = error.source();
        }
        Self { message, reach: if lasting { Reach::Run } else { Reach::Attempt } }
    }
}

impl From<&ChatError> for Fault {
    fn from(error: &ChatError) -> Self {
        use qianshou_chat::ChatErrorKind::{Denied, InvalidRequest, Unsupported};
        let fault = Self::of(error, matches!(error.kind(), Denied | Unsupported));
        if error.kind() == InvalidRequest { Self { reach: Reach::Sample, ..fault } } else { fault }
    }
}
