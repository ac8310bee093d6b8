//! A cache that is cut back and extended again gives what a fresh one gives.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::sync::LazyLock;

use proptest::prelude::*;
use qianshou_model::{Checkpoint, ComputeDevice, Decoder};

static DECODER: LazyLock<Decoder> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/qwen2-gqa-tied");
    Checkpoint::open(&folder).unwrap().load(ComputeDevice::cpu(), None).unwrap()
});

/// Tokens up to beyond the cache's first growth.
fn ids(longest: usize) -> impl Strategy<Value = Vec<u32>> {
    prop::collection::vec(0_u32..512, 1..longest)
}

fn assert_close(a: &[f32], b: &[f32]) {
    let error = a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert_eq!(a.len(), b.len());
    assert!(error < 1e-4, "logits differ by {error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn cut_and_extended_equals_fresh(first in ids(300), cut in 0.0..1.0_f64, second in ids(300)) {
        let mut cache = DECODER.new_cache();
        DECODER.extend(&mut cache, &first).unwrap();
        let kept = (first.len() as f64 * cut) as usize;
        cache.truncate(kept);
        let reused = DECODER.extend(&mut cache, &second).unwrap();

        let sequence = [&first[..kept], &second].concat();
        prop_assert_eq!(cache.ids(), sequence.as_slice());
        let fresh = DECODER.extend(&mut DECODER.new_cache(), &sequence).unwrap();
        assert_close(&reused, &fresh);
    }

    #[test]
    fn any_split_equals_one_pass(sequence in prop::collection::vec(0_u32..512, 2..80), at in 0.0..1.0_f64) {
        let at = 1 + ((sequence.len() - 1) as f64 * at) as usize;
        let whole = DECODER.extend_all(&mut DECODER.new_cache(), &sequence).unwrap();
        let mut cache = DECODER.new_cache();
        let mut parts = DECODER.extend_all(&mut cache, &sequence[..at]).unwrap();
        parts.extend(DECODER.extend_all(&mut cache, &sequence[at..]).unwrap());
        assert_close(&whole, &parts);
    }
}

#[test]
fn a_prompt_longer_than_one_pass_equals_token_by_token() {
    let sequence: Vec<u32> = (0..700).map(|index| index * 31 % 512).collect();
    let whole = DECODER.extend(&mut DECODER.new_cache(), &sequence).unwrap();
    let mut cache = DECODER.new_cache();
    DECODER.extend(&mut cache, &sequence[..600]).unwrap();
    let mut last = Vec::new();
    for &id in &sequence[600..] {
        last = DECODER.extend(&mut cache, &[id]).unwrap();
    }
    assert_close(&whole, &last);
}

/// A conversation that shares nothing with the one before, and is longer than what the cache has room for.
#[test]
fn a_cache_that_was_emptied_grows() {
    let sequence: Vec<u32> = (0..300).map(|index| index * 31 % 512).collect();
    let mut cache = DECODER.new_cache();
    DECODER.extend(&mut cache, &[7, 8, 9]).unwrap();
    cache.truncate(0);
    let reused = DECODER.extend(&mut cache, &sequence).unwrap();
    assert_close(&reused, &DECODER.extend(&mut DECODER.new_cache(), &sequence).unwrap());
}

#[test]
fn tokens_that_cannot_be_computed_are_refused() {
    let mut cache = DECODER.new_cache();
    assert!(DECODER.extend(&mut cache, &[]).unwrap_err().to_string().contains("there are none"));
    let error = DECODER.extend(&mut cache, &[1, 512]).unwrap_err().to_string();
    assert!(error.contains("id 512 is outside the vocabulary of 512"), "{error}");
    assert!(cache.ids().is_empty());
}
