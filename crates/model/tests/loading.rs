//! Files that are not what they should be are refused with an error that names what is wrong.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::path::Path;

use proptest::prelude::*;
use qianshou_gguf::{Gguf, GgufWriter, NewTensor, TensorKind, Value};
use qianshou_model::{Adapter, Checkpoint, ComputeDevice, DeviceChoice, ModelConfig, ModelError, RopeScaling};
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

/// The shape that a GGUF file tells, with these entries and tensors besides those that it needs.
fn gguf_config(architecture: &str, entries: &[(&str, Value)], tensors: &[&str]) -> Result<ModelConfig, ModelError> {
    let sizes = [
        ("block_count", 1),
        ("embedding_length", 8),
        ("feed_forward_length", 8),
        ("attention.head_count", 2),
        ("context_length", 64),
    ];
    let entries = sizes.map(|(field, size)| (field, Value::U32(size))).into_iter().chain(entries.iter().cloned());
    let mut metadata: Vec<(String, Value)> =
        entries.map(|(field, value)| (format!("{architecture}.{field}"), value)).collect();
    metadata.push(("general.architecture".to_owned(), Value::String(architecture.to_owned())));
    let tensor = |name: &&str| NewTensor { name: (*name).to_owned(), shape: vec![4, 8], kind: TensorKind::F32 };
    let tensors: Vec<NewTensor> = ["token_embd.weight"].iter().chain(tensors).map(tensor).collect();
    let metadata = metadata.iter().map(|(key, value)| (key.as_str(), value));
    let mut writer = GgufWriter::begin(Vec::new(), metadata, &tensors).unwrap();
    tensors.iter().for_each(|_| writer.tensor(&[0; 4 * 4 * 8]).unwrap());
    ModelConfig::from_gguf(&Gguf::parse(&writer.finish().unwrap()).unwrap(), Path::new("model.gguf"))
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
        ("num_hidden_layers", serde_json::json!(4097)),
        ("rope_scaling", serde_json::json!({ "rope_type": "unheard-of" })),
        ("rope_scaling", serde_json::json!({ "rope_type": "yarn", "factor": 1e30 })),
    ] {
        let folder = folder(1);
        edit_config(folder.path(), field, value);
        let error = load(folder.path(), None).unwrap_err();
        assert!(matches!(error, ModelError::Config { .. }), "{field}: {error}");
    }
}

#[test]
fn the_greatest_sizes_are_counted_without_overflow() {
    let size = 1 << 24;
    let config = serde_json::json!({
        "model_type": "qwen2",
        "hidden_size": size,
        "num_hidden_layers": 4096,
        "num_attention_heads": size,
        "head_dim": size,
        "intermediate_size": size,
        "vocab_size": size,
        "max_position_embeddings": size,
    });
    let config = ModelConfig::from_hugging_face(&config, Path::new("config.json")).unwrap();
    assert_eq!(config.parameters(), usize::MAX);
}

#[test]
fn yarn_lengthens_the_context() {
    let folder = folder(1);
    let context = |scaling: serde_json::Value| {
        edit_config(folder.path(), "rope_scaling", scaling);
        Checkpoint::open(folder.path()).unwrap().config().context_window
    };
    let yarn = |original: usize| {
        let scaling = serde_json::json!({"type": "yarn", "factor": 4.0, "original_max_position_embeddings": original});
        context(scaling)
    };
    assert_eq!(yarn(256), 1024);
    // `max_position_embeddings` is 256: here it is the stretched context already.
    assert_eq!(yarn(64), 256);
    assert_eq!(context(serde_json::json!({"type": "linear", "factor": 4.0})), 256);

    let yarn = [
        ("rope.scaling.type", Value::String("yarn".to_owned())),
        ("rope.scaling.factor", Value::F32(4.0)),
        ("rope.scaling.original_context_length", Value::U32(64)),
    ];
    assert_eq!(gguf_config("qwen2", &yarn, &[]).unwrap().context_window, 256);
    assert_eq!(gguf_config("qwen2", &[], &[]).unwrap().context_window, 64);
}

#[test]
fn tensors_of_a_gguf_that_change_the_numbers_are_used_or_refused() {
    for (architecture, tensor) in [
        ("llama", "rope_freqs.weight"),
        ("llama", "blk.0.attn_q.bias"),
        ("llama", "blk.0.attn_output.bias"),
        ("qwen3", "blk.0.attn_k.bias"),
    ] {
        let error = gguf_config(architecture, &[], &[tensor]).unwrap_err();
        assert!(matches!(&error, ModelError::Config { field, .. } if field == tensor), "{error}");
    }
    assert!(gguf_config("qwen2", &[], &["blk.0.attn_q.bias"]).unwrap().attention_bias);
    assert!(!gguf_config("llama", &[], &[]).unwrap().attention_bias);
}

#[test]
fn the_linear_factor_of_old_ggufs_is_used() {
    let scaling = |factor| {
        let entry = ("rope.scale_linear", Value::F32(factor));
        gguf_config("llama", &[entry], &[]).unwrap().rope_scaling
    };
    assert_eq!(scaling(4.0), RopeScaling::Linear { factor: 4.0 });
    assert_eq!(scaling(1.0), RopeScaling::None);
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

#[test]
fn an_adapter_of_a_weight_that_is_stored_and_not_used_is_refused() {
    let folder = folder(1);
    let load = || load(folder.path(), Some(adapter("lm_head", common::VOCABULARY, common::HIDDEN, 2).unwrap()));
    load().unwrap();
    edit_config(folder.path(), "tie_word_embeddings", true.into());
    let message = load().unwrap_err().to_string();
    assert!(message.contains("`lm_head.weight`, which this model does not have"), "{message}");
}

#[test]
fn an_adapter_that_would_be_merged_in_part_or_at_another_scale_is_refused() {
    let bytes = [0; 4 * 2 * 256];
    let open = |config: &str, factors: &[&str]| {
        let tensor = |factor: &&str| {
            let shape = if *factor == "A" { vec![2, 256] } else { vec![256, 2] };
            let name = format!("base_model.model.model.layers.0.self_attn.o_proj.lora_{factor}.weight");
            (name, TensorView::new(Dtype::F32, shape, &bytes).unwrap())
        };
        let tensors = safetensors::serialize(factors.iter().map(tensor), None).unwrap();
        Adapter::from_bytes("an-adapter", config.as_bytes(), &tensors).map_err(|error| error.to_string())
    };
    let plain = r#"{"peft_type": "LORA", "r": 2, "lora_alpha": 4, "alpha_pattern": {}, "rank_pattern": null}"#;
    assert!(open(plain, &["A", "B"]).is_ok());
    assert!(open(plain, &["A"]).unwrap_err().contains("o_proj` has no lora_B"));
    assert!(open(plain, &["B"]).unwrap_err().contains("o_proj` has no lora_A"));
    for pattern in ["alpha_pattern", "rank_pattern"] {
        let config = format!(r#"{{"peft_type": "LORA", "r": 2, "lora_alpha": 4, "{pattern}": {{"o_proj": 8}}}}"#);
        assert!(open(&config, &["A", "B"]).unwrap_err().contains(pattern));
    }
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
