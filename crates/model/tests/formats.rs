//! One model in every file format gives the same logits.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::path::Path;

use common::{Encode, VOCABULARY};
use qianshou_model::{Checkpoint, ComputeDevice};

fn logits(path: &Path) -> Vec<f32> {
    let decoder = Checkpoint::open(path).unwrap().load(ComputeDevice::cpu(), None).unwrap();
    let ids: Vec<u32> = (0..40).map(|index| index * 37 % VOCABULARY as u32).collect();
    decoder.extend_all(&mut decoder.new_cache(), &ids).unwrap()
}

fn assert_close(a: &[f32], b: &[f32], what: &str) {
    let error = a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(a.len() == b.len() && error < 1e-4, "{what}: logits differ by {error}");
    assert!(a.iter().any(|logit| logit.abs() > 0.1), "{what}: the logits say nothing");
}

#[test]
fn gguf_of_every_type_equals_the_folder_of_the_same_numbers() {
    let kinds: [(&str, u32, Encode<'_>); 6] = [
        ("F32", 0, &common::encode_f32),
        ("F16", 1, &common::encode_f16),
        ("Q4_0", 2, &common::encode_q4_0),
        ("Q4_1", 3, &common::encode_q4_1),
        ("Q8_0", 8, &common::encode_q8_0),
        ("BF16", 30, &common::encode_bf16),
    ];
    for family in ["qwen2", "llama"] {
        for (name, kind, encode) in kinds {
            let folder = tempfile::tempdir().unwrap();
            let mut tensors = common::random_tensors(family == "qwen2");
            let gguf = folder.path().join("model.gguf");
            common::write_gguf(&gguf, family, &mut tensors, kind, encode);
            common::write_folder(folder.path(), family, &tensors, 1);
            assert_close(&logits(&gguf), &logits(folder.path()), &format!("{family} {name}"));
        }
    }
}

#[test]
fn shards_equal_one_file() {
    let (single, sharded) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let tensors = common::random_tensors(true);
    common::write_folder(single.path(), "qwen2", &tensors, 1);
    common::write_folder(sharded.path(), "qwen2", &tensors, 3);
    assert_eq!(logits(single.path()), logits(sharded.path()));
}

#[test]
fn a_file_of_pytorch_equals_safetensors() {
    let (safetensors, pytorch) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let tensors = common::random_tensors(true);
    common::write_folder(safetensors.path(), "qwen2", &tensors, 1);
    common::pytorch::write_folder(pytorch.path(), "qwen2", &tensors);
    assert_eq!(logits(safetensors.path()), logits(pytorch.path()));
}

/// For the types that no test here can encode, blocks and numbers come from the `gguf` package: every matrix
/// is made of those blocks.
#[test]
fn gguf_of_types_made_elsewhere_equals_the_folder_of_the_same_numbers() {
    let blocks: serde_json::Value = serde_json::from_str(include_str!("goldens/blocks/blocks.json")).unwrap();
    for (name, kind) in [("Q5_0", 6), ("Q5_1", 7), ("Q4_K", 12), ("Q5_K", 13), ("Q6_K", 14)] {
        let hexadecimal = blocks[name]["bytes"].as_str().unwrap().as_bytes();
        let byte = |digits: &[u8]| u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap();
        let bytes: Vec<u8> = hexadecimal.chunks(2).map(byte).collect();
        let numbers = blocks[name]["values"].as_array().unwrap();
        let numbers: Vec<f32> = numbers.iter().map(|number| number.as_f64().unwrap() as f32).collect();
        let encode = |values: &[f32]| {
            let times = values.len() / numbers.len();
            (bytes.repeat(times), numbers.repeat(times))
        };
        let folder = tempfile::tempdir().unwrap();
        let gguf = folder.path().join("model.gguf");
        let mut tensors = common::random_tensors(true);
        common::write_gguf(&gguf, "qwen2", &mut tensors, kind, &encode);
        common::write_folder(folder.path(), "qwen2", &tensors, 1);
        let (from_gguf, from_folder) = (logits(&gguf), logits(folder.path()));
        let error = from_gguf.iter().zip(&from_folder).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(error < 1e-4, "{name}: logits differ by {error}");
        assert!(from_gguf.iter().any(|logit| logit.abs() > 1e-3), "{name}: the logits say nothing");
    }
}
