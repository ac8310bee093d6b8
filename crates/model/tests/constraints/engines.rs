//! Models of random weights with small vocabularies of each kind, and what is asked of them.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use qianshou_chat::{ChatError, ChatModel as _, ChatRequest, Constraint, Message, Part, Reply, Sampling};
use qianshou_model::{Checkpoint, ComputeDevice, Engine};
use serde_json::{Value, json};

/// Tokens besides the single bytes: they begin and end where no grammar has a border, and in characters.
const WORDS: [&[u8]; 26] = [
    b"{\"",
    b"\": ",
    b"\":",
    b" \"",
    b"\"}",
    b"\", \"",
    b"}}",
    b"true",
    b"null",
    b"12",
    b"Thought",
    b"Thought: ",
    b"\nAction: ",
    b"\nAction",
    b"Action Input",
    b": {",
    b"\nFinal Answer: ",
    b"\nObservation:",
    b"get_",
    b"ab",
    b"ba",
    "千手".as_bytes(),
    "手🙂".as_bytes(),
    b"\xe5\x8d",
    b"\x83\xe6\x89",
    b"\x99\x82",
];
const CONTROLS: [&str; 3] = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"];

/// A byte-level vocabulary in a `tokenizer.json`, as GPT-2 and Qwen 2 have it.
pub(crate) static BYTE_LEVEL: LazyLock<Engine> = LazyLock::new(|| {
    let bytes = (0..=255_u8).map(|byte| vec![byte]);
    let words = WORDS.map(<[u8]>::to_vec);
    let tokens = bytes.chain(words).map(|bytes| bytes.into_iter().map(stand_in).collect());
    engine("qwen2-gqa-tied", "tokenizer.json", &byte_level_file(tokens))
});

/// A vocabulary that lacks most letters, and has one token that is far too long.
pub(crate) static FEW_LETTERS: LazyLock<Engine> = LazyLock::new(|| {
    let tokens = ["a", "b", "ab", "{", "}"].map(str::to_owned).into_iter().chain(["a".repeat(5000)]);
    engine("qwen2-gqa-tied", "tokenizer.json", &byte_level_file(tokens))
});

/// A `qwen.tiktoken`, as Qwen 1 has it.
pub(crate) static TIKTOKEN: LazyLock<Arc<Engine>> = LazyLock::new(|| {
    let bytes = (0..=255_u8).map(|byte| vec![byte]);
    let tokens = bytes.chain(WORDS.map(<[u8]>::to_vec)).enumerate();
    let file: String = tokens.map(|(rank, bytes)| format!("{} {rank}\n", STANDARD.encode(bytes))).collect();
    Arc::new(engine("qwen1-plain", "qwen.tiktoken", &file))
});

/// A vocabulary of characters with bytes to fall back on, as Llama 2 has it.
pub(crate) static SENTENCEPIECE: LazyLock<Engine> = LazyLock::new(|| {
    let bytes = (0..=255_u8).map(|byte| format!("<0x{byte:02X}>"));
    let words = WORDS.iter().filter_map(|word| std::str::from_utf8(word).ok()).map(|word| word.replace(' ', "▁"));
    let characters = "▁aAbtn{}\":,123千手".chars().map(String::from);
    let controls = ["<unk>", "<s>", "</s>"].into_iter().chain(CONTROLS).chain(["<tool_call>"]).map(str::to_owned);
    let mut file = json!({
        "added_tokens": added(0, ["<unk>", "<s>", "</s>"].into_iter().chain(CONTROLS)),
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "Prepend", "prepend": "▁"},
            {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
        ]},
        "pre_tokenizer": null,
        "decoder": {"type": "Fuse"},
        "model": {"type": "BPE", "unk_token": "<unk>", "byte_fallback": true, "merges": []},
    });
    file["model"]["vocab"] = vocabulary(controls.chain(bytes).chain(words).chain(characters));
    engine("qwen2-mha-untied", "tokenizer.json", &file.to_string())
});

pub(crate) fn all() -> [&'static Engine; 3] {
    [&BYTE_LEVEL, &TIKTOKEN, &SENTENCEPIECE]
}

fn byte_level_file(tokens: impl Iterator<Item = String>) -> String {
    let Value::Object(vocabulary) = vocabulary(tokens) else { unreachable!("it is made as one") };
    json!({
        "added_tokens": added(vocabulary.len(), CONTROLS.into_iter().chain(["<tool_call>"])),
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false},
        "decoder": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false},
        "model": {"type": "BPE", "vocab": vocabulary, "merges": []},
    })
    .to_string()
}

fn vocabulary(tokens: impl Iterator<Item = String>) -> Value {
    Value::Object(tokens.enumerate().map(|(id, token)| (token, id.into())).collect())
}

fn added(first: usize, texts: impl Iterator<Item = &'static str>) -> Value {
    (first..).zip(texts).map(|(id, text)| json!({"id": id, "content": text, "special": true})).collect()
}

/// The printable stand-in that byte-level vocabularies use for a byte.
fn stand_in(byte: u8) -> char {
    let printable = |byte: u8| matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
    if printable(byte) {
        return char::from(byte);
    }
    let before = (0..byte).filter(|&other| !printable(other)).count();
    char::from_u32(256 + before as u32).unwrap()
}

/// The random weights of one of the goldens under another vocabulary. Its head has rows that belong to no token.
fn engine(golden: &str, file: &str, vocabulary: &str) -> Engine {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens").join(golden);
    let folder = tempfile::tempdir().unwrap();
    for file in ["config.json", "model.safetensors"] {
        std::fs::copy(golden.join(file), folder.path().join(file)).unwrap();
    }
    std::fs::write(folder.path().join(file), vocabulary).unwrap();
    let checkpoint = Checkpoint::open(folder.path()).unwrap();
    Engine::load("random", checkpoint, ComputeDevice::cpu(), None).unwrap()
}

/// A question that leaves most of the context for the answer.
pub(crate) fn request(constraint: Constraint) -> ChatRequest {
    ChatRequest { constraint: Some(constraint), ..ChatRequest::new([Message::user("?")]) }
}

pub(crate) fn regex(regex: &str) -> ChatRequest {
    request(Constraint::Regex(regex.to_owned()))
}

pub(crate) fn ask(engine: &Engine, request: ChatRequest) -> Result<Reply, ChatError> {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(engine.complete(request))
}

/// The tokens of a reply.
pub(crate) fn ids(reply: &Reply) -> Vec<u32> {
    let generated = |part: &Part| if let Part::Generated(part) = part { part.ids.clone() } else { Vec::new() };
    reply.message.content.iter().flat_map(generated).collect()
}

/// Whether a control token is among the tokens of a reply.
pub(crate) fn has_control(engine: &Engine, reply: &Reply) -> bool {
    ids(reply).iter().any(|id| engine.tokenizer().specials().any(|(special, _)| special == *id))
}

/// Ways to sample.
pub(crate) fn samplings() -> impl Strategy<Value = Sampling> {
    (0.0_f32..3.0, prop::option::of(0.2_f32..1.0), prop::option::of(1_u32..50), 0.8_f32..2.0, any::<u64>()).prop_map(
        |(temperature, top_p, top_k, repetition_penalty, seed)| Sampling {
            temperature: Some(temperature),
            top_p,
            top_k,
            repetition_penalty: Some(repetition_penalty),
            seed: Some(seed),
        },
    )
}
