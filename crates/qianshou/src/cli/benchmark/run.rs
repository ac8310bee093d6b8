//! What all tasks have in common: how they are run, and what is shown in the end.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use qianshou::base::{Settings, locate_or_fetch};
use qianshou::bench::report::{Summary, html, published, table};
use qianshou::bench::{
    BenchError, CallFormat, LOG_NAME, Log, RunOptions, Sample, Shard, SolverSettings, Task, provenance, run, sha256,
};
use qianshou::chat::{ChatModel, Sampling};
use qianshou::{ModelSpec, TINY_ADAPTER, prompts::Prompts};
use tokio_util::sync::CancellationToken;

use super::progress::Shown;
use crate::cli::ModelOptions;
use crate::cli::failure::Failure;

/// The commit that this program was built from.
const COMMIT: &str = env!("QIANSHOU_COMMIT");

/// How a task is run.
#[derive(Debug, Args)]
pub(super) struct BenchOptions {
    /// Where the log and the report go; the same command goes on with what is there.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// Make only the first samples.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Make each sample this many times.
    #[arg(long, value_name = "N", default_value_t = 1)]
    epochs: u32,
    /// Make a share of the samples, as in 1/3; `bench merge` puts shares together.
    #[arg(long, value_name = "I/N", default_value_t)]
    shard: Shard,
    /// How many samples at a time.
    #[arg(long, value_name = "N", default_value_t = 1)]
    concurrency: usize,
    /// How often a sample is tried again when the model cannot be reached.
    #[arg(long, value_name = "N", default_value_t = 4)]
    retries: u32,
    /// Use the model's native tool calls instead of ReAct.
    #[arg(long)]
    native: bool,
    /// Do not hold a local model to the grammar of a ReAct step.
    #[arg(long)]
    unconstrained: bool,
    /// Sample with this temperature instead of always taking the likeliest token.
    #[arg(long, value_name = "T")]
    temperature: Option<f32>,
    /// Makes sampling repeatable.
    #[arg(long, value_name = "N", requires = "temperature")]
    seed: Option<u64>,
    /// Most tokens of a reply.
    #[arg(long, value_name = "N", default_value_t = 1024)]
    max_reply_tokens: usize,
    /// A folder with prompts of your own; `prompts/forms` has those of other models.
    #[arg(long, value_name = "FOLDER")]
    prompts: Option<PathBuf>,
    /// Print published figures beside the run's.
    #[arg(long)]
    published: bool,
    #[command(flatten)]
    pub(super) model: ModelOptions,
}

impl BenchOptions {
    pub(super) fn folder(&self) -> &Path {
        &self.out
    }

    pub(super) fn prompts(&self) -> Result<Prompts, Failure> {
        prompts(self.prompts.as_deref())
    }

    pub(super) fn settings(&self) -> Result<SolverSettings, Failure> {
        let sampling = match self.temperature {
            Some(temperature) => Sampling { temperature: Some(temperature), seed: self.seed, ..Sampling::default() },
            None => Sampling::greedy(),
        };
        Ok(SolverSettings {
            format: if self.native { CallFormat::Native } else { CallFormat::React },
            sampling,
            reply_tokens: Some(self.max_reply_tokens),
            constrained: !self.unconstrained,
            prompts: self.prompts()?,
        })
    }

    /// Runs a task to its end, writes the page and prints the table.
    pub(super) async fn run<S: Sample>(&self, task: &Task<S>) -> Result<ExitCode, Failure> {
        let engine = self.model.load_engine().await?;
        let held = engine.as_deref().map(|engine| precision(engine.weight_bytes()));
        let model: Arc<dyn ChatModel> = match engine {
            Some(engine) => engine,
            None => self.model.load().await?,
        };
        let cancellation = CancellationToken::new();
        let cancel = cancellation.clone();
        tokio::spawn(async move {
            // Without a signal handler Ctrl-C ends the process at once; what is done is saved anyhow.
            if tokio::signal::ctrl_c().await.is_ok() {
                cancel.cancel();
            }
        });
        let options = RunOptions {
            limit: self.limit,
            epochs: self.epochs,
            shard: self.shard,
            concurrency: self.concurrency,
            retries: self.retries,
            cancellation,
            provenance: self.provenance(held).await?,
            environment: self.environment()?,
            prompts: self.prompts()?,
            ..RunOptions::default()
        };
        let shown = Shown::new();
        let outcome = run(task, model, &self.out, &options, &|progress| shown.show(progress)).await;
        shown.finish();
        let outcome = outcome.map_err(|error| match &error {
            BenchError::Log(_) => Failure::new(&error, None),
            _ => Failure::new(&error, Some("run the same command again to go on from here")),
        })?;
        show(&self.out, self.published)?;
        if outcome.is_complete() {
            return Ok(ExitCode::SUCCESS);
        }
        let mut message = format!("{} of {} samples have no verdict", outcome.total - outcome.done, outcome.total);
        if let Some((sample, fault)) = outcome.faults.first() {
            message = format!("{message}; the first, {sample}: {fault}");
        }
        Err(Failure::message(message, Some("run the same command again to go on from here")))
    }

    /// What decides the model's replies, as far as it is known; `held` is the type of its weights.
    async fn provenance(&self, held: Option<String>) -> Result<BTreeMap<String, String>, Failure> {
        let spec = &self.model.model;
        let mut known: BTreeMap<String, String> = [("model".to_owned(), spec.to_string())].into();
        let path = match spec {
            ModelSpec::Tiny => Some(locate_or_fetch(&Settings::from_env(), &|_| {}).await.map_err(|error| {
                let hint = error.hint().to_owned();
                Failure::new(&error, Some(&hint))
            })?),
            ModelSpec::Path(path) | ModelSpec::Replay(path) => Some(path.clone()),
            ModelSpec::Remote(_) => None,
        };
        for path in path.iter().chain(&self.model.run.adapter) {
            let hashes = provenance::of_checkpoint(path);
            known.extend(hashes.map_err(|error| Failure::message(format!("{}: {error}", path.display()), None))?);
        }
        if *spec == ModelSpec::Tiny && self.model.run.adapter.is_none() {
            known.insert("sha256 of the embedded adapter".to_owned(), sha256(TINY_ADAPTER));
        }
        if let Some(held) = held {
            known.insert("precision".to_owned(), held);
            if let Some(windows) = &self.model.run.attention_windows {
                known.insert("attention windows".to_owned(), format!("{windows:?}"));
            }
        }
        Ok(known)
    }

    /// Where the run takes place.
    fn environment(&self) -> Result<BTreeMap<String, String>, Failure> {
        let mut known: BTreeMap<String, String> = [("commit".to_owned(), COMMIT.to_owned())].into();
        if self.model.model.is_local() {
            let device = self.model.run.options()?.open_device()?;
            known.insert("device".to_owned(), device.name().to_owned());
        }
        Ok(known)
    }
}

/// The type of the weights; where there are several, how much is in each.
fn precision(bytes: &BTreeMap<String, usize>) -> String {
    let several = bytes.len() > 1;
    let types = bytes.iter().map(|(kind, bytes)| if several { format!("{bytes} bytes {kind}") } else { kind.clone() });
    types.collect::<Vec<_>>().join(", ")
}

/// The prompts of a folder, or the embedded ones.
pub(super) fn prompts(folder: Option<&Path>) -> Result<Prompts, Failure> {
    match folder {
        Some(folder) => Prompts::with_folder(folder).map_err(|error| Failure::new(&error, None)),
        None => Ok(Prompts::embedded()),
    }
}

/// Writes the page of the log in a folder, and prints its table.
pub(super) fn show(out: &Path, with_published: bool) -> Result<(), Failure> {
    let log = Log::read(out.join(LOG_NAME)).map_err(|error| Failure::new(&error, None))?;
    let page = out.join("report.html");
    std::fs::write(&page, html(&log))?;
    let rows = if with_published { published(&log.header.task) } else { Vec::new() };
    let mut stdout = anstream::stdout();
    write!(stdout, "{}", table(&Summary::of(&log), &rows))?;
    writeln!(anstream::stderr(), "the report is {}", page.display())?;
    Ok(())
}
