//! From a SPEC, as people write it, to a running model.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use qianshou_model::{Adapter, Checkpoint, ComputeDevice, DeviceChoice, Engine, ModelError};

use crate::base::{BaseError, Progress};
use crate::load_tiny;

/// Which model to run: `tiny`, a checkpoint folder, or a `.gguf` file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ModelSpec {
    /// The default model.
    #[default]
    Tiny,
    /// A checkpoint on disk.
    Path(PathBuf),
}

impl fmt::Display for ModelSpec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tiny => formatter.write_str("tiny"),
            Self::Path(path) => path.display().fmt(formatter),
        }
    }
}

impl FromStr for ModelSpec {
    type Err = LoadError;

    fn from_str(text: &str) -> Result<Self, LoadError> {
        match text {
            "tiny" => Ok(Self::Tiny),
            _ if PathBuf::from(text).exists() => Ok(Self::Path(text.into())),
            _ => Err(LoadError::UnknownSpec(text.to_owned())),
        }
    }
}

/// Why a model could not be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// Neither a known name nor a path that exists.
    #[error("`{0}` is no model; use `tiny`, a checkpoint folder, or a .gguf file")]
    UnknownSpec(String),
    /// The base of the default model cannot be had.
    #[error(transparent)]
    Base(#[from] BaseError),
    /// The checkpoint, the adapter or the device cannot be used.
    #[error(transparent)]
    Model(#[from] ModelError),
}

impl LoadError {
    /// What the user can do about it, where the message does not say so itself.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Base(error) => Some(error.hint()),
            Self::UnknownSpec(_) | Self::Model(_) => None,
        }
    }
}

impl ModelSpec {
    /// Loads the model and starts its engine. Needs a Tokio runtime.
    ///
    /// # Errors
    /// What is wrong with the checkpoint, the adapter or the device.
    pub async fn load(
        &self,
        device: DeviceChoice,
        adapter: Option<Adapter>,
        report: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Arc<Engine>, LoadError> {
        match self {
            Self::Tiny => load_tiny(device, adapter, report).await,
            Self::Path(path) => {
                let checkpoint = Checkpoint::open(path)?;
                let tokenizer = checkpoint.tokenizer()?;
                let decoder = checkpoint.load(ComputeDevice::open(device)?, adapter)?;
                let name = path.file_name().map_or_else(|| self.to_string(), |name| name.to_string_lossy().into());
                Ok(Arc::new(Engine::start(name, decoder, tokenizer)?))
            }
        }
    }
}
