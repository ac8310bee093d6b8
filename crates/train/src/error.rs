//! What can go wrong between data and a trained model.

use std::io;
use std::path::PathBuf;

use qianshou_agent::{BuildError, PluginError, RunError};
use qianshou_chat::ChatError;
use qianshou_model::ModelError;

/// Data, settings or files that cannot be used. Every message says where, what, and how to mend it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// A file could not be read or written.
    #[error("cannot use {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A line of a file with data is not what was expected.
    #[error("{path}:{line}: {reason}")]
    Data {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// The base model cannot be used.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A conversation cannot be put into the chat format of the base model.
    #[error("an episode cannot be encoded: {0}")]
    Chat(#[from] ChatError),
    /// An agent cannot be built of these tools.
    #[error("the tools cannot be offered: {0}")]
    Tools(#[from] BuildError),
    /// The description of a tool cannot be used.
    #[error("a tool cannot be offered: {0}")]
    Tool(#[from] PluginError),
    /// A run of the agent failed.
    #[error("a run failed: {0}")]
    Run(#[from] RunError),
    /// Settings that do not fit each other, or the model.
    #[error("{setting} cannot be used: {reason}")]
    Setting {
        /// The setting.
        setting: &'static str,
        /// Why not, and what can be used.
        reason: String,
    },
    /// A checkpoint of a training does not belong to it.
    #[error("{path} cannot be resumed: {reason}; start in an empty folder, or with the settings of that training")]
    Resume {
        /// The checkpoint.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// A computation gave no number.
    #[error("step {step}: {what} is not finite; lower the learning rate")]
    NotFinite {
        /// The step, counted from 1.
        step: usize,
        /// The loss or the gradient.
        what: &'static str,
    },
    /// The device failed.
    #[error("the computation failed: {reason}")]
    Computation {
        /// What it says.
        reason: String,
    },
}

impl TrainError {
    /// Turns an I/O error at `path` into this type, for `map_err`.
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }

    /// A setting that cannot be used.
    pub(crate) fn setting(setting: &'static str, reason: impl Into<String>) -> Self {
        Self::Setting { setting, reason: reason.into() }
    }
}
