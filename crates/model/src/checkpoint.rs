//! Opening what people have: a Hugging Face folder or a GGUF file.

use std::path::{Path, PathBuf};

use qianshou_gguf::Gguf;
use qianshou_tokenizer::Tokenizer;

use crate::weights::{GgufFile, SafetensorsFiles, TensorSource, Weights};
use crate::{Adapter, ComputeDevice, Decoder, ModelConfig, ModelError};

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
    Gguf { file: std::fs::File, gguf: Gguf },
}

impl Checkpoint {
    /// Opens a folder with `config.json` and safetensors, or a `.gguf` file.
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
        Ok(Self { path: path.to_owned(), config, files: Files::Gguf { file, gguf } })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its shape.
    pub fn config(&self) -> &ModelConfig {
        &self.config
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

    /// Reads the weights onto `device`, tensor by tensor, with `adapter` merged in.
    ///
    /// # Errors
    /// A missing or damaged file or tensor, or an adapter that does not fit.
    pub fn load(self, device: ComputeDevice, adapter: Option<Adapter>) -> Result<Decoder, ModelError> {
        let source: Box<dyn TensorSource> = match self.files {
            Files::Folder => Box::new(SafetensorsFiles::open_folder(&self.path)?),
            Files::Gguf { file, gguf } => Box::new(GgufFile::new(&self.path, file, gguf, &self.config)),
        };
        let weights = Weights::new(&self.path, source, adapter)?;
        Decoder::load(self.config, &weights, device)
    }
}
