//! `export`: what was trained, for others.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use qianshou_model::Checkpoint;
use qianshou_train::{State, write_adapter, write_merged};

use super::{Failure, say};

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// An adapter in PEFT's format.
    Adapter,
    /// A checkpoint folder of Hugging Face, with the adapter merged in.
    Merged,
}

/// Write an adapter or a merged model.
#[derive(Debug, Args)]
pub(super) struct Export {
    /// The folder of the training.
    #[arg(long, value_name = "FOLDER")]
    run: PathBuf,
    /// The base that it was trained on.
    #[arg(long, value_name = "PATH")]
    base: PathBuf,
    /// What to write.
    #[arg(long, value_enum, default_value_t = Form::Adapter)]
    form: Form,
    /// The name that others know the base by.
    #[arg(long, default_value = "HuggingFaceTB/SmolLM2-135M-Instruct")]
    base_name: String,
    /// The folder to write.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
}

impl Export {
    pub(super) fn run(self) -> Result<(), Failure> {
        let base = Checkpoint::open(&self.base)?;
        let (state, settings, _) = State::open(&self.run.join("state.safetensors"))?;
        let lora = settings.lora();
        match (self.form, lora) {
            (Form::Adapter, Some(lora)) => write_adapter(&self.out, &state.parameters, lora, &self.base_name)?,
            (Form::Adapter, None) => return Err("a full fine-tuning has no adapter; use --form merged".into()),
            (Form::Merged, lora) => write_merged(&self.out, &base, &state.parameters, lora)?,
        }
        say(&format!("step {} is in {}", state.step, self.out.display()));
        Ok(())
    }
}
