//! Which tokens a token may look at.

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor, TensorData};

use crate::config::ModelConfig;

/// What is added to the attention scores of a pass, `[1, group × tokens, keys]` for each kind of layer: 0 where
/// a token may look, −∞ elsewhere.
pub(crate) struct Masks {
    causal: Option<Tensor<3>>,
    windowed: BTreeMap<usize, Tensor<3>>,
}

impl Masks {
    /// Masks for `tokens` tokens behind `start` others.
    pub(crate) fn new(config: &ModelConfig, start: usize, tokens: usize, device: &Device) -> Self {
        let keys = start + tokens;
        let group = config.heads / config.key_value_heads;
        let mask = |window: usize| {
            let row = |token: usize| {
                let position = start + token;
                let sees = move |key: usize| key <= position && position - key < window;
                (0..keys).map(move |key| if sees(key) { 0.0 } else { f32::NEG_INFINITY })
            };
            let values: Vec<f32> = (0..group).flat_map(|_| (0..tokens).flat_map(row)).collect();
            Tensor::from_data(TensorData::new(values, [1, group * tokens, keys]), device)
        };
        let mut windowed = BTreeMap::new();
        for &window in config.windows.iter().flatten().filter(|&&window| window < keys) {
            windowed.entry(window).or_insert_with(|| mask(window));
        }
        // A single token sees everything before it: no mask.
        Self { causal: (tokens > 1).then(|| mask(usize::MAX)), windowed }
    }

    /// The mask of a layer with this window, if it needs one.
    pub(crate) fn of(&self, window: Option<usize>) -> Option<&Tensor<3>> {
        window.and_then(|window| self.windowed.get(&window)).or(self.causal.as_ref())
    }
}
