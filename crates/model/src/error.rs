//! Why a checkpoint could not be loaded.

use std::io;
use std::path::{Path, PathBuf};

use qianshou_chat::{ChatError, ChatErrorKind};

/// A checkpoint, adapter or device that cannot be used. Every message names the file and what in it,
/// and says what was expected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A file could not be read.
    #[error("cannot read {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The path is neither a checkpoint folder nor a GGUF file.
    #[error("{path} is no checkpoint: expected {expected}")]
    NotACheckpoint {
        /// The path as given.
        path: PathBuf,
        /// What would be accepted.
        expected: String,
    },
    /// A file is malformed or truncated.
    #[error("{path} is damaged: {reason}; fetch the file again")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A GGUF file is malformed or truncated.
    #[error("{path}: {source}")]
    Gguf {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and how to mend it.
        source: qianshou_gguf::GgufError,
    },
    /// A file of `torch.save` is malformed, or holds something else than tensors.
    #[error("{path}: {source}")]
    PyTorch {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and how to mend it.
        source: crate::PyTorchError,
    },
    /// A field of the configuration is missing or out of range.
    #[error("{path}: `{field}` {problem}")]
    Config {
        /// `config.json`, or the GGUF file.
        path: PathBuf,
        /// The field as it is spelled there.
        field: String,
        /// What is wrong and what was expected.
        problem: String,
    },
    /// A model family that this crate does not run.
    #[error("{path}: model family `{family}` is not supported; supported: qwen, qwen2, qwen3 and llama")]
    UnsupportedFamily {
        /// `config.json`, or the GGUF file.
        path: PathBuf,
        /// The family as it is spelled there.
        family: String,
    },
    /// A tensor is not there.
    #[error("{path}: tensor `{tensor}` is missing; the checkpoint is incomplete")]
    MissingTensor {
        /// The checkpoint.
        path: PathBuf,
        /// Name of the tensor.
        tensor: String,
    },
    /// A shard that the index names is not there.
    #[error("{path} is missing, and {index} lists it for `{tensor}`; fetch the missing shard")]
    MissingShard {
        /// The shard.
        path: PathBuf,
        /// The index file.
        index: PathBuf,
        /// A tensor that the shard should hold.
        tensor: String,
    },
    /// A tensor has another shape than the configuration says.
    #[error("{path}: tensor `{tensor}` has shape {found:?}, expected {expected:?} by the configuration")]
    Shape {
        /// The checkpoint.
        path: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// Its shape.
        found: Vec<usize>,
        /// The shape that the configuration asks for.
        expected: Vec<usize>,
    },
    /// A tensor is stored in a type that cannot be read.
    #[error("{path}: tensor `{tensor}` is stored as {kind}, supported: {supported}")]
    TensorKind {
        /// The checkpoint.
        path: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// Its type.
        kind: String,
        /// The types that can be read.
        supported: &'static str,
    },
    /// An adapter does not fit the model.
    #[error("adapter {path} does not fit this model: {reason}")]
    Adapter {
        /// The adapter's folder.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// A device cannot be used.
    #[error("device `{device}` cannot be used: {reason}")]
    Device {
        /// The device as asked for.
        device: String,
        /// Why not, and what can be used instead.
        reason: String,
    },
    /// Weights cannot be held in the precision asked for.
    #[error("this precision cannot be used: {reason}")]
    Precision {
        /// Why not, and what can be used instead.
        reason: String,
    },
    /// Attention windows do not fit the model.
    #[error("attention windows `{windows}` cannot be used: {reason}")]
    Windows {
        /// The windows as given.
        windows: String,
        /// What is wrong with them, and what was expected.
        reason: String,
    },
    /// Tokens that cannot be computed.
    #[error("the tokens cannot be computed: {reason}")]
    Tokens {
        /// What is wrong with them.
        reason: String,
    },
    /// A computation failed on its device.
    #[error("the computation failed: {reason}")]
    Computation {
        /// What the device says.
        reason: String,
    },
    /// The checkpoint's vocabulary cannot be used.
    #[error("{}", at(path, source))]
    Tokenizer {
        /// The checkpoint.
        path: PathBuf,
        /// What the tokenizer says.
        source: qianshou_tokenizer::TokenizerError,
    },
}

/// The error with its path in front, unless it names the path itself.
fn at(path: &Path, source: &dyn std::error::Error) -> String {
    let message = source.to_string();
    let path = path.display().to_string();
    if message.contains(&path) { message } else { format!("{path}: {message}") }
}

impl ModelError {
    /// Turns an I/O error at `path` into this type, for `map_err`.
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}

/// What goes wrong while a reply is computed.
impl From<ModelError> for ChatError {
    fn from(error: ModelError) -> Self {
        Self::new(ChatErrorKind::Failed, error.to_string())
    }
}
