//! `qianshou bench`: the harnesses of `qianshou-bench`.

mod fetch;
mod progress;
mod results;
mod run;
mod tasks;

use std::process::ExitCode;

use clap::Subcommand;

use self::fetch::Fetch;
use self::results::{Compare, Merge, Replay, Report};
use self::tasks::{Bfcl, CodeInterpreter, ToolSelection};
use super::failure::Failure;

/// Measure how well a model calls tools and writes code.
#[derive(Debug, Subcommand)]
pub(super) enum Benchmark {
    /// Does it choose the right tool, and none where none is needed? (Table 6)
    ToolSelection(ToolSelection),
    /// Does the Python that it writes run, and do what it should? (Tables 7 and 8)
    CodeInterpreter(CodeInterpreter),
    /// The Berkeley function-calling leaderboard, single turns in Python's terms.
    Bfcl(Bfcl),
    /// Compare two runs sample by sample.
    Compare(Compare),
    /// Print the table of a run, and write its page anew.
    Report(Report),
    /// Merge the logs of shards.
    Merge(Merge),
    /// Score a run again from its log, without a model, and tell where a score differs.
    Replay(Replay),
    /// Tell where the official data are, and check files that you have.
    Fetch(Fetch),
}

impl Benchmark {
    pub(super) async fn run(self) -> Result<ExitCode, Failure> {
        match self {
            Self::ToolSelection(task) => task.run().await,
            Self::CodeInterpreter(task) => task.run().await,
            Self::Bfcl(task) => task.run().await,
            Self::Compare(compare) => compare.run(),
            Self::Report(report) => report.run(),
            Self::Merge(merge) => merge.run(),
            Self::Replay(replay) => replay.run().await,
            Self::Fetch(fetch) => fetch.run(),
        }
    }
}
