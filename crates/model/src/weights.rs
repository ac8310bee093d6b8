//! Weights from whatever file holds them, tensor by tensor, as F32 rows.
//!
//! Every source answers to Hugging Face names, so that layers and adapters know one naming. Projections
//! that read the same input (query, key and value; gate and up) are read into one stacked matrix: one
//! product a step instead of three.

mod dequantize;
mod gguf;
mod map;
mod pytorch;
mod safetensors;
mod shards;

use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor, TensorData};

pub(crate) use self::dequantize::dequantize;
pub(crate) use self::gguf::GgufFile;
pub use self::pytorch::PyTorchError;
pub(crate) use self::pytorch::PyTorchFiles;
pub(crate) use self::safetensors::{FLOATS, SafetensorsFiles, float_kind};
use crate::ModelError;
use crate::adapter::Adapter;

/// Named tensors that can be read as F32.
pub(crate) trait TensorSource: Send + Sync {
    /// The shape of a tensor, if it is there.
    fn shape(&self, name: &str) -> Option<&[usize]>;

    /// The type that a tensor is stored in, if it is there.
    fn kind(&self, name: &str) -> Option<String>;

    /// Reads a tensor into `out`, which has as many elements.
    fn read(&self, name: &str, out: &mut [f32]) -> Result<(), ModelError>;
}

/// The weights of a checkpoint with an adapter merged in, if any.
pub(crate) struct Weights {
    path: PathBuf,
    source: Box<dyn TensorSource>,
    adapter: Option<Adapter>,
}

impl Weights {
    /// Weights of the checkpoint at `path`.
    ///
    /// # Errors
    /// When the adapter changes a weight that is not there.
    pub(crate) fn new(
        path: &Path,
        source: Box<dyn TensorSource>,
        adapter: Option<Adapter>,
    ) -> Result<Self, ModelError> {
        if let Some(adapter) = &adapter {
            adapter.check(|name| source.shape(name).is_some())?;
        }
        Ok(Self { path: path.to_owned(), source, adapter })
    }

    /// Matrices `[rows, columns]` below each other as one tensor `[Σ rows, columns]`.
    pub(crate) fn stacked(
        &self,
        parts: &[(String, usize)],
        columns: usize,
        device: &Device,
    ) -> Result<Tensor<2>, ModelError> {
        let total: usize = parts.iter().map(|(_, rows)| rows).sum();
        let mut values = vec![0.0; total * columns];
        let mut rest = values.as_mut_slice();
        for (name, rows) in parts {
            let (part, after) = rest.split_at_mut(rows * columns);
            self.read(name, &[*rows, columns], part)?;
            rest = after;
        }
        Ok(Tensor::from_data(TensorData::new(values, [total, columns]), device))
    }

    /// One matrix.
    pub(crate) fn matrix(
        &self,
        name: &str,
        rows: usize,
        columns: usize,
        device: &Device,
    ) -> Result<Tensor<2>, ModelError> {
        self.stacked(&[(name.to_owned(), rows)], columns, device)
    }

    /// Vectors behind each other as one.
    pub(crate) fn vector(&self, parts: &[(String, usize)], device: &Device) -> Result<Tensor<1>, ModelError> {
        let total = parts.iter().map(|(_, length)| length).sum();
        let mut values = vec![0.0; total];
        let mut rest = values.as_mut_slice();
        for (name, length) in parts {
            let (part, after) = rest.split_at_mut(*length);
            self.read(name, &[*length], part)?;
            rest = after;
        }
        Ok(Tensor::from_data(TensorData::new(values, [total]), device))
    }

    fn read(&self, name: &str, expected: &[usize], out: &mut [f32]) -> Result<(), ModelError> {
        match self.source.shape(name) {
            None => {
                return Err(ModelError::MissingTensor { path: self.path.clone(), tensor: name.to_owned() });
            }
            Some(found) if found != expected => {
                return Err(ModelError::Shape {
                    path: self.path.clone(),
                    tensor: name.to_owned(),
                    found: found.to_vec(),
                    expected: expected.to_vec(),
                });
            }
            Some(_) => {}
        }
        self.source.read(name, out)?;
        match (&self.adapter, expected) {
            (Some(adapter), &[rows, columns]) => adapter.merge(name, rows, columns, out),
            _ => Ok(()),
        }
    }
}
