//! The command line: what can be asked for, and how failures are told.
//!
//! Answers and data go to stdout, everything for people's eyes to stderr. Exit codes: 0 when there is an
//! answer, 2 for wrong usage, 1 otherwise.

mod ask;
mod bench;
mod constraint;
mod failure;
mod generate;
mod inspect;
mod progress;
mod setup;
mod steps;
mod tokenize;
mod tools;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};
use qianshou::chat::{ChatModel, Recorder};
use qianshou::model::{Adapter, DeviceChoice, Engine};
use qianshou::{LoadError, ModelSpec};

use self::failure::Failure;
use self::progress::Bars;

/// A Qwen model in this process that answers with tools.
#[derive(Debug, Parser)]
#[command(name = "qianshou", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answer one question with tools; the steps go to stderr, the answer alone to stdout.
    Ask(ask::Ask),
    /// List the tools with what the model is told about them.
    Tools(tools::Tools),
    /// Fetch what the default model needs.
    Setup(setup::Setup),
    /// Look at, run and check checkpoints.
    #[command(subcommand)]
    Model(ModelCommand),
}

#[derive(Debug, Subcommand)]
enum ModelCommand {
    /// Tell what a checkpoint is and what running it takes.
    Inspect(inspect::Inspect),
    /// Turn JSON strings into token ids, or back, line by line from stdin.
    Tokenize(tokenize::Tokenize),
    /// Continue a text; the text goes to stdout, tokens a second to stderr.
    Generate(generate::Generate),
    /// Compare logits and greedy tokens with recorded ones.
    Verify(verify::Verify),
    /// Measure load time, prefill and decode speed, and peak memory.
    Bench(bench::Bench),
}

/// Which model runs, and where.
#[derive(Debug, Args)]
struct ModelOptions {
    /// `tiny`, a checkpoint folder, a .gguf file, or `replay:FILE`.
    #[arg(long, value_name = "SPEC", default_value = "tiny")]
    model: ModelSpec,
    /// Record every exchange with the model to a new file; `--model replay:FILE` plays it back.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    #[command(flatten)]
    run: RunOptions,
}

impl ModelOptions {
    async fn load(&self) -> Result<Arc<dyn ChatModel>, Failure> {
        if let Some(path) = self.record.as_deref().filter(|path| path.exists()) {
            let message = format!("{} exists; a recording is not written over anything", path.display());
            return Err(Failure::message(message, Some("name a new file with --record")));
        }
        let bars = Bars::default();
        let model = self.model.load(self.run.device, self.run.adapter()?, &|progress| bars.show(progress)).await;
        bars.finish();
        match &self.record {
            None => Ok(model?),
            Some(path) => Ok(Arc::new(Recorder::create(model?, path).map_err(LoadError::from)?)),
        }
    }
}

/// How a model runs, whichever it is.
#[derive(Debug, Args)]
struct RunOptions {
    /// Where to run: auto, cpu, wgpu, wgpu:N or wgpu:software.
    #[arg(long, default_value = "auto", value_name = "DEVICE")]
    device: DeviceChoice,
    /// Merge a LoRA adapter in PEFT's format.
    #[arg(long, value_name = "FOLDER")]
    adapter: Option<PathBuf>,
}

impl RunOptions {
    fn adapter(&self) -> Result<Option<Adapter>, Failure> {
        Ok(self.adapter.as_deref().map(Adapter::open).transpose()?)
    }

    async fn load_engine(&self, model: &ModelSpec) -> Result<Arc<Engine>, Failure> {
        let bars = Bars::default();
        let engine = model.load_engine(self.device, self.adapter()?, &|progress| bars.show(progress)).await;
        bars.finish();
        Ok(engine?)
    }
}

/// Runs the command that the arguments name.
pub(crate) async fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // clap knows which of its messages are help (stdout, 0) and which are errors (stderr, 2).
            let code = if error.use_stderr() { 2 } else { 0 };
            return match error.print() {
                Ok(()) => ExitCode::from(code),
                Err(_) => ExitCode::FAILURE,
            };
        }
    };
    let done = match cli.command {
        Command::Ask(ask) => ask.run().await,
        Command::Tools(tools) => tools.run(),
        Command::Setup(setup) => setup.run().await,
        Command::Model(ModelCommand::Inspect(inspect)) => inspect.run(),
        Command::Model(ModelCommand::Tokenize(tokenize)) => tokenize.run(),
        Command::Model(ModelCommand::Generate(generate)) => generate.run().await,
        Command::Model(ModelCommand::Verify(verify)) => verify.run(),
        Command::Model(ModelCommand::Bench(bench)) => bench.run(),
    };
    done.unwrap_or_else(|failure| failure.report())
}
