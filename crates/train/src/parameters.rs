//! What is trained: named blocks of numbers, outside any device.

use burn::tensor::{DType, Device, Tensor, TensorData};
use qianshou_model::{LayerNames, ModelConfig, Names, Tensors};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt as _, SeedableRng as _};

use crate::TrainError;

/// Rank and scale of LoRA (Hu et al., 2021): W + (α / r) · B · A, with W frozen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lora {
    /// Columns of B and rows of A.
    pub rank: usize,
    /// The scale times the rank.
    pub alpha: f64,
}

impl Lora {
    /// What B · A is multiplied with.
    pub fn scale(&self) -> f64 {
        self.alpha / self.rank as f64
    }
}

/// A trained vector or matrix.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// The Hugging Face name of the tensor, or of the projection with `.lora_A` or `.lora_B`.
    pub name: String,
    /// Its shape: one or two sizes.
    pub shape: Vec<usize>,
    /// Row by row.
    pub values: Vec<f32>,
}

impl Parameter {
    /// The parameter on a device, as a matrix; a vector is a single row.
    pub(crate) fn tensor(&self, device: &Device) -> Tensor<2> {
        matrix(self.values.clone(), &self.shape, device)
    }
}

/// Numbers as a matrix on a device; a vector is a single row.
pub(crate) fn matrix(values: Vec<f32>, shape: &[usize], device: &Device) -> Tensor<2> {
    let columns = shape.last().copied().unwrap_or(1);
    let rows = values.len() / columns.max(1);
    Tensor::from_data(TensorData::new(values, [rows, columns]), (device, DType::F32))
}

/// The projections of a layer with their shapes `[out, in]`, in the order of computation.
pub(crate) fn projections(names: &LayerNames, config: &ModelConfig) -> Vec<(String, [usize; 2])> {
    let (hidden, inner) = (config.hidden_size, config.feed_forward_size);
    let reading = names.query_key_value.iter().map(|(name, rows)| (name.clone(), [*rows, hidden]));
    let output = (names.output.clone(), [hidden, config.heads * config.head_size]);
    let gates = names.gate_up.iter().map(|(name, rows)| (name.clone(), [*rows, hidden]));
    reading.chain([output]).chain(gates).chain([(names.down.clone(), [hidden, inner])]).collect()
}

/// LoRA on every projection of every layer: A uniform within ±1/√in as PEFT has it, B zero, so that training
/// starts from the base model itself.
pub fn lora_parameters(config: &ModelConfig, lora: Lora, seed: u64) -> Vec<Parameter> {
    let names = Names::new(config);
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut parameters = Vec::new();
    for (stem, [rows, columns]) in (0..config.layers).flat_map(|layer| projections(&names.layer(layer), config)) {
        let bound = 1.0 / (columns as f32).sqrt();
        let a = (0..lora.rank * columns).map(|_| random.random_range(-bound..bound)).collect();
        parameters.push(Parameter { name: format!("{stem}.lora_A"), shape: vec![lora.rank, columns], values: a });
        let b = vec![0.0; rows * lora.rank];
        parameters.push(Parameter { name: format!("{stem}.lora_B"), shape: vec![rows, lora.rank], values: b });
    }
    parameters
}

/// Every tensor of the model, for full fine-tuning.
///
/// # Errors
/// When one cannot be read.
pub fn all_parameters(config: &ModelConfig, tensors: &Tensors) -> Result<Vec<Parameter>, TrainError> {
    let read = |(name, shape): (String, Vec<usize>)| {
        let values = tensors.read(&name, &shape)?;
        Ok(Parameter { name, shape, values })
    };
    shapes(config).into_iter().map(read).collect()
}

/// Name and shape of every tensor of a model.
pub(crate) fn shapes(config: &ModelConfig) -> Vec<(String, Vec<usize>)> {
    let names = Names::new(config);
    let (hidden, vocabulary) = (config.hidden_size, config.vocabulary_size);
    let weight = |stem: &str| format!("{stem}.weight");
    let mut shapes = vec![(weight(names.embedding()), vec![vocabulary, hidden]), (weight(names.norm()), vec![hidden])];
    if !config.tied_embeddings {
        shapes.push((weight(names.head()), vec![vocabulary, hidden]));
    }
    for layer in (0..config.layers).map(|number| names.layer(number)) {
        for norm in [&layer.attention_norm, &layer.feed_forward_norm] {
            shapes.push((weight(norm), vec![hidden]));
        }
        for norm in layer.head_norms.iter().flatten() {
            shapes.push((weight(norm), vec![config.head_size]));
        }
        if config.attention_bias {
            shapes.extend(layer.query_key_value.iter().map(|(stem, rows)| (format!("{stem}.bias"), vec![*rows])));
        }
        let matrices = projections(&layer, config);
        shapes.extend(matrices.into_iter().map(|(stem, shape)| (weight(&stem), shape.to_vec())));
    }
    shapes
}
