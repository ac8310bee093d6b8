//! AdamW (Loshchilov and Hutter, 2019) on blocks of numbers, and the rate that it is given.
//!
//! burn has an AdamW too. This one works on what is trained as it is kept, summed over threads and saved: plain
//! numbers. So a training goes on from its checkpoint bit for bit.

use serde::{Deserialize, Serialize};

use crate::Parameter;

const BETA_1: f32 = 0.9;
const BETA_2: f32 = 0.95;
const EPSILON: f32 = 1e-8;

/// The two moments of every parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct AdamW {
    pub(crate) first: Vec<Vec<f32>>,
    pub(crate) second: Vec<Vec<f32>>,
    /// Applied to matrices only, never to norms and biases.
    weight_decay: f32,
}

impl AdamW {
    /// Moments of zero.
    pub fn new(parameters: &[Parameter], weight_decay: f64) -> Self {
        let zeros = || parameters.iter().map(|parameter| vec![0.0; parameter.values.len()]).collect();
        Self { first: zeros(), second: zeros(), weight_decay: weight_decay as f32 }
    }

    /// The optimiser of a training that goes on.
    pub(crate) fn with_moments(first: Vec<Vec<f32>>, second: Vec<Vec<f32>>, weight_decay: f64) -> Self {
        Self { first, second, weight_decay: weight_decay as f32 }
    }

    /// Takes step number `step`, counted from 1.
    pub fn step(&mut self, parameters: &mut [Parameter], gradients: &[Vec<f32>], step: usize, rate: f64) {
        let step = i32::try_from(step).unwrap_or(i32::MAX);
        let corrections = (1.0 - BETA_1.powi(step), 1.0 - BETA_2.powi(step));
        let rate = rate as f32;
        let moments = self.first.iter_mut().zip(&mut self.second);
        for ((parameter, gradients), (first, second)) in parameters.iter_mut().zip(gradients).zip(moments) {
            let decay = if parameter.shape.len() > 1 { rate * self.weight_decay } else { 0.0 };
            let moments = first.iter_mut().zip(second);
            for ((value, gradient), (first, second)) in parameter.values.iter_mut().zip(gradients).zip(moments) {
                *first = BETA_1 * *first + (1.0 - BETA_1) * gradient;
                *second = BETA_2 * *second + (1.0 - BETA_2) * gradient * gradient;
                let direction = (*first / corrections.0) / ((*second / corrections.1).sqrt() + EPSILON);
                *value -= rate * direction + decay * *value;
            }
        }
    }
}

/// Scales gradients down to a global norm of `most`, and returns the norm that they had.
pub fn clip(gradients: &mut [Vec<f32>], most: f64) -> f64 {
    let squares = gradients.iter().flatten().map(|&value| f64::from(value) * f64::from(value));
    let norm = squares.sum::<f64>().sqrt();
    if norm > most {
        let factor = (most / norm) as f32;
        gradients.iter_mut().flatten().for_each(|value| *value *= factor);
    }
    norm
}

/// Linear warm-up to the peak, then half a cosine down to zero.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// The highest rate.
    pub peak: f64,
    /// Steps of warm-up.
    pub warm_up: usize,
    /// All steps.
    pub steps: usize,
}

impl Schedule {
    /// The rate of step number `step`, counted from 1.
    pub fn rate(&self, step: usize) -> f64 {
        if step <= self.warm_up {
            return self.peak * step as f64 / self.warm_up as f64;
        }
        let rest = self.steps.saturating_sub(self.warm_up).max(1);
        let done = (step - self.warm_up - 1) as f64 / rest as f64;
        self.peak * 0.5 * (1.0 + (std::f64::consts::PI * done.min(1.0)).cos())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameter(shape: Vec<usize>, values: &[f32]) -> Parameter {
        Parameter { name: "w".to_owned(), shape, values: values.to_vec() }
    }

    #[test]
    fn the_first_step_is_as_long_as_the_rate() {
        let mut parameters = [parameter(vec![2], &[1.0, 1.0])];
        let mut optimizer = AdamW::new(&parameters, 0.5);
        optimizer.step(&mut parameters, &[vec![0.3, -4.0]], 1, 0.01);
        let [up, down] = [parameters[0].values[0], parameters[0].values[1]];
        assert!((up - 0.99).abs() < 1e-6 && (down - 1.01).abs() < 1e-6, "{up} {down}");
    }

    #[test]
    fn only_matrices_decay() {
        let mut parameters = [parameter(vec![1, 1], &[2.0]), parameter(vec![1], &[2.0])];
        let mut optimizer = AdamW::new(&parameters, 0.1);
        optimizer.step(&mut parameters, &[vec![0.0], vec![0.0]], 1, 0.5);
        assert_eq!(parameters[0].values, [1.9]);
        assert_eq!(parameters[1].values, [2.0]);
    }

    #[test]
    fn the_global_norm_is_clipped() {
        let mut gradients = [vec![3.0], vec![0.0, 4.0]];
        assert_eq!(clip(&mut gradients, 10.0), 5.0);
        assert_eq!(gradients, [vec![3.0], vec![0.0, 4.0]]);
        assert_eq!(clip(&mut gradients, 1.0), 5.0);
        assert_eq!(gradients, [vec![0.6], vec![0.0, 0.8]]);
    }

    #[test]
    fn the_rate_rises_and_falls() {
        let schedule = Schedule { peak: 1.0, warm_up: 2, steps: 6 };
        let rates: Vec<f64> = (1..=6).map(|step| (schedule.rate(step) * 1000.0).round() / 1000.0).collect();
        assert_eq!(rates, [0.5, 1.0, 1.0, 0.854, 0.5, 0.146]);
        assert!(schedule.rate(7) < 1e-9);
    }
}
