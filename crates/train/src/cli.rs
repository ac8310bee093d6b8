//! The commands.

mod data;
mod eval;
mod export;
mod fingerprint;
mod fit;
mod self_instruct;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use qianshou_agent::ReAct;
use qianshou_model::Checkpoint;
use qianshou_prompts::{Prompt, Prompts};
use qianshou_train::{Renderer, TrainError};

/// Teach a model to use tools.
#[derive(Debug, Parser)]
#[command(name = "qianshou-train", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make episodes from authored sources, with the built-in tools at work.
    Data(data::Data),
    /// Let a model make episodes of its own, with tools at work.
    SelfInstruct(self_instruct::SelfInstruct),
    /// Fine-tune a model on episodes.
    Fit(fit::Fit),
    /// Run episodes through the real agent, and measure what a model does with them.
    Eval(eval::Eval),
    /// Write what was trained as an adapter or a merged model.
    Export(export::Export),
}

pub(crate) fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Data(data) => data.run(),
        Command::SelfInstruct(self_instruct) => self_instruct.run(),
        Command::Fit(fit) => fit.run(),
        Command::Eval(eval) => eval.run(),
        Command::Export(export) => export.run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// What went wrong, in one line.
type Failure = Box<dyn Error + Send + Sync>;

/// Talks to the person: stdout is for what is asked for.
#[expect(clippy::print_stderr, reason = "the commands talk on stderr")]
fn say(text: &str) {
    eprintln!("{text}");
}

/// A renderer for a checkpoint, by the agent's own protocol and system message.
fn renderer<'a>(checkpoint: &Checkpoint, protocol: &'a ReAct) -> Result<Renderer<'a>, TrainError> {
    let tokenizer = checkpoint.tokenizer()?;
    let encoder = checkpoint.chat_encoder(&tokenizer)?;
    Ok(Renderer::new(protocol, encoder, tokenizer, Prompts::embedded().text(Prompt::System)))
}

/// Names of the files of a folder with data.
fn split_file(folder: &std::path::Path, split: &str) -> PathBuf {
    folder.join(format!("{split}.jsonl"))
}
