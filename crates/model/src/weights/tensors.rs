//! Tensors of a checkpoint, for others than the decoder.

use std::fmt;

use super::Weights;
use crate::ModelError;

/// The tensors of a checkpoint under their Hugging Face names, each read as F32 when it is asked for.
///
/// ```no_run
/// use std::path::Path;
///
/// use qianshou_model::Checkpoint;
///
/// let checkpoint = Checkpoint::open(Path::new("Qwen2.5-0.5B-Instruct"))?;
/// let tensors = checkpoint.tensors(None)?;
/// let norm = tensors.read("model.norm.weight", &[checkpoint.config().hidden_size])?;
/// # Ok::<(), qianshou_model::ModelError>(())
/// ```
pub struct Tensors {
    weights: Weights,
}

impl fmt::Debug for Tensors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Tensors").field("path", &self.weights.path).finish_non_exhaustive()
    }
}

impl Tensors {
    pub(crate) fn new(weights: Weights) -> Self {
        Self { weights }
    }

    /// A vector or matrix of this shape, row by row.
    ///
    /// # Errors
    /// When it is missing, has another shape, or is stored in a type that cannot be read.
    pub fn read(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
        self.weights.check(name, shape)?;
        let mut values = vec![0.0; shape.iter().product()];
        let columns = shape.last().copied().unwrap_or(1);
        let rows = shape.iter().rev().skip(1).product();
        self.weights.read(&[(name.to_owned(), rows)], 0, columns, &mut values)?;
        Ok(values)
    }
}
