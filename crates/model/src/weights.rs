//! Weights from whatever file holds them, straight into the form in which they are held.
//!
//! Every source answers to Hugging Face names, so that layers and adapters know one naming. Projections
//! that read the same input (query, key and value; gate and up) are read into one stacked matrix: one
//! product a step instead of three.
//!
//! Never is more in memory than the weights and a slab of one tensor. A tensor that the file holds just as it
//! is needed is not copied at all: the CPU computes with the file's own pages.

mod dequantize;
mod gguf;
mod map;
mod pytorch;
mod quantize;
mod safetensors;
mod shards;
mod tensors;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use burn::tensor::{AllocationProperty, Bytes, DType, Tensor, TensorData};
use half::f16;
use memmap2::Mmap;

pub(crate) use self::dequantize::dequantize;
pub(crate) use self::gguf::GgufFile;
pub use self::gguf::gguf_tensor;
pub use self::pytorch::PyTorchError;
pub(crate) use self::pytorch::PyTorchFiles;
pub use self::quantize::quantize;
pub(crate) use self::safetensors::{FLOATS, SafetensorsFiles, float_kind};
pub use self::tensors::Tensors;
use crate::adapter::Adapter;
use crate::device::ComputeDevice;
use crate::linear::Matrix;
use crate::names::Names;
use crate::{ModelConfig, ModelError};

/// Weights that are converted to F16 at a time.
const SLAB: usize = 1 << 21;

/// Named tensors that can be read as F32, row by row; the last dimension is a row.
pub(crate) trait TensorSource: Send + Sync {
    /// The shape of a tensor, if it is there.
    fn shape(&self, name: &str) -> Option<&[usize]>;

    /// The type that a tensor is stored in, if it is there.
    fn kind(&self, name: &str) -> Option<String>;

    /// Reads as many whole rows as `out` has room for, from row `first` on.
    fn read(&self, name: &str, first: usize, out: &mut [f32]) -> Result<(), ModelError>;

    /// The tensor in the file's own pages, where it is stored as F32 in the order of its rows.
    fn mapped(&self, name: &str) -> Result<Option<Mmap>, ModelError>;
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
    /// When the adapter changes a weight that the model does not have, or has another shape.
    pub(crate) fn new(
        path: &Path,
        config: &ModelConfig,
        source: Box<dyn TensorSource>,
        adapter: Option<Adapter>,
    ) -> Result<Self, ModelError> {
        if let Some(adapter) = &adapter {
            // Files can hold more than the model computes with, such as a head where the embedding is the head.
            let used: HashSet<String> = Names::new(config).all(config).into_iter().collect();
            adapter.check(|name| source.shape(name).filter(|_| used.contains(name)))?;
        }
        Ok(Self { path: path.to_owned(), source, adapter })
    }

    /// Matrices `[rows, columns]` below each other as one, `[Σ rows, columns]`.
    pub(crate) fn stacked(
        &self,
        parts: &[(String, usize)],
        columns: usize,
        device: &ComputeDevice,
    ) -> Result<Matrix, ModelError> {
        for (name, rows) in parts {
            self.check(name, &[*rows, columns])?;
        }
        if let [(name, rows)] = parts
            && let Some(tensor) = self.mapped(name, *rows, columns, device)?
        {
            return Ok(Matrix::new(vec![tensor], device));
        }
        let total: usize = parts.iter().map(|(_, rows)| rows).sum();
        let most = (device.binding_limit() / (columns * size_of::<f32>())).clamp(1, total);
        let wide = parts.iter().any(|(name, _)| self.source.kind(name).as_deref() == Some("F32"));
        let block = |first: usize| {
            let shape = [most.min(total - first), columns];
            if device.prefers_f16(wide)
                && let Some(values) = self.read_f16(parts, first, shape)?
            {
                let data = TensorData::new(values, shape);
                return Ok(Tensor::from_data(data, (&device.device, DType::F16)));
            }
            let mut values = vec![0.0; shape[0] * columns];
            self.read(parts, first, columns, &mut values)?;
            Ok(Tensor::from_data(TensorData::new(values, shape), (&device.device, DType::F32)))
        };
        let blocks: Result<Vec<_>, ModelError> = (0..total).step_by(most).map(block).collect();
        Ok(Matrix::new(blocks?, device))
    }

    /// One matrix.
    pub(crate) fn matrix(
        &self,
        name: &str,
        rows: usize,
        columns: usize,
        device: &ComputeDevice,
    ) -> Result<Matrix, ModelError> {
        self.stacked(&[(name.to_owned(), rows)], columns, device)
    }

    /// Vectors behind each other as one.
    pub(crate) fn vector(&self, parts: &[(String, usize)], device: &ComputeDevice) -> Result<Tensor<1>, ModelError> {
        let total = parts.iter().map(|(_, length)| length).sum();
        let mut values = vec![0.0; total];
        let mut rest = values.as_mut_slice();
        for (name, length) in parts {
            self.check(name, &[*length])?;
            let (part, after) = rest.split_at_mut(*length);
            self.source.read(name, 0, part)?;
            rest = after;
        }
        Ok(Tensor::from_data(TensorData::new(values, [total]), (&device.device, DType::F32)))
    }

    fn check(&self, name: &str, expected: &[usize]) -> Result<(), ModelError> {
        match self.source.shape(name) {
            Some(found) if found == expected => Ok(()),
            None => Err(ModelError::MissingTensor { path: self.path.clone(), tensor: name.to_owned() }),
            Some(found) => Err(ModelError::Shape {
                path: self.path.clone(),
                tensor: name.to_owned(),
                found: found.to_vec(),
                expected: expected.to_vec(),
            }),
        }
    }

    /// The matrix in the file's own pages, where the CPU can compute with them.
    fn mapped(
        &self,
        name: &str,
        rows: usize,
        columns: usize,
        device: &ComputeDevice,
    ) -> Result<Option<Tensor<2>>, ModelError> {
        let changed = self.adapter.as_ref().is_some_and(|adapter| adapter.changes(name));
        let bytes = rows * columns * size_of::<f32>();
        if !device.is_cpu() || changed || device.prefers_f16(true) || bytes > device.binding_limit() {
            return Ok(None);
        }
        let Some(map) = self.source.mapped(name)?.filter(|map| map.as_ptr().cast::<f32>().is_aligned()) else {
            return Ok(None);
        };
        let bytes = Bytes::from_shared(bytes::Bytes::from_owner(map), AllocationProperty::File);
        let data = TensorData::from_bytes(bytes, [rows, columns], DType::F32);
        Ok(Some(Tensor::from_data(data, (&device.device, DType::F32))))
    }

    /// Rows of the stacked matrix as F16, unless a weight is beyond its range.
    fn read_f16(
        &self,
        parts: &[(String, usize)],
        first: usize,
        [rows, columns]: [usize; 2],
    ) -> Result<Option<Vec<f16>>, ModelError> {
        let mut values = Vec::with_capacity(rows * columns);
        let at_once = (SLAB / columns).max(1);
        let mut slab = Vec::new();
        for start in (first..first + rows).step_by(at_once) {
            slab.resize(at_once.min(first + rows - start) * columns, 0.0_f32);
            self.read(parts, start, columns, &mut slab)?;
            // Comparing this way round also turns NaN away.
            if !slab.iter().all(|weight| weight.abs() <= f16::MAX.to_f32()) {
                return Ok(None);
            }
            values.extend(slab.iter().map(|&weight| f16::from_f32(weight)));
        }
        Ok(Some(values))
    }

    /// Rows of the stacked matrix from `first` on, as many as `out` has room for.
    fn read(
        &self,
        parts: &[(String, usize)],
        mut first: usize,
        columns: usize,
        mut out: &mut [f32],
    ) -> Result<(), ModelError> {
        for (name, rows) in parts {
            if first >= *rows {
                first -= rows;
                continue;
            }
            let taken = (rows - first).min(out.len() / columns);
            let (part, rest) = out.split_at_mut(taken * columns);
            self.source.read(name, first, part)?;
            if let Some(adapter) = &self.adapter {
                adapter.merge(name, first, part);
            }
            (first, out) = (0, rest);
        }
        Ok(())
    }
}
