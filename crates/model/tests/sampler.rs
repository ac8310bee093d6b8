//! Tokens are chosen by the rules that were asked for.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use qianshou_chat::Sampling;
use qianshou_model::Sampler;

fn sampling(temperature: f32) -> Sampling {
    Sampling { temperature: Some(temperature), seed: Some(1), ..Sampling::default() }
}

fn next(sampling: Sampling, logits: &[f32], seen: &[u32]) -> Option<u32> {
    Sampler::new(sampling).next(&mut logits.to_vec(), seen.iter().copied())
}

#[test]
fn greedy_takes_the_first_of_the_greatest() {
    assert_eq!(next(Sampling::default(), &[1.0, 3.0, 3.0, f32::NAN], &[]), Some(1));
    assert_eq!(next(Sampling::default(), &[f32::NAN], &[]), None);
    assert_eq!(next(sampling(1.0), &[f32::NAN], &[]), None);
}

#[test]
fn the_penalty_divides_positive_and_multiplies_negative_logits_once() {
    let penalty = Sampling { repetition_penalty: Some(2.0), ..Sampling::default() };
    let mut logits = vec![4.0, -1.0, 2.5, 0.5];
    assert_eq!(Sampler::new(penalty).next(&mut logits, [0, 1, 0, 0, 99]), Some(2));
    assert_eq!(logits, [2.0, -2.0, 2.5, 0.5]);
}

#[test]
fn tokens_come_as_often_as_their_probabilities_say() {
    let probabilities = [0.5_f32, 0.3, 0.15, 0.05];
    let logits = probabilities.map(f32::ln);
    let mut sampler = Sampler::new(sampling(1.0));
    let mut counts = [0_u32; 4];
    for _ in 0..20_000 {
        counts[sampler.next(&mut logits.to_vec(), []).unwrap() as usize] += 1;
    }
    for (count, probability) in counts.iter().zip(probabilities) {
        let share = *count as f32 / 20_000.0;
        assert!((share - probability).abs() < 0.015, "{share} instead of {probability}");
    }
}

proptest! {
    #[test]
    fn what_is_sampled_lies_within_top_k_and_the_nucleus(
        logits in prop::collection::vec(-8.0_f32..8.0, 1..60),
        top_k in 0_u32..20,
        top_p in 0.01_f32..=1.0,
        temperature in 0.1_f32..3.0,
        seed: u64,
    ) {
        let rules = Sampling {
            temperature: Some(temperature),
            top_p: Some(top_p),
            top_k: Some(top_k),
            repetition_penalty: None,
            seed: Some(seed),
        };
        let id = next(rules, &logits, &[]).unwrap() as usize;
        prop_assert_eq!(next(rules, &logits, &[]), Some(id as u32));

        let mut order: Vec<usize> = (0..logits.len()).collect();
        order.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]));
        order.truncate(if top_k == 0 { logits.len() } else { top_k as usize });
        prop_assert!(order.contains(&id));
        let weights: Vec<f64> = order.iter().map(|&id| f64::from(logits[id] / temperature).exp()).collect();
        let sum: f64 = weights.iter().sum();
        let rank = order.iter().position(|&other| other == id).unwrap();
        let before: f64 = weights[..rank].iter().sum();
        // A token belongs to the nucleus when those before it do not reach `top_p` yet.
        prop_assert!(before / sum < f64::from(top_p) + 1e-3, "rank {rank}: {}", before / sum);
    }
}
