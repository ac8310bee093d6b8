//! The log of a run: `log.jsonl`, append-only, a record a sample.
//!
//! The first line is `{"record":"bench","version":1,"bench":{…}}`, a [`Header`]. Every other line is
//! `{"record":"sample","version":1,"checksum":"…","sample":{…}}`, a [`SampleRecord`]; the checksum is the
//! first 16 digits of the SHA-256 of the text of `sample`. A line is written whole when its sample is over, and
//! brought to the disk right behind it, so that a killed process loses the samples in flight and nothing else:
//! a last line that is cut off is removed when the log is opened again, and its sample is made again.
//!
//! | version | what changed | old reader, new data | new reader, old data |
//! |--:|---|---|---|
//! | 1 | the first | | |
//!
//! The settings of a solver are its own, and what is new in them makes no new version. Where they lack
//! `constrained`, models were held to the grammar.

mod read;
mod write;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use qianshou_chat::ModelInfo;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::read::{Log, merge};
pub(crate) use self::write::LogFile;
use crate::{DataFile, Measure, Solution, Verdict};

/// The version of the records that are written and read.
pub const LOG_VERSION: u32 = 1;

/// The name of the log in the folder of a run.
pub const LOG_NAME: &str = "log.jsonl";

/// The name of what a judge said, in the folder of a run that had one.
pub const JUDGE_NAME: &str = "judge.jsonl";

/// What a log begins with: all that its scores depend on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// The name of the task.
    pub task: String,
    /// The version of its rules.
    pub task_version: u32,
    /// The files that its samples came from.
    pub data: Vec<DataFile>,
    /// How many samples the task has, whether or not all are to be made.
    pub samples: usize,
    /// The model.
    pub model: ModelInfo,
    /// What else decides the model's replies: hashes of weights and tokenizer, the type of numbers, sampling.
    pub provenance: BTreeMap<String, String>,
    /// The SHA-256 over all prompts in force.
    pub prompts: String,
    /// What the solver was set to.
    pub solver: Value,
    /// What the scorer was set to.
    pub scorer: Value,
    /// What is measured, the most important first.
    pub measures: Vec<Measure>,
    /// Where it ran: device, version and commit of the program, when it began. A log goes on elsewhere.
    pub environment: BTreeMap<String, String>,
}

impl Header {
    /// The first thing that keeps `other` from going on with this log, with both values.
    fn difference(&self, other: &Self) -> Option<(&'static str, String, String)> {
        let text = |value: Result<Value, serde_json::Error>| value.unwrap_or_default().to_string();
        macro_rules! first_of {
            ($($field:ident)*) => {
                $(if self.$field != other.$field {
                    let (before, now) = (serde_json::to_value(&self.$field), serde_json::to_value(&other.$field));
                    return Some((stringify!($field), text(before), text(now)));
                })*
            };
        }
        first_of!(task task_version data samples model provenance prompts);
        let (before, now) = (completed(&self.solver), completed(&other.solver));
        if before != now {
            return Some(("solver", before.to_string(), now.to_string()));
        }
        first_of!(scorer measures);
        None
    }
}

/// The settings of a solver, with what older logs do not state.
fn completed(solver: &Value) -> Value {
    let mut solver = solver.clone();
    // Those of the code interpreter stand beside its Python.
    let place = if solver.get("solver").is_some() { "/solver" } else { "" };
    if let Some(Value::Object(settings)) = solver.pointer_mut(place) {
        settings.entry("constrained").or_insert(true.into());
    }
    solver
}

/// One sample that was solved and scored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SampleRecord {
    /// The sample's id.
    pub id: String,
    /// Which repetition of the task, the first being 1.
    pub epoch: u32,
    /// Its place among the samples of the task, from 0.
    pub index: usize,
    /// What it counts to in tables.
    pub category: String,
    /// What was asked.
    pub question: String,
    /// What was expected, for people.
    pub expected: String,
    /// The scores and why.
    pub verdict: Verdict,
    /// How the attempt ended, in a word.
    pub stop: String,
    /// How many attempts came to nothing before, through no fault of the model.
    pub faults: u32,
    /// When it was begun, in milliseconds since 1970 began, UTC.
    pub at: u64,
    /// How long it took, scoring included, in milliseconds.
    pub milliseconds: u64,
    /// The records of the attempt.
    pub solution: Solution,
}

/// Why a log cannot be read, gone on with, or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// The file cannot be opened, read or written.
    #[error("could not {action} the log {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A line is not a record.
    #[error("line {line} of the log {}: `{field}`: {problem}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Which line, counted from 1.
        line: usize,
        /// Where in the record; `.` is the record itself.
        field: String,
        /// What is wrong there.
        problem: String,
    },
    /// A line is not what was written.
    #[error(
        "line {line} of the log {} was changed after it was written (its checksum differs); remove the line, and \
         its sample is made again", path.display()
    )]
    Checksum {
        /// The file.
        path: PathBuf,
        /// Which line, counted from 1.
        line: usize,
    },
    /// The log was written by another version of this program.
    #[error(
        "line {line} of the log {} has version {found}, and version {LOG_VERSION} can be read; use the program that \
         wrote it", path.display()
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Which line, counted from 1.
        line: usize,
        /// The version it states.
        found: u64,
    },
    /// The log is of another run.
    #[error(
        "the log {} is of another run: `{field}` is {before} there and {now} here; choose another folder with `--out`",
        path.display()
    )]
    OtherRun {
        /// The file.
        path: PathBuf,
        /// Which field of the header differs.
        field: &'static str,
        /// What the log says.
        before: String,
        /// What it would be now.
        now: String,
    },
    /// Another process writes the log.
    #[error("another process writes the log {}; wait for it, or choose another folder with `--out`", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
}

impl LogError {
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}
