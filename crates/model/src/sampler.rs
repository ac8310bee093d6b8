//! Choosing the next token from logits.

use std::cmp::Ordering;

use qianshou_chat::Sampling;
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt as _, SeedableRng as _};

/// Picks tokens by the rules of a [`Sampling`]. What it leaves open is greedy, without penalty.
#[derive(Debug)]
pub struct Sampler {
    temperature: f32,
    top_p: f32,
    top_k: usize,
    repetition_penalty: f32,
    random: Xoshiro256PlusPlus,
}

impl Sampler {
    /// A sampler by these rules. Without a seed, sampling differs from run to run.
    pub fn new(sampling: Sampling) -> Self {
        let top_k = sampling.top_k.unwrap_or(0) as usize;
        Self {
            temperature: sampling.temperature.unwrap_or(0.0),
            top_p: sampling.top_p.unwrap_or(1.0),
            top_k: if top_k == 0 { usize::MAX } else { top_k },
            repetition_penalty: sampling.repetition_penalty.unwrap_or(1.0),
            random: sampling.seed.map_or_else(rand::make_rng, Xoshiro256PlusPlus::seed_from_u64),
        }
    }

    /// The next token, given the logits and all tokens so far, or `None` when no logit is a number. A token
    /// whose logit is no number is never chosen, whatever the rules.
    pub fn next(&mut self, logits: &mut [f32], seen: impl IntoIterator<Item = u32>) -> Option<u32> {
        self.penalise(logits, seen);
        if self.temperature == 0.0 {
            return greatest(logits);
        }
        let mut candidates: Vec<(u32, f32)> =
            (0..).zip(logits.iter().copied()).filter(|(_, logit)| !logit.is_nan()).collect();
        if self.top_k < candidates.len() {
            candidates.select_nth_unstable_by(self.top_k, by_likelihood);
            candidates.truncate(self.top_k);
            // Back in a fixed order, so that a seed gives the same tokens everywhere.
            candidates.sort_unstable_by(by_likelihood);
        }
        let greatest = candidates.iter().map(|&(_, logit)| logit).max_by(f32::total_cmp)?;
        for (_, weight) in &mut candidates {
            *weight = ((*weight - greatest) / self.temperature).exp();
        }
        if self.top_p < 1.0 {
            self.keep_nucleus(&mut candidates);
        }
        let sum: f32 = candidates.iter().map(|(_, weight)| weight).sum();
        let mut point = self.random.random::<f32>() * sum;
        for &(id, weight) in &candidates {
            point -= weight;
            if point <= 0.0 {
                return Some(id);
            }
        }
        candidates.last().map(|&(id, _)| id)
    }

    /// Keeps the fewest most likely candidates whose probabilities reach `top_p`.
    fn keep_nucleus(&self, candidates: &mut Vec<(u32, f32)>) {
        let sum: f32 = candidates.iter().map(|(_, weight)| weight).sum();
        // All candidates below this share together miss `1 - top_p`: they need not be sorted.
        let least = sum * (1.0 - self.top_p) / candidates.len() as f32;
        candidates.retain(|&(_, weight)| weight >= least);
        candidates.sort_unstable_by(by_likelihood);
        let mut reached = 0.0;
        let end = candidates.iter().position(|(_, weight)| {
            reached += weight;
            reached >= sum * self.top_p
        });
        candidates.truncate(end.map_or(candidates.len(), |last| last + 1));
    }

    /// As in Transformers: each token seen counts once, however often it occurred.
    fn penalise(&self, logits: &mut [f32], seen: impl IntoIterator<Item = u32>) {
        if self.repetition_penalty == 1.0 {
            return;
        }
        let mut done = vec![false; logits.len()];
        for id in seen {
            let index = id as usize;
            if index >= logits.len() || std::mem::replace(&mut done[index], true) {
                continue;
            }
            let logit = &mut logits[index];
            *logit = if *logit > 0.0 { *logit / self.repetition_penalty } else { *logit * self.repetition_penalty };
        }
    }
}

/// Most likely first; equals in the order of their ids.
fn by_likelihood(a: &(u32, f32), b: &(u32, f32)) -> Ordering {
    b.1.total_cmp(&a.1).then(a.0.cmp(&b.0))
}

/// The index of the greatest logit; the first of equal ones.
pub(crate) fn greatest(logits: &[f32]) -> Option<u32> {
    let mut best: Option<(u32, f32)> = None;
    for (id, &logit) in (0..).zip(logits) {
        if !logit.is_nan() && best.is_none_or(|(_, greatest)| logit > greatest) {
            best = Some((id, logit));
        }
    }
    best.map(|(id, _)| id)
}
