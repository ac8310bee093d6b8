//! x · Wᵀ + b, and how it is spread over cores and over what a device can bind.

use burn::tensor::{DType, Int, Tensor, TensorData};
use rayon::prelude::*;

use crate::device::ComputeDevice;

/// Weights below which a product of one row is not worth a second core.
const WEIGHTS_PER_CORE: usize = 1 << 16;

/// A weight as checkpoints store it, `[out, in]`, in blocks of rows that the device can bind. A block is F32 or
/// F16; what goes in and comes out is F32.
#[derive(Clone, Debug)]
pub(crate) struct Matrix {
    blocks: Vec<Tensor<2>>,
    /// Whether a product of one row is spread over cores.
    by_cores: bool,
}

impl Matrix {
    /// A matrix of these blocks, of which there is at least one.
    pub(crate) fn new(blocks: Vec<Tensor<2>>, device: &ComputeDevice) -> Self {
        Self { blocks, by_cores: device.is_cpu() }
    }

    /// The rows with these numbers, `[numbers, in]`.
    pub(crate) fn rows(&self, numbers: &[u32]) -> Tensor<2> {
        if let [block] = self.blocks.as_slice() {
            return as_f32(block.clone().select(0, indices(numbers.iter().copied(), block)));
        }
        // Each block gives the rows that it has; then they are put into the order asked for.
        let mut found = Vec::new();
        let mut places = vec![0; numbers.len()];
        let (mut first, mut place) = (0, 0);
        for block in &self.blocks {
            let rows = block.dims()[0] as u32;
            let here: Vec<usize> =
                (0..numbers.len()).filter(|&n| (first..first + rows).contains(&numbers[n])).collect();
            if !here.is_empty() {
                let selected = indices(here.iter().map(|&n| numbers[n] - first), block);
                found.push(as_f32(block.clone().select(0, selected)));
            }
            for n in here {
                places[n] = place;
                place += 1;
            }
            first += rows;
        }
        let found = Tensor::cat(found, 0);
        let order = indices(places, &found);
        found.select(0, order)
    }

    /// The type and the bytes of each block.
    pub(crate) fn held(&self) -> impl Iterator<Item = (DType, usize)> {
        self.blocks.iter().map(|block| (block.dtype(), block.shape().num_elements() * block.dtype().size()))
    }

    /// `[tokens, in]` to `[tokens, out]`.
    pub(crate) fn product(&self, input: Tensor<2>) -> Tensor<2> {
        if self.by_cores && input.dims()[0] == 1 {
            return joined(self.slices().into_par_iter().map(|slice| product(input.clone(), slice)).collect());
        }
        joined(self.blocks.iter().map(|block| product(input.clone(), block.clone())).collect())
    }

    /// The product of a single row is bound by reading the weights, and the CPU backend would read them with
    /// one core: every core takes slices of the output instead.
    fn slices(&self) -> Vec<Tensor<2>> {
        let slices_of = |block: &Tensor<2>| {
            let [rows, columns] = block.dims();
            let cores = (rows * columns / WEIGHTS_PER_CORE).clamp(1, rayon::current_num_threads()).min(rows);
            let size = rows.div_ceil(cores);
            let block = block.clone();
            (0..rows).step_by(size).map(move |start| block.clone().narrow(0, start, size.min(rows - start)))
        };
        self.blocks.iter().flat_map(slices_of).collect()
    }
}

fn indices(numbers: impl IntoIterator<Item = u32>, beside: &Tensor<2>) -> Tensor<1, Int> {
    let numbers: Vec<i32> = numbers.into_iter().map(u32::cast_signed).collect();
    let count = numbers.len();
    Tensor::from_data(TensorData::new(numbers, [count]), &beside.device())
}

fn product(input: Tensor<2>, weight: Tensor<2>) -> Tensor<2> {
    let input = if weight.dtype() == DType::F32 { input } else { input.cast(weight.dtype()) };
    as_f32(input.matmul(weight.transpose()))
}

fn as_f32(values: Tensor<2>) -> Tensor<2> {
    if values.dtype() == DType::F32 { values } else { values.cast(DType::F32) }
}

fn joined(mut parts: Vec<Tensor<2>>) -> Tensor<2> {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => Tensor::cat(parts.into_iter().chain(last).collect(), 1),
    }
}

/// A projection.
#[derive(Debug)]
pub(crate) struct Linear {
    weight: Matrix,
    bias: Option<Tensor<2>>,
}

impl Linear {
    pub(crate) fn new(weight: Matrix, bias: Option<Tensor<1>>) -> Self {
        Self { weight, bias: bias.map(Tensor::unsqueeze) }
    }

    pub(crate) fn weight(&self) -> &Matrix {
        &self.weight
    }

    /// `[tokens, in]` to `[tokens, out]`.
    pub(crate) fn forward(&self, input: Tensor<2>) -> Tensor<2> {
        let product = self.weight.product(input);
        match &self.bias {
            Some(bias) => product + bias.clone(),
            None => product,
        }
    }
}
