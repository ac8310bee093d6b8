//! What can be made of logs.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use qianshou::bench::code_interpreter::CodeInterpreterScorer;
use qianshou::bench::tool_selection::ToolSelectionScorer;
use qianshou::bench::{LOG_NAME, Log, bfcl, code_interpreter, merge, report, rescore, sha256, tool_selection};

use super::run::show;
use super::tasks::{BfclData, CodeInterpreterData, ToolSelectionData};
use crate::cli::failure::Failure;

fn read(path: &std::path::Path) -> Result<Log, Failure> {
    Log::read(path).map_err(|error| Failure::new(&error, None))
}

/// Compare two runs sample by sample.
#[derive(Debug, Args)]
pub(in crate::cli) struct Compare {
    /// The run before, by its folder or log.
    before: PathBuf,
    /// The run after.
    after: PathBuf,
}

impl Compare {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let comparison = report::compare(&read(&self.before)?, &read(&self.after)?);
        let comparison = comparison.map_err(|problem| Failure::message(problem, None))?;
        write!(anstream::stdout(), "{comparison}")?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Print the table of a run, and write its page anew.
#[derive(Debug, Args)]
pub(in crate::cli) struct Report {
    /// The folder of the run.
    folder: PathBuf,
    /// Print published figures beside the run's.
    #[arg(long)]
    published: bool,
}

impl Report {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        show(&self.folder, self.published)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Merge the logs of shards.
#[derive(Debug, Args)]
pub(in crate::cli) struct Merge {
    /// The runs, by their folders or logs.
    #[arg(required = true)]
    runs: Vec<PathBuf>,
    /// Where the whole goes.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
}

impl Merge {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let path = self.out.join(LOG_NAME);
        if path.exists() {
            let message = format!("{} exists; nothing is merged into it", path.display());
            return Err(Failure::message(message, Some("name another folder with --out")));
        }
        merge(&self.runs, &path).map_err(|error| Failure::new(&error, None))?;
        show(&self.out, false)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Score a run again from its log, without a model.
#[derive(Debug, Args)]
pub(in crate::cli) struct Replay {
    /// The folder of the run.
    folder: PathBuf,
    /// The data that the run was over, if not our own: as for its task.
    #[arg(long, value_name = "FILE", num_args = 1..=2)]
    data: Vec<PathBuf>,
    /// The vocabulary of Qwen, if the run had it.
    #[arg(long, value_name = "FILE")]
    vocabulary: Option<PathBuf>,
}

impl Replay {
    pub(super) async fn run(self) -> Result<ExitCode, Failure> {
        let log = read(&self.folder)?;
        let first = self.data.first().cloned();
        let verdicts = match log.header.task.as_str() {
            tool_selection::NAME => {
                let data = ToolSelectionData { data: self.data, vocabulary: self.vocabulary };
                let scorer = ToolSelectionScorer::new(data.pieces()?);
                rescore(&data.samples()?.0, &scorer, &log).await
            }
            code_interpreter::NAME => {
                let data = CodeInterpreterData { data: first, uploads: None, gsm8k: None };
                rescore(&data.samples()?.0, &CodeInterpreterScorer::new(None), &log).await
            }
            bfcl::NAME => {
                let data = BfclData { data: first, categories: Vec::new() };
                rescore(&data.samples()?.0, &bfcl::BfclScorer, &log).await
            }
            other => return Err(Failure::message(format!("there is no task {other:?}"), None)),
        };
        let verdicts = verdicts.map_err(|fault| Failure::new(&fault, None))?;
        let mut differing = 0;
        let mut stdout = anstream::stdout();
        for (record, verdict) in log.samples.iter().zip(&verdicts) {
            let changed = verdict.scores.iter().filter(|(name, score)| record.verdict.scores.get(*name) != Some(score));
            for (name, score) in changed {
                differing += 1;
                let before = record.verdict.scores.get(name).map_or("nothing".to_owned(), f64::to_string);
                writeln!(stdout, "{}: {name} is {score}, and was {before}", record.id)?;
            }
        }
        if differing > 0 {
            return Err(Failure::message(format!("{differing} scores differ"), None));
        }
        writeln!(stdout, "{} samples have the same scores", verdicts.len())?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Tell where the official data are, and check files that you have.
#[derive(Debug, Args)]
pub(in crate::cli) struct Fetch {
    /// Files to check.
    files: Vec<PathBuf>,
}

/// What the official exams are made of. Neither is ours to give away.
const OFFICIAL: &str = "\
tool selection    exam_plugin_v1_react_positive.jsonl, exam_plugin_v1_react_negative.jsonl (version 20230803),
                  exam_plugin_v20231206_react_positive.jsonl, …_negative.jsonl (version 20231206):
                  see `eval/EVALUATION.md` of the repository QwenLM/Qwen
code interpreter  eval_code_interpreter_v1.jsonl with its folder of upload files:
                  see `benchmark/README.md` of the repository QwenLM/Qwen-Agent
bfcl              fetched by `qianshou bench bfcl` itself, from the Python package bfcl-eval
";

impl Fetch {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let mut stdout = anstream::stdout();
        write!(stdout, "{OFFICIAL}")?;
        for path in &self.files {
            let bytes = std::fs::read(path);
            let bytes = bytes.map_err(|error| Failure::message(format!("{}: {error}", path.display()), None))?;
            writeln!(stdout, "{}  {}", sha256(&bytes), path.display())?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
