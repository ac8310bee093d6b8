//! What can be made of logs.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use qianshou::bench::code_interpreter::{CodeInterpreterScorer, Judge, VisionJudge};
use qianshou::bench::tool_selection::ToolSelectionScorer;
use qianshou::bench::{
    JUDGE_NAME, LOG_NAME, Log, Sample, Scorer, Verdict, bfcl, code_interpreter, merge, report, rescore, tool_selection,
};

use super::run::{prompts, show};
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
    /// The folder of upload files, as for its task.
    #[arg(long, value_name = "FOLDER", requires = "data")]
    uploads: Option<PathBuf>,
    /// GSM8K's test set, if the run was over it.
    #[arg(long, value_name = "FILE", conflicts_with = "data")]
    gsm8k: Option<PathBuf>,
    /// The prompts of the run, if not the embedded ones: verdicts of a judge are found by what it was asked.
    #[arg(long, value_name = "FOLDER")]
    prompts: Option<PathBuf>,
}

impl Replay {
    pub(super) async fn run(self) -> Result<ExitCode, Failure> {
        let log = read(&self.folder)?;
        let first = self.data.first().cloned();
        let verdicts = match log.header.task.as_str() {
            tool_selection::NAME => {
                let data = ToolSelectionData { data: self.data, vocabulary: self.vocabulary };
                let scorer = ToolSelectionScorer::new(data.pieces()?);
                scored(&data.samples()?.0, &scorer, &log, "name the vocabulary of Qwen with --vocabulary").await?
            }
            code_interpreter::NAME => {
                let scorer = CodeInterpreterScorer::new(self.stored_judge(&log)?);
                let data = CodeInterpreterData { data: first, uploads: self.uploads, gsm8k: self.gsm8k };
                let hint = format!("what the judge said belongs beside the log, in {JUDGE_NAME}");
                scored(&data.samples()?.0, &scorer, &log, &hint).await?
            }
            bfcl::NAME => {
                let categories: BTreeSet<_> = log.samples.iter().map(|record| record.category.clone()).collect();
                let data = BfclData { data: first, categories: categories.into_iter().collect() };
                scored(&data.samples()?.0, &bfcl::BfclScorer, &log, "use the program that wrote the log").await?
            }
            other => return Err(Failure::message(format!("there is no task {other:?}"), None)),
        };
        let mut differing = 0;
        let mut stdout = anstream::stdout();
        for (record, verdict) in log.samples.iter().zip(&verdicts) {
            let names: BTreeSet<_> = record.verdict.scores.keys().chain(verdict.scores.keys()).collect();
            for name in names {
                let (before, now) = (record.verdict.scores.get(name), verdict.scores.get(name));
                if before != now {
                    differing += 1;
                    let [before, now] = [before, now].map(|score| score.map_or("nothing".to_owned(), f64::to_string));
                    writeln!(stdout, "{}: {name} is {now}, and was {before}", record.id)?;
                }
            }
        }
        if differing > 0 {
            return Err(Failure::message(format!("{differing} scores differ"), None));
        }
        writeln!(stdout, "{} samples have the same scores", verdicts.len())?;
        Ok(ExitCode::SUCCESS)
    }

    /// The judge of the run, with nothing but its stored verdicts.
    fn stored_judge(&self, log: &Log) -> Result<Option<Arc<dyn Judge>>, Failure> {
        let path = log.path.with_file_name(JUDGE_NAME);
        let had_judge = log.header.measures.iter().any(|measure| measure.name == "upstream.plot");
        let Some(name) = log.header.scorer["judge"].as_str().filter(|_| had_judge && path.exists()) else {
            return Ok(None);
        };
        let judge = VisionJudge::open(name, None, prompts(self.prompts.as_deref())?, &path);
        Ok(Some(Arc::new(judge.map_err(|error| Failure::new(&error, None))?)))
    }
}

/// Scores a run again, if all that it measured can be.
async fn scored<S: Sample>(
    samples: &[S],
    scorer: &dyn Scorer<S>,
    log: &Log,
    hint: &str,
) -> Result<Vec<Verdict>, Failure> {
    let known = scorer.measures();
    let missing = log.header.measures.iter().find(|measure| known.iter().all(|other| other.name != measure.name));
    if let Some(missing) = missing {
        let message = format!("the run measured {:?}, which cannot be done with what is given", missing.title);
        return Err(Failure::message(message, Some(hint)));
    }
    rescore(samples, scorer, log).await.map_err(|fault| Failure::new(&fault, None))
}
