//! Files that are not what they should be are refused with an error that names what is wrong.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::path::Path;

use proptest::prelude::*;
use qianshou_model::{Adapter, Checkpoint, ComputeDevice, DeviceChoice, ModelError};
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use tempfile::TempDir;

fn folder(shards: usize) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    common::write_folder(folder.path(), "qwen2", &common::random_tensors(true), shards);
    folder
}

fn load(path: &Path, adapter: Option<Adapter>) -> Result<(), ModelError> {
    Checkpoint::open(path)?.load(ComputeDevice::cpu(), adapter).map(drop)
}

fn message(path: &Path) -> String {
    load(path, None).unwrap_err().to_string()
}

fn edit_config(folder: &Path, field: &str, value: serde_json::Value) {
    let path = folder.join("config.json");
    let mut config: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    config[field] = value;
    std::fs::write(path, config.to_string()).unwrap();
}

fn adapter(weight: &str, rows: usize, columns: usize, rank: usize) -> Result<Adapter, ModelError> {
    let config = r#"{"peft_type": "LORA", "r": 2, "lora_alpha": 4}"#;
    let (a, b) = (vec![1_u8; 4 * rank * columns], vec![1_u8; 4 * rows * rank]);
    let name = |factor: &str| format!("base_model.model.{weight}.lora_{factor}.weight");
    let tensors = [
        (name("A"), TensorView::new(Dtype::F32, vec![rank, columns], &a).unwrap()),
        (name("B"), TensorView::new(Dtype::F32, vec![rows, rank], &b).unwrap()),
    ];
    Adapter::from_bytes("an-adapter", config.as_bytes(), &safetensors::serialize(tensors, None).unwrap())
}

#[test]
fn nothing_there() {
    assert!(message(Path::new("/no/such/model")).contains("nothing is there"));
    assert!(message(tempfile::tempdir().unwrap().path()).contains("config.json"));
}

#[test]
fn a_missing_shard_is_named() {
    let folder = folder(3);
    std::fs::remove_file(folder.path().join("model-00002-of-00003.safetensors")).unwrap();
    let message = message(folder.path());
    assert!(message.contains("model-00002-of-00003.safetensors is missing"), "{message}");
}

#[test]
fn a_missing_tensor_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut tensors = common::random_tensors(true);
    tensors.retain(|tensor| tensor.name != "model.layers.1.mlp.up_proj.weight");
    common::write_folder(folder.path(), "qwen2", &tensors, 1);
    assert!(message(folder.path()).contains("`model.layers.1.mlp.up_proj.weight` is missing"));
}

#[test]
fn a_wrong_vocabulary_size_is_a_shape_error() {
    let folder = folder(1);
    edit_config(folder.path(), "vocab_size", 500.into());
    let message = message(folder.path());
    assert!(message.contains("model.embed_tokens.weight") && message.contains("[500, 256]"), "{message}");
}

#[test]
fn an_unknown_family_is_named() {
    let folder = folder(1);
    edit_config(folder.path(), "model_type", "mamba".into());
    assert!(message(folder.path()).contains("`mamba` is not supported"));
}

#[test]
fn fields_out_of_range_are_named() {
    for (field, value) in [
        ("hidden_size", serde_json::json!(0)),
        ("num_attention_heads", serde_json::json!(3)),
        ("num_key_value_heads", serde_json::json!(3)),
        ("num_hidden_layers", serde_json::json!("two")),
        ("hidden_size", serde_json::json!(u64::MAX)),
        ("rope_scaling", serde_json::json!({ "rope_type": "unheard-of" })),
    ] {
        let folder = folder(1);
        edit_config(folder.path(), field, value);
        let error = load(folder.path(), None).unwrap_err();
        assert!(matches!(error, ModelError::Config { .. }), "{field}: {error}");
    }
}

#[test]
fn a_device_that_does_not_exist_is_an_error() {
    assert!("tpu".parse::<DeviceChoice>().unwrap_err().to_string().contains("auto, cpu, wgpu"));
    let error = ComputeDevice::open(DeviceChoice::Wgpu(99)).unwrap_err();
    assert!(error.to_string().contains("wgpu:99"), "{error}");
}

#[test]
fn an_adapter_changes_the_weights_it_names() {
    let folder = folder(1);
    let logits = |adapter| {
        let decoder = Checkpoint::open(folder.path()).unwrap().load(ComputeDevice::cpu(), adapter).unwrap();
        decoder.extend(&mut decoder.new_cache(), &[1, 2, 3]).unwrap()
    };
    // A factor of ones bytes is a tiny positive number: the change is small, but not nothing.
    let weights: Vec<f32> = vec![0.5; 2 * 256];
    let bytes: Vec<u8> = weights.iter().flat_map(|value| value.to_le_bytes()).collect();
    let name = |factor: &str| format!("base_model.model.model.layers.0.self_attn.o_proj.lora_{factor}.weight");
    let tensors = [
        (name("A"), TensorView::new(Dtype::F32, vec![2, 256], &bytes).unwrap()),
        (name("B"), TensorView::new(Dtype::F32, vec![256, 2], &bytes).unwrap()),
    ];
    let config = br#"{"peft_type": "LORA", "r": 2, "lora_alpha": 4}"#;
    let adapter = Adapter::from_bytes("test", config, &safetensors::serialize(tensors, None).unwrap()).unwrap();
    let merged = logits(Some(adapter));

    // The same by hand: every weight grows by α / r · Σ over the rank of 0.5 · 0.5.
    let by_hand = tempfile::tempdir().unwrap();
    let mut tensors = common::random_tensors(true);
    for tensor in &mut tensors {
        if tensor.name == "model.layers.0.self_attn.o_proj.weight" {
            tensor.values.iter_mut().for_each(|value| *value += 2.0 * 2.0 * 0.25);
        }
    }
    common::write_folder(by_hand.path(), "qwen2", &tensors, 1);
    let decoder = Checkpoint::open(by_hand.path()).unwrap().load(ComputeDevice::cpu(), None).unwrap();
    let expected = decoder.extend(&mut decoder.new_cache(), &[1, 2, 3]).unwrap();
    let difference = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(difference(&merged, &expected) < 1e-4);
    assert!(difference(&merged, &logits(None)) > 1e-2);
}

#[test]
fn an_adapter_for_another_model_is_refused() {
    let folder = folder(1);
    let load = |adapter| load(folder.path(), Some(adapter)).unwrap_err().to_string();
    let other_shape = load(adapter("model.layers.0.mlp.up_proj", 80, 256, 2).unwrap());
    assert!(other_shape.contains("[80, 256]") && other_shape.contains("[256, 256]"), "{other_shape}");
    let other_layers = load(adapter("model.layers.9.mlp.up_proj", 256, 256, 2).unwrap());
    assert!(other_layers.contains("model.layers.9.mlp.up_proj"), "{other_layers}");
    assert!(adapter("model.layers.0.mlp.up_proj", 256, 256, 3).unwrap_err().to_string().contains("rank 3"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Cut or overwritten anywhere, a file loads or is refused; nothing panics.
    #[test]
    fn damaged_files_never_panic(
        gguf: bool,
        at in 0.0..1.0_f64,
        change in prop_oneof![Just(None), prop::collection::vec(any::<u8>(), 1..9).prop_map(Some)],
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut tensors = common::random_tensors(true);
        let path = if gguf {
            let path = folder.path().join("model.gguf");
            common::write_gguf(&path, "qwen2", &mut tensors, 8, &common::encode_q8_0);
            path
        } else {
            common::write_folder(folder.path(), "qwen2", &tensors, 1);
            folder.path().join("model.safetensors")
        };
        let mut bytes = std::fs::read(&path).unwrap();
        // The header is where damage is interesting.
        let at = (bytes.len().min(8192) as f64 * at) as usize;
        match &change {
            None => bytes.truncate(at),
            Some(change) => {
                let end = (at + change.len()).min(bytes.len());
                bytes[at..end].copy_from_slice(&change[..end - at]);
            }
        }
        std::fs::write(&path, bytes).unwrap();
        let result = load(if gguf { &path } else { folder.path() }, None);
        prop_assert!(change.is_some() || result.is_err());
    }
}
