//! What a GGUF file says about its model: copied from another, or made of a folder of Hugging Face.

use std::collections::BTreeMap;
use std::path::Path;

use qianshou_gguf::{Array, Gguf, GgufWriter, Value};
use qianshou_model::{Checkpoint, Family, ModelConfig, RopeScaling};
use qianshou_tokenizer::{Specials, Tokenizer};
use serde_json::Value as Json;

use crate::TrainError;

pub(super) type Metadata = BTreeMap<String, Value>;

/// The metadata for a model of the shape, vocabulary and chat template of a checkpoint.
pub(super) fn metadata(base: &Checkpoint) -> Result<Metadata, TrainError> {
    if let Some(gguf) = base.gguf() {
        return Ok(gguf.entries().map(|(key, value)| (key.to_owned(), value.clone())).collect());
    }
    let mut metadata = Metadata::new();
    describe(base.config(), &mut metadata)?;
    add_vocabulary(base, &mut metadata)?;
    check_vocabulary(base, &metadata)?;
    Ok(metadata)
}

fn refuse(reason: impl Into<String>) -> TrainError {
    let reason = reason.into();
    TrainError::setting("the base", format!("{reason}; export a merged folder (--form merged) and convert that"))
}

/// The shape.
fn describe(config: &ModelConfig, metadata: &mut Metadata) -> Result<(), TrainError> {
    let architecture = match config.family {
        Family::Qwen2 => "qwen2",
        Family::Qwen3 => "qwen3",
        Family::Llama => "llama",
        // Qwen 1 among them: its vocabulary stands in a file of its own form.
        _ => return Err(refuse("folders of its family cannot be put into GGUF here")),
    };
    if !config.windows.is_empty() {
        return Err(refuse("GGUF has no place for its attention windows"));
    }
    metadata.insert("general.architecture".to_owned(), Value::String(architecture.to_owned()));
    let mut insert = |field: &str, value: Value| {
        metadata.insert(format!("{architecture}.{field}"), value);
    };
    for (field, size) in [
        ("context_length", config.context_window),
        ("embedding_length", config.hidden_size),
        ("block_count", config.layers),
        ("feed_forward_length", config.feed_forward_size),
        ("attention.head_count", config.heads),
        ("attention.head_count_kv", config.key_value_heads),
        ("attention.key_length", config.head_size),
        ("attention.value_length", config.head_size),
        ("rope.dimension_count", config.head_size),
        ("vocab_size", config.vocabulary_size),
    ] {
        insert(field, Value::U32(u32::try_from(size).unwrap_or(u32::MAX)));
    }
    insert("attention.layer_norm_rms_epsilon", Value::F32(config.norm_epsilon as f32));
    insert("rope.freq_base", Value::F32(config.rope_theta as f32));
    match config.rope_scaling {
        RopeScaling::None => {}
        RopeScaling::Linear { factor } => {
            insert("rope.scaling.type", Value::String("linear".to_owned()));
            insert("rope.scaling.factor", Value::F32(factor as f32));
        }
        RopeScaling::Yarn { factor, original_context, .. } => {
            insert("rope.scaling.type", Value::String("yarn".to_owned()));
            insert("rope.scaling.factor", Value::F32(factor as f32));
            let original = u32::try_from(original_context).unwrap_or(u32::MAX);
            insert("rope.scaling.original_context_length", Value::U32(original));
        }
    }
    Ok(())
}

/// Types of tokens, by their numbers in llama.cpp.
const NORMAL: i32 = 1;
const CONTROL: i32 = 3;
const USER_DEFINED: i32 = 4;
const UNUSED: i32 = 5;

/// Tokens, merges, the way in which text is split, and the chat template.
fn add_vocabulary(base: &Checkpoint, metadata: &mut Metadata) -> Result<(), TrainError> {
    let json = read_json(&base.path().join("tokenizer.json"))?;
    let settings = read_json(&base.path().join("tokenizer_config.json")).unwrap_or_default();
    let vocabulary = json["model"]["vocab"].as_object().ok_or_else(|| refuse("its tokenizer is no BPE"))?;
    let size = base.config().vocabulary_size;
    let mut tokens: Vec<String> = (0..size).map(|id| format!("[PAD{id}]")).collect();
    let mut types = vec![UNUSED; size];
    let mut put = |id: &Json, text: &str, kind: i32| {
        let place = id.as_u64().and_then(|id| usize::try_from(id).ok()).filter(|place| *place < size);
        let place = place.ok_or_else(|| refuse(format!("the token `{text}` lies outside its vocabulary")))?;
        (tokens[place], types[place]) = (text.to_owned(), kind);
        Ok::<_, TrainError>(())
    };
    for (text, id) in vocabulary {
        put(id, text, NORMAL)?;
    }
    for token in json["added_tokens"].as_array().into_iter().flatten() {
        let kind = if token["special"] == true { CONTROL } else { USER_DEFINED };
        put(&token["id"], token["content"].as_str().unwrap_or_default(), kind)?;
    }
    let merge = |merge: &Json| match merge {
        Json::String(line) => Some(line.clone()),
        Json::Array(pair) => Some(format!("{} {}", pair.first()?.as_str()?, pair.get(1)?.as_str()?)),
        _ => None,
    };
    let merges = json["model"]["merges"].as_array().map_or(Some(Vec::new()), |all| all.iter().map(merge).collect());
    let merges = merges.ok_or_else(|| refuse("a merge of its tokenizer cannot be read"))?;
    for (key, name) in [("bos", "bos_token"), ("eos", "eos_token"), ("padding", "pad_token")] {
        let text = settings[name].as_str().or_else(|| settings[name]["content"].as_str());
        if let Some(id) = text.and_then(|text| tokens.iter().position(|token| token == text)) {
            metadata.insert(format!("tokenizer.ggml.{key}_token_id"), Value::U32(u32::try_from(id).unwrap_or(0)));
        }
    }
    let template = std::fs::read_to_string(base.path().join("chat_template.jinja")).ok();
    let template = template.or_else(|| settings["chat_template"].as_str().map(str::to_owned));
    if let Some(template) = template {
        metadata.insert("tokenizer.chat_template".to_owned(), Value::String(template));
    }
    for (key, value) in [
        ("model", Value::String("gpt2".to_owned())),
        ("pre", Value::String(splitting(&json["pre_tokenizer"])?.to_owned())),
        ("tokens", Value::Array(Array::String(tokens))),
        ("token_type", Value::Array(Array::I32(types))),
        ("merges", Value::Array(Array::String(merges))),
        ("add_bos_token", Value::Bool(false)),
    ] {
        metadata.insert(format!("tokenizer.ggml.{key}"), value);
    }
    Ok(())
}

/// The name in GGUF of a way to split text, by what tells it from others; [`check_vocabulary`] finds out whether it
/// is that one.
fn splitting(pre_tokenizer: &Json) -> Result<&'static str, TrainError> {
    let text = pre_tokenizer.to_string();
    match () {
        () if text.contains(r"\\p{N}{1,3}") => Ok("llama-bpe"),
        () if text.contains(r"|\\p{N}|") => Ok("qwen2"),
        () if text.contains("\"Digits\"") => Ok("smollm"),
        () if text.contains("\"ByteLevel\"") => Ok("gpt-2"),
        () => Err(refuse("its way to split text has no name in GGUF")),
    }
}

/// A text with what the ways to split text treat differently.
const SAMPLE: &str =
    "It's 12345.67 km,\n\n  and I'LL pay 99% (千手, naïve café) — x_1 = {\"a\": [1, 22, 333]}; \t end…  ";

/// Whether the tokenizer in the metadata does what that of the folder does.
fn check_vocabulary(base: &Checkpoint, metadata: &Metadata) -> Result<(), TrainError> {
    let entries = metadata.iter().map(|(key, value)| (key.as_str(), value));
    let failed = |reason: String| refuse(format!("its tokenizer cannot be put into GGUF: {reason}"));
    let header = GgufWriter::begin(Vec::new(), entries, &[]).and_then(GgufWriter::finish);
    let header = header.map_err(|error| failed(error.to_string()))?;
    let gguf = Gguf::parse(&header).map_err(|error| failed(error.to_string()))?;
    let made = Tokenizer::from_gguf(&gguf).map_err(|error| failed(error.to_string()))?;
    let encode = |tokenizer: &Tokenizer| tokenizer.encode(SAMPLE, Specials::None);
    if encode(&made) != encode(&base.tokenizer()?) {
        return Err(failed("it splits text in a way that has no name there".to_owned()));
    }
    Ok(())
}

fn read_json(path: &Path) -> Result<Json, TrainError> {
    let text = std::fs::read(path).map_err(TrainError::io(path))?;
    serde_json::from_slice(&text).map_err(|error| TrainError::Data {
        path: path.to_owned(),
        line: error.line(),
        reason: error.to_string(),
    })
}
