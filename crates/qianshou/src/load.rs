//! From a SPEC, as people write it, to a running model.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use qianshou_chat::{ChatModel, RecordingError, Replay};
use qianshou_model::{
    Adapter, AttentionWindows, Checkpoint, Completion, ComputeDevice, DeviceChoice, Engine, ModelError, Precision,
};
use qianshou_remote::{RemoteError, RemoteSpec};

use crate::base::{BaseError, Progress};
use crate::load_tiny;

/// Which model to run: `tiny`, a checkpoint folder, a `.gguf` file, `remote:NAME@URL`, or `replay:FILE`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ModelSpec {
    /// The default model.
    #[default]
    Tiny,
    /// A checkpoint on disk.
    Path(PathBuf),
    /// A model behind an OpenAI-compatible endpoint.
    Remote(RemoteSpec),
    /// A recording, which answers the requests that it holds without a model.
    Replay(PathBuf),
}

impl fmt::Display for ModelSpec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tiny => formatter.write_str("tiny"),
            Self::Path(path) => path.display().fmt(formatter),
            Self::Remote(spec) => write!(formatter, "remote:{spec}"),
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
        if let Some(spec) = text.strip_prefix("remote:") {
            return Ok(Self::Remote(spec.parse()?));
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
    #[error("`{0}` is no model; use `tiny`, a checkpoint folder, a .gguf file, `remote:NAME@URL`, or `replay:FILE`")]
    UnknownSpec(String),
    /// The base of the default model cannot be had.
    #[error(transparent)]
    Base(#[from] BaseError),
    /// A recording cannot be read or written.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// A remote model's name, endpoint or key cannot be used.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// A remote model was asked to continue a plain text.
    #[error("a remote model answers chats and does not continue a plain text")]
    NoCompletion,
    /// An adapter or attention windows, for a model that does not compute in this process.
    #[error("{0} cannot change a model that does not run in this process")]
    OnlyLocal(&'static str),
    /// A context window, for a model that brings its own.
    #[error("a context window can be given for remote models alone; others bring their own")]
    OnlyRemote,
    /// The checkpoint, the adapter or the device cannot be used.
    #[error(transparent)]
    Model(#[from] ModelError),
}

impl LoadError {
    /// What the user can do about it, where the message does not say so itself.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Base(error) => Some(error.hint()),
            Self::NoCompletion => Some("ask for a chat (`--chat`)"),
            Self::OnlyLocal(_) => Some("leave it out, or name `tiny`, a checkpoint folder or a .gguf file"),
            Self::OnlyRemote => Some("leave `--context-window` out"),
            Self::UnknownSpec(_) | Self::Recording(_) | Self::Remote(_) | Self::Model(_) => None,
        }
    }
}

/// Where and how a model runs. All but the last are for models in this process, the last for remote ones.
#[derive(Debug, Default)]
pub struct LoadOptions {
    /// Where.
    pub device: DeviceChoice,
    /// In which type weights are held.
    pub precision: Precision,
    /// Attention windows by layer, in place of those that the checkpoint brings.
    pub attention_windows: Option<AttentionWindows>,
    /// Merged into the weights.
    pub adapter: Option<Adapter>,
    /// Context window of a remote model, in tokens: servers do not tell.
    pub context_window: Option<usize>,
}

impl LoadOptions {
    /// Opens the device.
    ///
    /// # Errors
    /// When it is not there, or does not compute in the precision.
    pub fn open_device(&self) -> Result<ComputeDevice, ModelError> {
        ComputeDevice::open(self.device)?.with_precision(self.precision)
    }

    /// Opens a checkpoint, with the attention windows asked for.
    ///
    /// # Errors
    /// What is wrong with it, or windows that do not fit.
    pub fn open_checkpoint(&self, path: &Path) -> Result<Checkpoint, ModelError> {
        let checkpoint = Checkpoint::open(path)?;
        match &self.attention_windows {
            Some(windows) => checkpoint.with_attention_windows(windows),
            None => Ok(checkpoint),
        }
    }
}

impl ModelSpec {
    /// Whether the model computes in this process.
    pub fn is_local(&self) -> bool {
        matches!(self, Self::Tiny | Self::Path(_))
    }

    /// Loads the model for chat, or opens the recording. Needs a Tokio runtime.
    ///
    /// # Errors
    /// What is wrong with the checkpoint, the options or the recording.
    pub async fn load(
        &self,
        options: LoadOptions,
        report: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Arc<dyn ChatModel>, LoadError> {
        self.open(options, report, |engine| engine).await
    }

    /// As [`load`](Self::load), but the model continues the text of the messages without any chat format.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub async fn load_completion(
        &self,
        options: LoadOptions,
        report: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Arc<dyn ChatModel>, LoadError> {
        if let Self::Remote(_) = self {
            return Err(LoadError::NoCompletion);
        }
        self.open(options, report, |engine| Arc::new(Completion::new(engine))).await
    }

    /// Loads the model's engine; a model that does not compute in this process has none.
    ///
    /// # Errors
    /// What is wrong with the checkpoint or the options.
    pub async fn load_engine(
        &self,
        options: LoadOptions,
        report: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Option<Arc<Engine>>, LoadError> {
        self.check(&options)?;
        match self {
            Self::Remote(_) | Self::Replay(_) => Ok(None),
            Self::Tiny => load_tiny(options, report).await.map(Some),
            Self::Path(path) => load_path(path, options).map(Some),
        }
    }

    /// Refuses what would change nothing: whoever reads of it would believe that it did.
    fn check(&self, options: &LoadOptions) -> Result<(), LoadError> {
        if options.context_window.is_some() && !matches!(self, Self::Remote(_)) {
            return Err(LoadError::OnlyRemote);
        }
        if options.adapter.is_some() && !self.is_local() {
            return Err(LoadError::OnlyLocal("an adapter"));
        }
        if options.attention_windows.is_some() && !self.is_local() {
            return Err(LoadError::OnlyLocal("attention windows"));
        }
        Ok(())
    }

    async fn open(
        &self,
        options: LoadOptions,
        report: &(dyn Fn(Progress) + Send + Sync),
        serve: fn(Arc<Engine>) -> Arc<dyn ChatModel>,
    ) -> Result<Arc<dyn ChatModel>, LoadError> {
        self.check(&options)?;
        match self {
            Self::Replay(path) => Ok(Arc::new(Replay::open(path)?)),
            Self::Remote(spec) => {
                let builder = spec.builder();
                let builder = match options.context_window {
                    Some(tokens) => builder.context_window(tokens),
                    None => builder,
                };
                Ok(Arc::new(builder.build()?))
            }
            Self::Tiny => Ok(serve(load_tiny(options, report).await?)),
            Self::Path(path) => Ok(serve(load_path(path, options)?)),
        }
    }
}

/// Loads a checkpoint, named after its file or folder.
fn load_path(path: &Path, options: LoadOptions) -> Result<Arc<Engine>, LoadError> {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let device = options.open_device()?;
    let checkpoint = options.open_checkpoint(path)?;
    Ok(Arc::new(Engine::load(name, checkpoint, device, options.adapter)?))
}
