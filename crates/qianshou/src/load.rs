//! From a SPEC, as people write it, to a running model.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use qianshou_chat::{ChatModel, RecordingError, Replay};
use qianshou_model::{Adapter, Checkpoint, ComputeDevice, DeviceChoice, Engine, ModelError};

use crate::base::{BaseError, Progress};
use crate::load_tiny;

/// Which model to run: `tiny`, a checkpoint folder, a `.gguf` file, or `replay:FILE`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ModelSpec {
    /// The default model.
    #[default]
    Tiny,
    /// A checkpoint on disk.
    Path(PathBuf),
    /// A recording, which answers the requests that it holds without a model.
    Replay(PathBuf),
}

impl fmt::Display for ModelSpec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tiny => formatter.write_str("tiny"),
            Self::Path(path) => path.display().fmt(formatter),
            Self::Replay(path) => write!(formatter, "replay:{}", path.display()),
        }
    }
}

impl FromStr for ModelSpec {
    type Err = LoadError;

    fn from_str(text: &str) -> Result<Self, LoadError> {
        if let Some(path) = text.strip_prefix("replay:") {
            return Ok(Self::Replay(path.into()));
        }
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
    #[error("`{0}` is no model; use `tiny`, a checkpoint folder, a .gguf file, or `replay:FILE`")]
    UnknownSpec(String),
    /// The base of the default model cannot be had.
    #[error(transparent)]
    Base(#[from] BaseError),
    /// A recording cannot be read or written.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// A recording was asked for what only a model in this process can do.
    #[error("a recording holds chat exchanges, and no model that could continue a plain text")]
    NoEngine,
    /// The checkpoint, the adapter or the device cannot be used.
    #[error(transparent)]
    Model(#[from] ModelError),
}

impl LoadError {
    /// What the user can do about it, where the message does not say so itself.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Base(error) => Some(error.hint()),
            Self::NoEngine => Some("use a checkpoint, or ask for a chat"),
            Self::UnknownSpec(_) | Self::Recording(_) | Self::Model(_) => None,
        }
    }
}

impl ModelSpec {
    /// Loads the model, or opens the recording. Needs a Tokio runtime.
    ///
    /// # Errors
    /// As [`load_engine`](Self::load_engine), and what is wrong with the recording.
    pub async fn load(
        &self,
        device: DeviceChoice,
        adapter: Option<Adapter>,
        report: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Arc<dyn ChatModel>, LoadError> {
        match self {
            Self::Replay(path) => Ok(Arc::new(Replay::open(path)?)),
            Self::Tiny | Self::Path(_) => Ok(self.load_engine(device, adapter, report).await?),
        }
    }

    /// Loads the model and starts its engine. Needs a Tokio runtime.
    ///
    /// # Errors
    /// What is wrong with the checkpoint, the adapter or the device; [`LoadError::NoEngine`] for a recording.
    pub async fn load_engine(
        &self,
        device: DeviceChoice,
        adapter: Option<Adapter>,
        report: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Arc<Engine>, LoadError> {
        match self {
            Self::Tiny => load_tiny(device, adapter, report).await,
            Self::Path(path) => {
                let name = path.file_name().map_or_else(|| self.to_string(), |name| name.to_string_lossy().into());
                let device = ComputeDevice::open(device)?;
                Ok(Arc::new(Engine::load(name, Checkpoint::open(path)?, device, adapter)?))
            }
            Self::Replay(_) => Err(LoadError::NoEngine),
        }
    }
}
