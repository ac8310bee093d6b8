//! A merged model as a GGUF file.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use qianshou_gguf::{GgufWriter, NewTensor, TensorKind, Value};
use qianshou_model::{Checkpoint, ModelConfig, Names, gguf_tensor, quantize};

use super::metadata::metadata;
use super::{check, trained_values};
use crate::parameters::shapes;
use crate::{Lora, Parameter, TrainError};

/// How the matrices of a GGUF file are stored; vectors stay F32, and rows that are no whole blocks F16.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantisation {
    /// 16 bits a weight.
    F16,
    /// 8.5 bits a weight.
    Q8_0,
    /// 4.5 bits a weight; embedding and head, where they cost most, in `Q8_0`.
    Q4_0,
}

impl Quantisation {
    fn kind(self, config: &ModelConfig, name: &str, shape: &[usize]) -> TensorKind {
        let names = Names::new(config);
        let is_outer = [names.embedding(), names.head()].iter().any(|stem| name.strip_suffix(".weight") == Some(stem));
        let kind = match self {
            _ if shape.len() < 2 => return TensorKind::F32,
            Self::F16 => TensorKind::F16,
            Self::Q4_0 if !is_outer => TensorKind::Q4_0,
            Self::Q8_0 | Self::Q4_0 => TensorKind::Q8_0,
        };
        let whole = kind.block_len().zip(shape.last()).is_some_and(|(block, columns)| columns.is_multiple_of(block));
        if whole { kind } else { TensorKind::F16 }
    }

    /// The number that stands for it in `general.file_type`.
    fn file_type(self) -> u32 {
        match self {
            Self::F16 => 1,
            Self::Q4_0 => 2,
            Self::Q8_0 => 7,
        }
    }
}

/// Writes a GGUF file with what was trained in it. Its metadata (shape, tokenizer, chat template) are those of a
/// base that is a GGUF file; of a folder of Hugging Face they are made, where its vocabulary is a byte-level one of
/// a kind that GGUF has a name for. A file that is there is replaced in one go.
///
/// # Errors
/// When the base cannot be put into GGUF, is `path` itself or of another shape than what was trained, or a file cannot
/// be read or written.
pub fn write_gguf(
    path: &Path,
    base: &Checkpoint,
    parameters: &[Parameter],
    lora: Option<Lora>,
    quantisation: Quantisation,
) -> Result<(), TrainError> {
    let config = base.config();
    let shapes = shapes(config);
    check(path, base.path(), &shapes, parameters, lora)?;
    let mut metadata = metadata(base)?;
    metadata.insert("general.file_type".to_owned(), Value::U32(quantisation.file_type()));
    metadata.insert("general.quantization_version".to_owned(), Value::U32(2));
    let unknown = |name: &str| TrainError::setting("the base", format!("GGUF has no name for its `{name}`"));
    let mut layout = Vec::new();
    for (name, shape) in &shapes {
        let (stored, _) = gguf_tensor(config, name, Vec::new()).ok_or_else(|| unknown(name))?;
        layout.push(NewTensor { name: stored, shape: shape.clone(), kind: quantisation.kind(config, name, shape) });
    }
    let part = path.with_extension("part");
    let file = BufWriter::new(File::create(&part).map_err(TrainError::io(&part))?);
    let entries = metadata.iter().map(|(key, value)| (key.as_str(), value));
    let mut writer = GgufWriter::begin(file, entries, &layout).map_err(TrainError::io(path))?;
    let tensors = base.tensors(None)?;
    for ((name, shape), tensor) in shapes.iter().zip(&layout) {
        let values = trained_values(&tensors, name, shape, parameters, lora)?;
        let (_, values) = gguf_tensor(config, name, values).ok_or_else(|| unknown(name))?;
        let bytes = quantize(tensor.kind, &values).ok_or_else(|| unknown(name))?;
        writer.tensor(&bytes).map_err(TrainError::io(path))?;
    }
    writer.finish().map_err(TrainError::io(path))?;
    std::fs::rename(&part, path).map_err(TrainError::io(path))
}
