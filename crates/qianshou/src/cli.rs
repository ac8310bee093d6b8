//! The command line: what can be asked for, and how failures are told.
//!
//! Answers and data go to stdout, everything for people's eyes to stderr. Exit codes: 0 when there is an
//! answer, 2 for wrong usage, 1 otherwise.

mod ask;
mod bench;
mod failure;
mod generate;
mod progress;
mod setup;
mod steps;
mod tools;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};
use qianshou::ModelSpec;
use qianshou::model::{Adapter, DeviceChoice, Engine};

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
    /// `tiny`, a checkpoint folder, or a .gguf file.
    #[arg(long, value_name = "SPEC", default_value = "tiny")]
    model: ModelSpec,
    #[command(flatten)]
    run: RunOptions,
}

/// How a model runs, whichever it is.
#[derive(Debug, Args)]
struct RunOptions {
    /// Where to run: auto, cpu, wgpu or wgpu:N.
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

    async fn load(&self, model: &ModelSpec) -> Result<Arc<Engine>, Failure> {
        let bars = Bars::default();
        let engine = model.load(self.device, self.adapter()?, &|progress| bars.show(progress)).await;
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
        Command::Model(ModelCommand::Generate(generate)) => generate.run().await,
        Command::Model(ModelCommand::Verify(verify)) => verify.run(),
        Command::Model(ModelCommand::Bench(bench)) => bench.run(),
    };
    done.unwrap_or_else(|failure| failure.report())
}
