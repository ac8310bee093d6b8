//! The command line: what can be asked for, and how failures are told.
//!
//! Answers and data go to stdout, everything for people's eyes to stderr. Exit codes: 0 when there is an
//! answer, 2 for wrong usage, 1 otherwise.

mod agent;
mod ask;
mod bench;
mod benchmark;
mod chat;
mod constraint;
mod doctor;
mod failure;
mod generate;
mod inspect;
mod lines;
mod progress;
mod python;
mod setup;
mod steps;
mod tokenize;
mod tools;
mod trace;
mod verify;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};
use qianshou::chat::{ChatModel, Recorder};
use qianshou::model::{Adapter, AttentionWindows, Decoder, DeviceChoice, Engine, Precision};
use qianshou::{LoadError, LoadOptions, ModelSpec};

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
    /// Talk with a model that has tools; it remembers what was said.
    Chat(chat::Chat),
    /// Measure how well a model calls tools and writes code.
    #[command(subcommand)]
    Bench(benchmark::Benchmark),
    /// Look at what `--record` wrote.
    #[command(subcommand)]
    Trace(trace::Trace),
    /// List the tools of a run with what the model is told about them.
    Tools(tools::Tools),
    /// Run Python code in the sandbox.
    Python(python::Python),
    /// Tell what works on this machine, what does not, and how to mend it.
    Doctor(doctor::Doctor),
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
    /// `tiny`, a checkpoint folder, a .gguf file, `remote:NAME@URL`, or `replay:FILE`.
    #[arg(long, value_name = "SPEC", default_value = "tiny")]
    model: ModelSpec,
    #[command(flatten)]
    run: RunOptions,
}

impl ModelOptions {
    async fn load(&self) -> Result<Arc<dyn ChatModel>, Failure> {
        let bars = Bars::default();
        let model = self.model.load(self.run.options()?, &|progress| bars.show(progress)).await;
        bars.finish();
        Ok(model?)
    }

    /// The model's engine, if it computes in this process.
    async fn load_engine(&self) -> Result<Option<Arc<Engine>>, Failure> {
        let bars = Bars::default();
        let engine = self.model.load_engine(self.run.options()?, &|progress| bars.show(progress)).await;
        bars.finish();
        Ok(engine?)
    }
}

/// Whether exchanges are recorded.
#[derive(Debug, Args)]
struct RecordOption {
    /// Record every exchange with the model to a new file; the model `replay:FILE` plays it back.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
}

impl RecordOption {
    /// Told before a model is loaded, which takes a while.
    fn check(&self) -> Result<(), Failure> {
        match self.record.as_deref().filter(|path| path.exists()) {
            None => Ok(()),
            Some(path) => {
                let message = format!("{} exists; a recording is not written over anything", path.display());
                Err(Failure::message(message, Some("name a new file with --record")))
            }
        }
    }

    fn around(&self, model: Arc<dyn ChatModel>) -> Result<Arc<dyn ChatModel>, Failure> {
        match &self.record {
            None => Ok(model),
            Some(path) => Ok(Arc::new(Recorder::create(model, path).map_err(LoadError::from)?)),
        }
    }
}

/// How a model runs, whichever it is.
#[derive(Debug, Args)]
struct RunOptions {
    /// Where to run: auto, cpu, wgpu, wgpu:N or wgpu:software.
    #[arg(long, default_value = "auto", value_name = "DEVICE")]
    device: DeviceChoice,
    /// How weights are held: auto, f32 or f16.
    #[arg(long, default_value = "auto", value_name = "TYPE")]
    precision: Precision,
    /// How many tokens the layers see, as in `0-11:1024,12-23:4096`; off by default.
    #[arg(long, value_name = "LAYERS:TOKENS")]
    attention_windows: Option<AttentionWindows>,
    /// Merge a LoRA adapter in PEFT's format.
    #[arg(long, value_name = "FOLDER")]
    adapter: Option<PathBuf>,
    /// Context window of a remote model.
    #[arg(long, value_name = "TOKENS")]
    context_window: Option<usize>,
}

impl RunOptions {
    fn options(&self) -> Result<LoadOptions, Failure> {
        Ok(LoadOptions {
            device: self.device,
            precision: self.precision,
            attention_windows: self.attention_windows.clone(),
            adapter: self.adapter.as_deref().map(Adapter::open).transpose()?,
            context_window: self.context_window,
        })
    }

    /// A checkpoint's decoder, without a tokenizer.
    fn load_decoder(&self, path: &Path) -> Result<Decoder, Failure> {
        let options = self.options()?;
        let device = options.open_device()?;
        Ok(options.open_checkpoint(path)?.load(device, options.adapter)?)
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
        Command::Chat(chat) => chat.run().await,
        Command::Bench(benchmark) => benchmark.run().await,
        Command::Trace(trace) => trace.run(),
        Command::Tools(tools) => tools.run().await,
        Command::Python(python) => python.run().await,
        Command::Doctor(doctor) => doctor.run().await,
        Command::Setup(setup) => setup.run().await,
        Command::Model(ModelCommand::Inspect(inspect)) => inspect.run(),
        Command::Model(ModelCommand::Tokenize(tokenize)) => tokenize.run(),
        Command::Model(ModelCommand::Generate(generate)) => generate.run().await,
        Command::Model(ModelCommand::Verify(verify)) => verify.run(),
        Command::Model(ModelCommand::Bench(bench)) => bench.run(),
    };
    done.unwrap_or_else(|failure| failure.report())
}
