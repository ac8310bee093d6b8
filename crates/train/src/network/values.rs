//! The tensors of one pass by name: those that are trained, and those that are not.

use std::collections::BTreeMap;

use burn::tensor::Tensor;

use super::failed;
use crate::TrainError;

/// Trained tensors before frozen ones; vectors are matrices of one row.
pub(super) struct Values<'a> {
    frozen: &'a BTreeMap<String, Tensor<2>>,
    trained: BTreeMap<&'a str, Tensor<2>>,
    /// What B · A is multiplied with.
    scale: f64,
}

impl<'a> Values<'a> {
    pub(super) fn new(
        frozen: &'a BTreeMap<String, Tensor<2>>,
        trained: BTreeMap<&'a str, Tensor<2>>,
        scale: f64,
    ) -> Self {
        Self { frozen, trained, scale }
    }

    fn find(&self, name: &str) -> Option<Tensor<2>> {
        self.trained.get(name).or_else(|| self.frozen.get(name)).cloned()
    }

    /// The weight of a tensor.
    pub(super) fn weight(&self, stem: &str) -> Result<Tensor<2>, TrainError> {
        let name = format!("{stem}.weight");
        self.find(&name).ok_or_else(|| failed(format!("there is no tensor `{name}`")))
    }

    /// x · Wᵀ + b + scale · (x · Aᵀ) · Bᵀ, with what there is of it: `[tokens, in]` to `[tokens, out]`.
    pub(super) fn project(&self, input: Tensor<2>, stem: &str) -> Result<Tensor<2>, TrainError> {
        let product = input.clone().matmul(self.weight(stem)?.transpose());
        let product = match self.find(&format!("{stem}.bias")) {
            Some(bias) => product + bias,
            None => product,
        };
        let factors = (self.find(&format!("{stem}.lora_A")), self.find(&format!("{stem}.lora_B")));
        let (Some(a), Some(b)) = factors else {
            return Ok(product);
        };
        let inner = input.matmul(a.transpose()).mul_scalar(self.scale);
        Ok(product + inner.matmul(b.transpose()))
    }
}
