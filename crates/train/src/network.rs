//! The decoder as training computes it: one packed sequence, projections apart, the head where there is loss.
//!
//! The engine's decoder is made for a cache, merged adapters and stacked products; none of that serves a
//! gradient. This is the same function of the same tensors (a test compares the two), written so that the tape
//! stays short. Weights that are not trained are constants on the device: they never enter the graph.

mod attention;
mod values;

use std::collections::BTreeMap;

use burn::tensor::activation::silu;
use burn::tensor::{Device, Int, Tensor, TensorData};
use qianshou_model::{Checkpoint, LayerNames, ModelConfig, Names, Rope};

use self::attention::{Attention, Masks};
use self::values::Values;
use crate::parameters::{matrix, shapes};
use crate::{Lora, Parameter, Sequence, TrainError};

/// Rows of the head that are computed at once: bounds the memory of logits.
const HEAD_ROWS: usize = 128;

/// A model with what is not trained of it on a device with autodiff.
#[derive(Debug)]
pub struct Network {
    config: ModelConfig,
    names: Names,
    rope: Rope,
    device: Device,
    frozen: BTreeMap<String, Tensor<2>>,
    scale: f64,
}

/// Loss and gradients of one sequence.
#[derive(Clone, Debug, PartialEq)]
pub struct Gradients {
    /// The sum of −ln p over the tokens under loss.
    pub loss: f64,
    /// Of that sum, for each parameter in its order.
    pub values: Vec<Vec<f32>>,
}

impl Network {
    /// Reads what is not trained onto the CPU. With `lora` that is every tensor of the model, else none.
    ///
    /// # Errors
    /// When a tensor cannot be read.
    pub fn load(checkpoint: &Checkpoint, lora: Option<Lora>) -> Result<Self, TrainError> {
        let config = checkpoint.config().clone();
        let device = Device::flex().autodiff();
        let mut frozen = BTreeMap::new();
        if lora.is_some() {
            let tensors = checkpoint.tensors(None)?;
            for (name, shape) in shapes(&config) {
                let values = tensors.read(&name, &shape)?;
                frozen.insert(name, matrix(values, &shape, &device));
            }
        }
        let scale = lora.map_or(0.0, |lora| lora.scale());
        Ok(Self { names: Names::new(&config), rope: Rope::new(&config), config, device, frozen, scale })
    }

    /// The shape of the model.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// The longest sequence that it computes as the engine does: windows and what Qwen 1 does beyond the context
    /// that it was trained on are not for training.
    pub fn longest(&self) -> usize {
        let window = self.config.windows.iter().flatten().copied().min().unwrap_or(usize::MAX);
        let trained = self.config.extension.map_or(usize::MAX, |extension| extension.trained_context);
        self.config.context_window.min(window).min(trained)
    }

    /// The sum of −ln p over the tokens under loss, without gradients.
    ///
    /// # Errors
    /// When the device fails.
    pub fn loss(&self, parameters: &[Parameter], sequence: &Sequence) -> Result<f64, TrainError> {
        let trained = parameters.iter().map(|parameter| (parameter.name.as_str(), parameter.tensor(&self.device)));
        scalar(self.forward(&Values::new(&self.frozen, trained.collect(), self.scale), sequence)?)
    }

    /// Loss and gradients of a sequence.
    ///
    /// # Errors
    /// When the device fails.
    pub fn gradients(&self, parameters: &[Parameter], sequence: &Sequence) -> Result<Gradients, TrainError> {
        let leaf = |parameter: &Parameter| parameter.tensor(&self.device).require_grad();
        let leaves: Vec<Tensor<2>> = parameters.iter().map(leaf).collect();
        let named = parameters.iter().map(|parameter| parameter.name.as_str()).zip(leaves.iter().cloned());
        let loss = self.forward(&Values::new(&self.frozen, named.collect(), self.scale), sequence)?;
        let mut gradients = loss.backward();
        let taken = leaves.iter().zip(parameters).map(|(leaf, parameter)| match leaf.grad_remove(&mut gradients) {
            Some(gradient) => gradient.try_into_vec_as::<f32>().map_err(failed),
            // A parameter that the loss does not depend on, such as the embedding's unused rows.
            None => Ok(vec![0.0; parameter.values.len()]),
        });
        let values = taken.collect::<Result<_, _>>()?;
        Ok(Gradients { loss: scalar(loss)?, values })
    }

    /// The sum of −ln p over the tokens under loss, `[1]`.
    fn forward(&self, values: &Values<'_>, sequence: &Sequence) -> Result<Tensor<1>, TrainError> {
        let ids = sequence.ids().iter().copied();
        let mut hidden = values.weight(self.names.embedding())?.select(0, indices(ids, &self.device));
        let (cosines, sines) = self.rope.cosines_and_sines(sequence.positions());
        let table = |values: Vec<f32>| {
            let shape = [sequence.ids().len(), 1, self.config.head_size];
            Tensor::from_data(TensorData::new(values, shape), &self.device)
        };
        let attention = Attention {
            config: &self.config,
            cosines: table(cosines),
            sines: table(sines),
            masks: Masks::new(&self.config, sequence, &self.device),
            sequence,
        };
        for number in 0..self.config.layers {
            hidden = self.layer(hidden, &self.names.layer(number), values, &attention)?;
        }
        self.head_loss(hidden, values, sequence)
    }

    fn layer(
        &self,
        hidden: Tensor<2>,
        names: &LayerNames,
        values: &Values<'_>,
        attention: &Attention<'_>,
    ) -> Result<Tensor<2>, TrainError> {
        let normed = self.normed(hidden.clone(), &names.attention_norm, values)?;
        let hidden = hidden + attention.forward(normed, names, values)?;
        let normed = self.normed(hidden.clone(), &names.feed_forward_norm, values)?;
        let [gate, up] = &names.gate_up;
        let inner = silu(values.project(normed.clone(), &gate.0)?) * values.project(normed, &up.0)?;
        Ok(hidden + values.project(inner, &names.down)?)
    }

    fn normed(&self, hidden: Tensor<2>, name: &str, values: &Values<'_>) -> Result<Tensor<2>, TrainError> {
        Ok(normed(hidden, self.config.norm_epsilon) * values.weight(name)?)
    }

    fn head_loss(&self, hidden: Tensor<2>, values: &Values<'_>, sequence: &Sequence) -> Result<Tensor<1>, TrainError> {
        let head = if self.config.tied_embeddings { self.names.embedding() } else { self.names.head() };
        let head = values.weight(head)?;
        let mut loss = Tensor::zeros([1], &self.device);
        for targets in sequence.targets().chunks(HEAD_ROWS) {
            let rows = indices(targets.iter().map(|&(row, _)| row as u32), &self.device);
            let rows = self.normed(hidden.clone().select(0, rows), self.names.norm(), values)?;
            let wanted = head.clone().select(0, indices(targets.iter().map(|&(_, id)| id), &self.device));
            let logits = rows.clone().matmul(head.clone().transpose());
            let greatest = logits.clone().detach().max_dim(1);
            let sums = (logits - greatest.clone()).exp().sum_dim(1);
            loss = loss + (sums.log() + greatest).sum() - (rows * wanted).sum();
        }
        Ok(loss)
    }
}

/// x / √(mean(x²) + ε) over the last dimension.
fn normed<const D: usize>(values: Tensor<D>, epsilon: f64) -> Tensor<D> {
    let mean_square = values.clone().square().mean_dim(D - 1);
    values * mean_square.add_scalar(epsilon).sqrt().recip()
}

fn indices(numbers: impl Iterator<Item = u32>, device: &Device) -> Tensor<1, Int> {
    let numbers: Vec<i32> = numbers.map(u32::cast_signed).collect();
    let count = numbers.len();
    Tensor::from_data(TensorData::new(numbers, [count]), device)
}

fn scalar(loss: Tensor<1>) -> Result<f64, TrainError> {
    let values = loss.try_into_vec_as::<f32>().map_err(failed)?;
    values.first().map(|&value| f64::from(value)).ok_or_else(|| failed("there is no loss"))
}

fn failed(reason: impl ToString) -> TrainError {
    TrainError::Computation { reason: reason.to_string() }
}
