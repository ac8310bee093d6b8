//! Small checkpoints made for a test, as a Hugging Face folder and as the GGUF of the same weights.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(dead_code, clippy::allow_attributes, reason = "no test file uses all of it")]

pub(crate) mod pytorch;

use std::path::Path;

use half::{bf16, f16};
use safetensors::Dtype;
use safetensors::tensor::TensorView;

pub(crate) const HIDDEN: usize = 256;
pub(crate) const HEADS: usize = 4;
pub(crate) const KEY_VALUE_HEADS: usize = 2;
pub(crate) const INNER: usize = 256;
pub(crate) const LAYERS: usize = 2;
pub(crate) const VOCABULARY: usize = 128;

/// A tensor under its Hugging Face and its GGUF name.
pub(crate) struct Tensor {
    pub(crate) name: String,
    pub(crate) gguf_name: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Vec<f32>,
}

/// The tensors of a random model; `biases` as Qwen 2 has them.
pub(crate) fn random_tensors(biases: bool) -> Vec<Tensor> {
    let mut state = 1_u64;
    let mut random = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1_u64 << 24) as f32 - 0.5
    };
    let key_value = HIDDEN / HEADS * KEY_VALUE_HEADS;
    let mut specs = vec![
        ("model.embed_tokens".to_owned(), "token_embd".to_owned(), vec![VOCABULARY, HIDDEN]),
        ("model.norm".to_owned(), "output_norm".to_owned(), vec![HIDDEN]),
        ("lm_head".to_owned(), "output".to_owned(), vec![VOCABULARY, HIDDEN]),
    ];
    let mut bias_specs = Vec::new();
    for layer in 0..LAYERS {
        for (name, gguf_name, shape) in [
            ("input_layernorm", "attn_norm", vec![HIDDEN]),
            ("post_attention_layernorm", "ffn_norm", vec![HIDDEN]),
            ("self_attn.q_proj", "attn_q", vec![HIDDEN, HIDDEN]),
            ("self_attn.k_proj", "attn_k", vec![key_value, HIDDEN]),
            ("self_attn.v_proj", "attn_v", vec![key_value, HIDDEN]),
            ("self_attn.o_proj", "attn_output", vec![HIDDEN, HIDDEN]),
            ("mlp.gate_proj", "ffn_gate", vec![INNER, HIDDEN]),
            ("mlp.up_proj", "ffn_up", vec![INNER, HIDDEN]),
            ("mlp.down_proj", "ffn_down", vec![HIDDEN, INNER]),
        ] {
            let (name, gguf_name) = (format!("model.layers.{layer}.{name}"), format!("blk.{layer}.{gguf_name}"));
            if biases && ["q_proj", "k_proj", "v_proj"].iter().any(|part| name.ends_with(part)) {
                bias_specs.push((name.clone(), gguf_name.clone(), vec![shape[0]]));
            }
            specs.push((name, gguf_name, shape));
        }
    }
    let mut tensor = |(name, gguf_name, shape): (String, String, Vec<usize>), suffix: &str| Tensor {
        name: format!("{name}.{suffix}"),
        gguf_name: format!("{gguf_name}.{suffix}"),
        values: (0..shape.iter().product()).map(|_| random()).collect(),
        shape,
    };
    let mut tensors: Vec<Tensor> = specs.into_iter().map(|spec| tensor(spec, "weight")).collect();
    tensors.extend(bias_specs.into_iter().map(|spec| tensor(spec, "bias")));
    tensors
}

pub(crate) fn config_json(model_type: &str) -> String {
    serde_json::json!({
        "model_type": model_type,
        "hidden_size": HIDDEN,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": KEY_VALUE_HEADS,
        "intermediate_size": INNER,
        "vocab_size": VOCABULARY,
        "max_position_embeddings": 256,
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "tie_word_embeddings": false,
    })
    .to_string()
}

/// Writes `config.json` and the tensors, divided over `shards` files.
pub(crate) fn write_folder(folder: &Path, model_type: &str, tensors: &[Tensor], shards: usize) {
    std::fs::write(folder.join("config.json"), config_json(model_type)).unwrap();
    let write = |file: &str, tensors: &[Tensor]| {
        let bytes: Vec<(String, Vec<usize>, Vec<u8>)> = tensors
            .iter()
            .map(|tensor| {
                let bytes = tensor.values.iter().flat_map(|value| value.to_le_bytes()).collect();
                (tensor.name.clone(), tensor.shape.clone(), bytes)
            })
            .collect();
        let views =
            bytes.iter().map(|(name, shape, bytes)| (name, TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap()));
        safetensors::serialize_to_file(views, None, &folder.join(file)).unwrap();
    };
    if shards == 1 {
        return write("model.safetensors", tensors);
    }
    let mut weight_map = serde_json::Map::new();
    for (number, part) in tensors.chunks(tensors.len().div_ceil(shards)).enumerate() {
        let file = format!("model-{:05}-of-{shards:05}.safetensors", number + 1);
        write(&file, part);
        weight_map.extend(part.iter().map(|tensor| (tensor.name.clone(), file.clone().into())));
    }
    let index = serde_json::json!({ "metadata": {}, "weight_map": weight_map });
    std::fs::write(folder.join("model.safetensors.index.json"), index.to_string()).unwrap();
}

/// Bytes of a tensor in a GGUF type, and the numbers that they stand for.
pub(crate) type Encode<'a> = &'a dyn Fn(&[f32]) -> (Vec<u8>, Vec<f32>);

pub(crate) fn encode_f32(values: &[f32]) -> (Vec<u8>, Vec<f32>) {
    (values.iter().flat_map(|value| value.to_le_bytes()).collect(), values.to_vec())
}

pub(crate) fn encode_f16(values: &[f32]) -> (Vec<u8>, Vec<f32>) {
    let halves: Vec<f16> = values.iter().map(|&value| f16::from_f32(value)).collect();
    (halves.iter().flat_map(|half| half.to_le_bytes()).collect(), halves.iter().map(|half| half.to_f32()).collect())
}

pub(crate) fn encode_bf16(values: &[f32]) -> (Vec<u8>, Vec<f32>) {
    let halves: Vec<bf16> = values.iter().map(|&value| bf16::from_f32(value)).collect();
    (halves.iter().flat_map(|half| half.to_le_bytes()).collect(), halves.iter().map(|half| half.to_f32()).collect())
}

pub(crate) fn encode_q8_0(values: &[f32]) -> (Vec<u8>, Vec<f32>) {
    let (mut bytes, mut stored) = (Vec::new(), Vec::new());
    for block in values.chunks(32) {
        let greatest = block.iter().fold(0.0_f32, |greatest, value| greatest.max(value.abs()));
        let scale = f16::from_f32(greatest / 127.0);
        bytes.extend(scale.to_le_bytes());
        for value in block {
            let quantum = (value / scale.to_f32()).round().clamp(-127.0, 127.0);
            bytes.push((quantum as i8) as u8);
            stored.push(quantum * scale.to_f32());
        }
    }
    (bytes, stored)
}

/// Four-bit quanta of a block, given their scale and the number that quantum 0 stands for.
fn pack(block: &[f32], scale: f32, zero: f32, bytes: &mut Vec<u8>, stored: &mut Vec<f32>) {
    let quanta: Vec<u8> = block.iter().map(|value| ((value - zero) / scale).round().clamp(0.0, 15.0) as u8).collect();
    bytes.extend((0..16).map(|index| quanta[index] | quanta[index + 16] << 4));
    stored.extend(quanta.iter().map(|&quantum| f32::from(quantum) * scale + zero));
}

pub(crate) fn encode_q4_0(values: &[f32]) -> (Vec<u8>, Vec<f32>) {
    let (mut bytes, mut stored) = (Vec::new(), Vec::new());
    for block in values.chunks(32) {
        let greatest = block.iter().fold(0.0_f32, |greatest, value| greatest.max(value.abs()));
        let scale = f16::from_f32(greatest / 8.0);
        bytes.extend(scale.to_le_bytes());
        pack(block, scale.to_f32(), -8.0 * scale.to_f32(), &mut bytes, &mut stored);
    }
    (bytes, stored)
}

pub(crate) fn encode_q4_1(values: &[f32]) -> (Vec<u8>, Vec<f32>) {
    let (mut bytes, mut stored) = (Vec::new(), Vec::new());
    for block in values.chunks(32) {
        let least = block.iter().copied().fold(f32::INFINITY, f32::min);
        let greatest = block.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let (scale, least) = (f16::from_f32((greatest - least) / 15.0), f16::from_f32(least));
        bytes.extend(scale.to_le_bytes());
        bytes.extend(least.to_le_bytes());
        pack(block, scale.to_f32(), least.to_f32(), &mut bytes, &mut stored);
    }
    (bytes, stored)
}

/// Orders the rows of a Llama query or key projection as llama.cpp's converter does: the two halves of
/// a head are interleaved.
fn permute(values: &[f32], heads: usize, columns: usize) -> Vec<f32> {
    let rows: Vec<&[f32]> = values.chunks(columns).collect();
    let head = rows.len() / heads;
    let order = (0..heads).flat_map(|number| {
        (0..head / 2).flat_map(move |pair| [0, 1].map(|half| number * head + half * head / 2 + pair))
    });
    order.flat_map(|row| rows[row].to_vec()).collect()
}

/// Writes the tensors as a GGUF of the given type, and replaces their values by what was stored.
pub(crate) fn write_gguf(path: &Path, architecture: &str, tensors: &mut [Tensor], kind: u32, encode: Encode<'_>) {
    let mut file = Vec::new();
    let string = |file: &mut Vec<u8>, text: &str| {
        file.extend((text.len() as u64).to_le_bytes());
        file.extend(text.as_bytes());
    };
    let integers = [
        ("block_count", LAYERS),
        ("embedding_length", HIDDEN),
        ("feed_forward_length", INNER),
        ("attention.head_count", HEADS),
        ("attention.head_count_kv", KEY_VALUE_HEADS),
        ("context_length", 256),
    ];
    let floats = [("attention.layer_norm_rms_epsilon", 1e-5_f32), ("rope.freq_base", 10_000.0)];
    file.extend(b"GGUF");
    file.extend(3_u32.to_le_bytes());
    file.extend((tensors.len() as u64).to_le_bytes());
    file.extend((1 + integers.len() as u64 + floats.len() as u64).to_le_bytes());
    string(&mut file, "general.architecture");
    file.extend(8_u32.to_le_bytes());
    string(&mut file, architecture);
    for (key, value) in integers {
        string(&mut file, &format!("{architecture}.{key}"));
        file.extend(4_u32.to_le_bytes());
        file.extend((value as u32).to_le_bytes());
    }
    for (key, value) in floats {
        string(&mut file, &format!("{architecture}.{key}"));
        file.extend(6_u32.to_le_bytes());
        file.extend(value.to_le_bytes());
    }
    let mut data = Vec::new();
    for tensor in tensors.iter_mut() {
        // Vectors stay F32, as converters keep them.
        let (kind, encode) = if tensor.shape.len() == 1 { (0, &encode_f32 as Encode<'_>) } else { (kind, encode) };
        let heads = match tensor.name.as_str() {
            name if name.ends_with("q_proj.weight") => Some(HEADS),
            name if name.ends_with("k_proj.weight") => Some(KEY_VALUE_HEADS),
            _ => None,
        };
        let ordered = match heads {
            Some(heads) if architecture == "llama" => permute(&tensor.values, heads, tensor.shape[1]),
            _ => tensor.values.clone(),
        };
        let (bytes, _) = encode(&ordered);
        // Blocks lie within rows: moving rows does not change what is stored of them.
        tensor.values = encode(&tensor.values).1;
        string(&mut file, &tensor.gguf_name);
        file.extend((tensor.shape.len() as u32).to_le_bytes());
        for &size in tensor.shape.iter().rev() {
            file.extend((size as u64).to_le_bytes());
        }
        file.extend(kind.to_le_bytes());
        file.extend((data.len() as u64).to_le_bytes());
        data.extend(bytes);
        data.resize(data.len().next_multiple_of(32), 0);
    }
    file.resize(file.len().next_multiple_of(32), 0);
    file.extend(data);
    std::fs::write(path, file).unwrap();
}
