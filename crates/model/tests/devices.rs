//! What a device can bind, and in which type it computes, changes how weights are held but not what they mean.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use qianshou_model::{Checkpoint, ComputeDevice, Decoder, ModelError, Precision, verify};

fn goldens(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens").join(name)
}

fn load(name: &str, device: ComputeDevice) -> Decoder {
    Checkpoint::open(&goldens(name)).unwrap().load(device, None).unwrap()
}

fn worst_error(name: &str, decoder: &Decoder) -> f32 {
    let reports = verify(decoder, &goldens(name).join("expected.safetensors")).unwrap();
    reports.iter().map(|report| report.max_error).fold(0.0, f32::max)
}

#[test]
fn weights_beyond_the_binding_limit_are_held_in_parts() {
    // The embeddings have 512 rows of 64 to 128 numbers: a few dozen parts, the last of them shorter.
    for limit in [10_000, 3_000] {
        for name in ["qwen1-plain", "qwen2-gqa-tied", "qwen2-mha-untied", "qwen3-qknorm"] {
            let decoder = load(name, ComputeDevice::cpu().with_binding_limit(limit));
            let error = worst_error(name, &decoder);
            assert!(error <= 1e-4, "{name} by {limit} bytes: {error}");
        }
    }
}

#[test]
fn half_precision_halves_the_weights_and_keeps_the_meaning() {
    for name in ["qwen1-plain", "qwen2-gqa-tied", "qwen3-qknorm"] {
        let whole = load(name, ComputeDevice::cpu());
        let half = load(name, ComputeDevice::cpu().with_precision(Precision::F16).unwrap());
        assert_eq!(half.weight_bytes()["F16"] * 2, whole.weight_bytes()["F32"], "{name}");
        assert_eq!(half.weight_bytes().len(), 1, "{name}");
        let error = worst_error(name, &half);
        assert!(error > 0.0 && error < 2e-2, "{name}: {error}");
    }
}

#[test]
fn a_weight_beyond_the_range_of_f16_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let source = goldens("qwen2-mha-untied");
    for file in ["config.json", "model.safetensors"] {
        std::fs::copy(source.join(file), folder.path().join(file)).unwrap();
    }
    let file = folder.path().join("model.safetensors");
    let mut bytes = std::fs::read(&file).unwrap();
    let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let tensors: serde_json::Value = serde_json::from_slice(&bytes[8..header]).unwrap();
    let start = tensors["lm_head.weight"]["data_offsets"][0].as_u64().unwrap() as usize + header;
    bytes[start..start + 4].copy_from_slice(&1e6_f32.to_le_bytes());
    std::fs::write(&file, bytes).unwrap();

    let device = ComputeDevice::cpu().with_precision(Precision::F16).unwrap();
    let decoder = Checkpoint::open(folder.path()).unwrap().load(device, None).unwrap();
    let held = decoder.weight_bytes();
    let config = decoder.config();
    assert_eq!(held["F32"], config.vocabulary_size * config.hidden_size * 4);
    assert!(held["F16"] > 0);
    let logits = decoder.extend(&mut decoder.new_cache(), &[1, 2, 3]).unwrap();
    assert!(logits.iter().all(|logit| logit.is_finite()));
}

#[test]
fn an_unknown_precision_is_an_error_that_names_the_known_ones() {
    let error = "int3".parse::<Precision>().unwrap_err();
    assert!(matches!(&error, ModelError::Precision { .. }), "{error}");
    assert!(error.to_string().contains("auto, f32 or f16"), "{error}");
}

#[cfg(target_os = "linux")]
#[test]
fn f32_weights_stay_in_the_file_while_the_model_lives() {
    let folder = tempfile::tempdir().unwrap();
    for file in ["config.json", "model.safetensors"] {
        std::fs::copy(goldens("qwen2-mha-untied").join(file), folder.path().join(file)).unwrap();
    }
    let is_mapped = || {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        maps.lines().any(|line| line.contains(&*folder.path().to_string_lossy()))
    };
    let decoder = Checkpoint::open(folder.path()).unwrap().load(ComputeDevice::cpu(), None).unwrap();
    assert!(is_mapped());
    drop(decoder);
    assert!(!is_mapped());
}
