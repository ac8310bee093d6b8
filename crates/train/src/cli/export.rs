//! `export`: what was trained, for others.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use qianshou_model::Checkpoint;
use qianshou_train::{Trained, write_adapter, write_gguf, write_merged};

use super::{Failure, say};

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// An adapter in PEFT's format.
    Adapter,
    /// A checkpoint folder of Hugging Face, with what was trained in it.
    Merged,
    /// A GGUF file, with what was trained in it.
    Gguf,
}

/// How the matrices of a GGUF file are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Quantisation {
    /// 16 bits a weight.
    #[value(name = "f16")]
    F16,
    /// 8.5 bits a weight.
    #[value(name = "q8_0")]
    Q8_0,
    /// 4.5 bits a weight, embedding and head 8.5.
    #[value(name = "q4_0")]
    Q4_0,
}

impl From<Quantisation> for qianshou_train::Quantisation {
    fn from(quantisation: Quantisation) -> Self {
        match quantisation {
            Quantisation::F16 => Self::F16,
            Quantisation::Q8_0 => Self::Q8_0,
            Quantisation::Q4_0 => Self::Q4_0,
        }
    }
}

/// Write an adapter or a merged model.
#[derive(Debug, Args)]
pub(super) struct Export {
    /// The folder of the training, or of an adapter in PEFT's format.
    #[arg(long, value_name = "FOLDER")]
    run: PathBuf,
    /// The base that it was trained on.
    #[arg(long, value_name = "PATH")]
    base: PathBuf,
    /// What to write.
    #[arg(long, value_enum, default_value_t = Form::Adapter)]
    form: Form,
    /// How a GGUF file stores matrices.
    #[arg(long, value_enum, default_value_t = Quantisation::Q8_0)]
    quantisation: Quantisation,
    /// The name that others know the base by, as the hub has it; by default what `--base` says.
    #[arg(long, value_name = "NAME")]
    base_name: Option<String>,
    /// The folder to write, or the file of form `gguf`.
    #[arg(long, value_name = "PATH")]
    out: PathBuf,
}

impl Export {
    pub(super) fn run(self) -> Result<(), Failure> {
        let base = Checkpoint::open(&self.base)?;
        let Trained { parameters, lora, .. } = Trained::open(&self.run)?;
        let base_name = self.base_name.unwrap_or_else(|| self.base.display().to_string());
        match (self.form, lora) {
            (Form::Adapter, Some(lora)) => write_adapter(&self.out, &parameters, lora, &base_name)?,
            (Form::Adapter, None) => return Err("a full fine-tuning has no adapter; use --form merged".into()),
            (Form::Merged, lora) => write_merged(&self.out, &base, &parameters, lora)?,
            (Form::Gguf, lora) => write_gguf(&self.out, &base, &parameters, lora, self.quantisation.into())?,
        }
        say(&format!("it is in {}", self.out.display()));
        Ok(())
    }
}
