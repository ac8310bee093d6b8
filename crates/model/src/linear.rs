//! x · Wᵀ + b, and how it is spread over cores.

use burn::tensor::Tensor;
use rayon::prelude::*;

use crate::device::ComputeDevice;

/// Weights below which a product of one row is not worth a second core.
const WEIGHTS_PER_CORE: usize = 1 << 16;

/// A projection with its weight as checkpoints store it, `[out, in]`.
#[derive(Debug)]
pub(crate) struct Linear {
    weight: Tensor<2>,
    bias: Option<Tensor<2>>,
    /// Parts that a product of one row is split into.
    parts: usize,
}

impl Linear {
    pub(crate) fn new(weight: Tensor<2>, bias: Option<Tensor<1>>, device: &ComputeDevice) -> Self {
        let [rows, columns] = weight.dims();
        let parts = if device.is_cpu() {
            (rows * columns / WEIGHTS_PER_CORE).clamp(1, rayon::current_num_threads()).min(rows)
        } else {
            1
        };
        Self { weight, bias: bias.map(Tensor::unsqueeze), parts }
    }

    /// `[tokens, in]` to `[tokens, out]`.
    pub(crate) fn forward(&self, input: Tensor<2>) -> Tensor<2> {
        let product = if self.parts > 1 && input.dims()[0] == 1 {
            self.row_in_parts(&input)
        } else {
            input.matmul(self.weight.clone().transpose())
        };
        match &self.bias {
            Some(bias) => product + bias.clone(),
            None => product,
        }
    }

    /// The product of a single row is bound by reading the weights, and the CPU backend would read them
    /// with one core: every core takes a slice of the output instead.
    fn row_in_parts(&self, input: &Tensor<2>) -> Tensor<2> {
        let rows = self.weight.dims()[0];
        let size = rows.div_ceil(self.parts);
        let part = |start: usize| {
            let weight = self.weight.clone().narrow(0, start, size.min(rows - start));
            input.clone().matmul(weight.transpose())
        };
        let starts: Vec<usize> = (0..rows).step_by(size).collect();
        Tensor::cat(starts.into_par_iter().map(part).collect(), 1)
    }
}
