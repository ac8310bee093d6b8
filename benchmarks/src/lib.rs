//! The benchmark harnesses: tasks, runs that can be killed and go on, scores that can be trusted, and reports.
//!
//! Four nouns: a [`Task`] is [samples](Sample), a [`Solver`] that has a go at them and a [`Scorer`] that judges
//! what came of it. [`run`] does what is left to do of a task and appends it to a [log](Log); everything else
//! (tables, comparisons, the report) is made of logs alone.

#![forbid(unsafe_code)]

/// The guide; its example is run as a test.
#[cfg(doctest)]
#[doc = include_str!("../../docs/bench.md")]
struct Guide;

pub mod bfcl;
pub mod code_interpreter;
mod data;
pub mod embedded;
mod hash;
mod log;
pub mod provenance;
pub mod report;
mod run;
mod shard;
mod solution;
mod solver;
pub mod statistics;
mod stub;
mod task;
pub mod tool_selection;

pub use data::{DataError, DataFile, JsonLines};
pub use hash::sha256;
pub use log::{Header, JUDGE_NAME, LOG_NAME, LOG_VERSION, Log, LogError, SampleRecord, merge};
pub use run::{BenchError, Outcome, Progress, RunOptions, rescore, run};
pub use shard::{Shard, ShardError};
pub use solution::Solution;
pub use solver::{CallFormat, SolverSettings};
pub use task::{Attempt, Fault, Measure, Sample, Scorer, Solver, Task, Verdict};
