//! Opening what people have: a Hugging Face folder or a GGUF file.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use qianshou_gguf::Gguf;
use qianshou_tokenizer::{ChatMl, ChatTemplate, Tokenizer};

use crate::chat_settings::{ChatEncoder, ChatFormat, ChatSettings};
use crate::names::Names;
use crate::weights::{GgufFile, PyTorchFiles, SafetensorsFiles, TensorSource, Tensors, Weights};
use crate::{Adapter, AttentionWindows, ComputeDevice, Decoder, Family, ModelConfig, ModelError};

/// A checkpoint whose configuration was read, and whose weights were not yet.
///
/// ```no_run
/// use std::path::Path;
///
/// use qianshou_model::{Checkpoint, ComputeDevice};
///
/// let checkpoint = Checkpoint::open(Path::new("Qwen2.5-0.5B-Instruct"))?;
/// let tokenizer = checkpoint.tokenizer()?;
/// let decoder = checkpoint.load(ComputeDevice::cpu(), None)?;
/// # Ok::<(), qianshou_model::ModelError>(())
/// ```
#[derive(Debug)]
pub struct Checkpoint {
    path: PathBuf,
    config: ModelConfig,
    files: Files,
}

#[derive(Debug)]
enum Files {
    Folder,
    Gguf { file: Arc<File>, gguf: Arc<Gguf> },
}

impl Checkpoint {
    /// Opens a folder with `config.json` and weights (safetensors, else files of `torch.save`), or a `.gguf`
    /// file.
    ///
    /// # Errors
    /// [`ModelError::NotACheckpoint`] with what was expected, or what is wrong with the configuration.
    pub fn open(path: &Path) -> Result<Self, ModelError> {
        let not_a_checkpoint =
            |expected: &str| ModelError::NotACheckpoint { path: path.to_owned(), expected: expected.to_owned() };
        if path.is_dir() {
            let config_path = path.join("config.json");
            if !config_path.exists() {
                return Err(not_a_checkpoint("a `config.json` in the folder"));
            }
            let text = std::fs::read(&config_path).map_err(ModelError::io(&config_path))?;
            let json = serde_json::from_slice(&text)
                .map_err(|error| ModelError::Damaged { path: config_path.clone(), reason: error.to_string() })?;
            let config = ModelConfig::from_hugging_face(&json, &config_path)?;
            return Ok(Self { path: path.to_owned(), config, files: Files::Folder });
        }
        if !path.exists() {
            return Err(not_a_checkpoint("a folder or a `.gguf` file, and nothing is there"));
        }
        let (file, gguf) = GgufFile::read_header(path)?;
        let config = ModelConfig::from_gguf(&gguf, path)?;
        let files = Files::Gguf { file: Arc::new(file), gguf: Arc::new(gguf) };
        Ok(Self { path: path.to_owned(), config, files })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its shape.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// The header of its file, where it is a GGUF file.
    pub fn gguf(&self) -> Option<&Gguf> {
        match &self.files {
            Files::Folder => None,
            Files::Gguf { gguf, .. } => Some(gguf),
        }
    }

    /// The checkpoint with attention windows by layer, in place of those that it brings.
    ///
    /// # Errors
    /// [`ModelError::Windows`] when the model has fewer layers.
    pub fn with_attention_windows(mut self, windows: &AttentionWindows) -> Result<Self, ModelError> {
        self.config.windows = windows.of_layers(self.config.layers)?;
        Ok(self)
    }

    /// Its tokenizer: `tokenizer.json` of the folder, or the vocabulary inside the GGUF.
    ///
    /// # Errors
    /// [`ModelError::Tokenizer`] when it is missing or not of a kind that is supported.
    pub fn tokenizer(&self) -> Result<Tokenizer, ModelError> {
        let tokenizer = match &self.files {
            Files::Folder => Tokenizer::from_folder(&self.path),
            Files::Gguf { gguf, .. } => Tokenizer::from_gguf(gguf),
        };
        let tokenizer = tokenizer.map_err(|source| ModelError::Tokenizer { path: self.path.clone(), source })?;
        if tokenizer.vocabulary_size() > self.config.vocabulary_size {
            return Err(ModelError::Config {
                path: self.path.clone(),
                field: "vocabulary size".to_owned(),
                problem: format!(
                    "is {}, but the tokenizer has {} entries; are both of the same checkpoint?",
                    self.config.vocabulary_size,
                    tokenizer.vocabulary_size()
                ),
            });
        }
        Ok(tokenizer)
    }

    /// How conversations become the token ids that an [`Engine`](crate::Engine) of this checkpoint computes with:
    /// what a trainer has to show the model.
    ///
    /// # Errors
    /// When the chat template is damaged, or the checkpoint has no chat format (a base model without ChatML's
    /// tokens).
    pub fn chat_encoder(&self, tokenizer: &Tokenizer) -> Result<ChatEncoder, ModelError> {
        let format = self.chat_settings(tokenizer)?.format;
        format.map(ChatEncoder::new).ok_or_else(|| ModelError::NotACheckpoint {
            path: self.path.clone(),
            expected: "a chat template, or the tokens of ChatML".to_owned(),
        })
    }

    /// How the checkpoint wants to be talked to: Qwen 1 in its own ChatML, others by the template that they
    /// bring, else in ChatML where the vocabulary has its tokens.
    pub(crate) fn chat_settings(&self, tokenizer: &Tokenizer) -> Result<ChatSettings, ModelError> {
        let template = match &self.files {
            Files::Folder => ChatTemplate::from_folder(&self.path, tokenizer),
            Files::Gguf { gguf, .. } => ChatTemplate::from_gguf(gguf, tokenizer),
        };
        let template = template.map_err(|error| ModelError::Damaged {
            path: self.path.clone(),
            reason: format!("chat template: {error}"),
        })?;
        let format = match template {
            _ if self.config.family == Family::Qwen1 => ChatMl::qwen(tokenizer).ok().map(ChatFormat::ChatMl),
            Some(template) => Some(ChatFormat::Template(template)),
            None => ChatMl::new(tokenizer).ok().map(ChatFormat::ChatMl),
        };
        let settings = ChatSettings::new(format, tokenizer);
        match &self.files {
            Files::Folder => settings.with_tokenizer_config(&self.path, tokenizer)?.with_generation_config(&self.path),
            Files::Gguf { gguf, .. } => settings
                .with_gguf(gguf, tokenizer)
                .map_err(|source| ModelError::Gguf { path: self.path.clone(), source }),
        }
    }

    /// Reads the weights onto `device`, tensor by tensor, with `adapter` merged in.
    ///
    /// On a CPU, F32 weights stay in the file, of which only a map is held: the file must not be written to
    /// while the decoder lives (to replace it by another of its name does no harm).
    ///
    /// # Errors
    /// A missing or damaged file or tensor, or an adapter that does not fit.
    pub fn load(self, device: ComputeDevice, adapter: Option<Adapter>) -> Result<Decoder, ModelError> {
        let weights = Weights::new(&self.path, &self.config, self.source()?, adapter)?;
        Decoder::load(self.config, &weights, device)
    }

    /// The tensors of the checkpoint as F32, for those who compute with them in another way than a [`Decoder`]
    /// does, with `adapter` merged in.
    ///
    /// # Errors
    /// A missing or damaged file, or an adapter that does not fit.
    pub fn tensors(&self, adapter: Option<Adapter>) -> Result<Tensors, ModelError> {
        Ok(Tensors::new(Weights::new(&self.path, &self.config, self.source()?, adapter)?))
    }

    /// What the files hold and what is missing, by their headers alone.
    ///
    /// # Errors
    /// When a file with weights is missing or damaged.
    pub fn inspect(&self) -> Result<Inspection, ModelError> {
        let source = self.source()?;
        let mut inspection = Inspection { kinds: BTreeMap::new(), missing: Vec::new() };
        for name in Names::new(&self.config).all(&self.config) {
            match source.kind(&name) {
                Some(kind) => *inspection.kinds.entry(kind).or_default() += 1,
                None => inspection.missing.push(name),
            }
        }
        Ok(inspection)
    }

    fn source(&self) -> Result<Box<dyn TensorSource>, ModelError> {
        Ok(match &self.files {
            Files::Folder => folder_source(&self.path)?,
            Files::Gguf { file, gguf } => {
                Box::new(GgufFile::new(&self.path, Arc::clone(file), Arc::clone(gguf), &self.config))
            }
        })
    }
}

/// The weights of a folder: safetensors, else files of `torch.save`.
fn folder_source(folder: &Path) -> Result<Box<dyn TensorSource>, ModelError> {
    if let Some(files) = SafetensorsFiles::open_folder(folder)? {
        return Ok(Box::new(files));
    }
    if let Some(files) = PyTorchFiles::open_folder(folder)? {
        return Ok(Box::new(files));
    }
    let expected = "`model.safetensors` or `pytorch_model.bin` in the folder, or shards with their index".to_owned();
    Err(ModelError::NotACheckpoint { path: folder.to_owned(), expected })
}

/// What a checkpoint's files hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// How many of the model's tensors are stored in which type.
    pub kinds: BTreeMap<String, usize>,
    /// Tensors that the model needs and the files do not have.
    pub missing: Vec<String>,
}

/// The tokenizer of a folder (which may hold nothing else) or of a GGUF file of any architecture.
///
/// # Errors
/// [`ModelError::Tokenizer`] when there is none of a kind that is supported.
pub fn open_tokenizer(path: &Path) -> Result<Tokenizer, ModelError> {
    let tokenizer = if path.is_dir() {
        Tokenizer::from_folder(path)
    } else {
        Tokenizer::from_gguf(&GgufFile::read_header(path)?.1)
    };
    tokenizer.map_err(|source| ModelError::Tokenizer { path: path.to_owned(), source })
}
