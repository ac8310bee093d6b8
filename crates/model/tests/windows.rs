//! Attention windows by layer.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use proptest::prelude::*;
use qianshou_model::{AttentionWindows, Checkpoint, ComputeDevice, Decoder, ModelError};

/// A small model with these windows, or with none.
fn decoder(windows: Option<&str>) -> Decoder {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/qwen2-gqa-tied");
    let checkpoint = Checkpoint::open(&folder).unwrap();
    let checkpoint = match windows {
        Some(windows) => checkpoint.with_attention_windows(&windows.parse().unwrap()).unwrap(),
        None => checkpoint,
    };
    checkpoint.load(ComputeDevice::cpu(), None).unwrap()
}

fn last_logits(decoder: &Decoder, ids: &[u32]) -> Vec<f32> {
    decoder.extend(&mut decoder.new_cache(), ids).unwrap()
}

fn error(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// Prompts of equal length whose last `same` tokens are the same, and the one before them is not.
fn prompts(length: usize, same: usize) -> (Vec<u32>, Vec<u32>) {
    let first: Vec<u32> = (0..length).map(|index| (index * 37 % 512) as u32).collect();
    let mut second = first.clone();
    second[length - same - 1] = (first[length - same - 1] + 1) % 512;
    (first, second)
}

#[test]
fn a_token_depends_on_what_its_windows_reach_and_on_nothing_before() {
    let layers = decoder(None).config().layers;
    let windows = format!("0-{}:4", layers - 1);
    let windowed = decoder(Some(&windows));
    // Each layer reaches three tokens further back.
    let reach = 1 + 3 * layers;
    let (first, second) = prompts(40, reach);
    assert_eq!(error(&last_logits(&windowed, &first), &last_logits(&windowed, &second)), 0.0);
    let (first, second) = prompts(40, reach - 1);
    assert!(error(&last_logits(&windowed, &first), &last_logits(&windowed, &second)) > 0.0);
    assert!(error(&last_logits(&decoder(None), &first), &last_logits(&windowed, &first)) > 1e-3);
}

#[test]
fn layers_that_are_not_named_see_everything() {
    let lower = decoder(Some("0:4"));
    let (first, second) = prompts(40, 30);
    assert!(error(&last_logits(&lower, &first), &last_logits(&lower, &second)) > 0.0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn windows_hold_across_passes(split in 1..39_usize, window in 2..20_usize) {
        let windowed = decoder(Some(&format!("0-0:{window}")));
        let ids = prompts(40, 1).0;
        let whole = windowed.extend_all(&mut windowed.new_cache(), &ids).unwrap();
        let mut cache = windowed.new_cache();
        let mut parts = windowed.extend_all(&mut cache, &ids[..split]).unwrap();
        parts.extend(windowed.extend_all(&mut cache, &ids[split..]).unwrap());
        prop_assert!(error(&whole, &parts) < 1e-4);
    }

    #[test]
    fn windows_as_long_as_the_text_change_nothing(longer in 0..20_usize) {
        let windowed = decoder(Some(&format!("0-1:{}", 40 + longer)));
        let ids = prompts(40, 1).0;
        prop_assert_eq!(last_logits(&windowed, &ids), last_logits(&decoder(None), &ids));
    }
}

#[test]
fn windows_that_make_no_sense_are_refused_with_the_form() {
    for text in ["", "4", "a:4", "3-1:4", "0-1:0", "0:4,", "0-1:4;2:4"] {
        let error = text.parse::<AttentionWindows>().unwrap_err();
        assert!(matches!(&error, ModelError::Windows { .. }), "{text}");
        assert!(error.to_string().contains("FIRST-LAST:TOKENS"), "{error}");
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/qwen2-gqa-tied");
    let too_many = "0-99:4".parse().unwrap();
    let error = Checkpoint::open(&folder).unwrap().with_attention_windows(&too_many).unwrap_err();
    assert!(error.to_string().contains("has the layers 0 to"), "{error}");
}
