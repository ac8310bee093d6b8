//! Rotary position embedding, rotate-half layout (Su et al., 2021; Qwen report 2.3).
//!
//! Frequencies and angles are F32 whatever the dtype of the model, as in the official code.

use burn::tensor::{Device, Tensor, TensorData};

use crate::config::{ModelConfig, RopeScaling};

/// The frequencies of a model.
#[derive(Debug)]
pub struct Rope {
    head_size: usize,
    base: f64,
    inverse_frequencies: Vec<f32>,
    attention_factor: f32,
}

/// Cosines and sines of some consecutive positions, `[tokens, 1, head]` each.
#[derive(Clone, Debug)]
pub(crate) struct Rotation {
    cosines: Tensor<3>,
    sines: Tensor<3>,
}

impl Rope {
    /// The frequencies of a model of this shape.
    pub fn new(config: &ModelConfig) -> Self {
        let size = config.head_size as f64;
        let base = config.rope_theta;
        let plain = frequencies(base, config.head_size);
        let rope = |inverse_frequencies, attention_factor| Self {
            head_size: config.head_size,
            base,
            inverse_frequencies,
            attention_factor,
        };
        match config.rope_scaling {
            RopeScaling::None => rope(plain.map(|value| value as f32).collect(), 1.0),
            RopeScaling::Linear { factor } => rope(plain.map(|value| (value / factor) as f32).collect(), 1.0),
            RopeScaling::Yarn { factor, original_context, beta_fast, beta_slow, attention_factor } => {
                // The pair whose frequency turns so many times within the trained context.
                let pair_of = |turns: f64| {
                    let angle = original_context as f64 / (turns * 2.0 * std::f64::consts::PI);
                    size * angle.ln() / (2.0 * base.ln())
                };
                let low = pair_of(beta_fast).floor().max(0.0);
                let mut high = pair_of(beta_slow).ceil().min(size - 1.0);
                if low == high {
                    high += 0.001;
                }
                let blend = |(pair, frequency): (usize, f64)| {
                    let interpolated = ((pair as f64 - low) / (high - low)).clamp(0.0, 1.0);
                    (frequency / factor * interpolated + frequency * (1.0 - interpolated)) as f32
                };
                rope(plain.enumerate().map(blend).collect(), attention_factor as f32)
            }
        }
    }

    /// The rotation of positions `start..start + tokens`, with the base stretched by α of dynamic NTK.
    pub(crate) fn rotation(&self, start: usize, tokens: usize, ntk_alpha: u32, device: &Device) -> Rotation {
        let size = self.head_size;
        let stretched: Vec<f32>;
        let inverse_frequencies = if ntk_alpha == 1 {
            &self.inverse_frequencies
        } else {
            let exponent = size as f64 / (size as f64 - 2.0);
            let base = self.base * f64::from(ntk_alpha).powf(exponent);
            stretched = frequencies(base, size).map(|value| value as f32).collect();
            &stretched
        };
        let (cosines, sines) = self.angles(start..start + tokens, inverse_frequencies);
        let tensor = |values| Tensor::from_data(TensorData::new(values, [tokens, 1, size]), device);
        Rotation { cosines: tensor(cosines), sines: tensor(sines) }
    }

    /// Cosines and sines of any positions within the trained context, `[positions, head]` each, row by row.
    pub fn cosines_and_sines(&self, positions: impl IntoIterator<Item = usize>) -> (Vec<f32>, Vec<f32>) {
        self.angles(positions, &self.inverse_frequencies)
    }

    fn angles(&self, positions: impl IntoIterator<Item = usize>, frequencies: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let (mut cosines, mut sines) = (Vec::new(), Vec::new());
        for position in positions {
            let angles = || frequencies.iter().map(|frequency| position as f32 * frequency);
            let both_halves = || angles().chain(angles());
            cosines.extend(both_halves().map(|angle| angle.cos() * self.attention_factor));
            sines.extend(both_halves().map(|angle| angle.sin() * self.attention_factor));
        }
        (cosines, sines)
    }
}

/// 1 / base^(2i / size) for each pair of a head.
fn frequencies(base: f64, head_size: usize) -> impl Iterator<Item = f64> {
    (0..head_size / 2).map(move |pair| 1.0 / base.powf(2.0 * pair as f64 / head_size as f64))
}

impl Rotation {
    /// Rotates `[tokens, heads, head]`: the first half of a head is paired with the second.
    pub(crate) fn apply(&self, heads: Tensor<3>) -> Tensor<3> {
        let half = heads.dims()[2] / 2;
        let first = heads.clone().narrow(2, 0, half);
        let second = heads.clone().narrow(2, half, half);
        let turned = Tensor::cat(vec![second.neg(), first], 2);
        heads * self.cosines.clone() + turned * self.sines.clone()
    }
}
