//! The vocabularies that the tests use.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{LazyLock, OnceLock};
use std::{env, fs};

use qianshou_gguf::Gguf;
use qianshou_tokenizer::Tokenizer;
use serde_json::{Value, json};

/// The tokenizer of the base model, from the file that `QIANSHOU_BASE` names.
pub(crate) fn base() -> &'static Tokenizer {
    static BASE: OnceLock<Tokenizer> = OnceLock::new();
    let path = env::var_os("QIANSHOU_BASE");
    assert!(path.is_some(), "run cargo xtask test, which fetches the base model, or set QIANSHOU_BASE=FILE");
    BASE.get_or_init(|| {
        let file = fs::read(path.unwrap()).unwrap();
        Tokenizer::from_gguf(&Gguf::parse(&file).unwrap()).unwrap()
    })
}

/// The official vocabulary of Qwen 1, from `QIANSHOU_QWEN_VOCAB`: the file, or a folder with it.
pub(crate) fn qwen() -> &'static Tokenizer {
    static QWEN: OnceLock<Tokenizer> = OnceLock::new();
    QWEN.get_or_init(|| Tokenizer::from_tiktoken(qwen_file()).unwrap())
}

pub(crate) fn qwen_file() -> Vec<u8> {
    let path = env::var_os("QIANSHOU_QWEN_VOCAB").map(PathBuf::from);
    assert!(path.is_some(), "run cargo xtask test, which fetches the vocabulary, or set QIANSHOU_QWEN_VOCAB=FILE");
    let path = path.unwrap();
    fs::read(if path.is_dir() { path.join("qwen.tiktoken") } else { path }).unwrap()
}

/// Qwen's way to split text.
pub(crate) const QWEN: &str =
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// The control tokens of the small vocabulary; their ids follow its other tokens.
pub(crate) const CONTROLS: [&str; 4] = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|im_end|>x"];
/// An added token that is no control token.
pub(crate) const ADDED: &str = "<tool_call>";

/// The spelling of a byte in byte-level vocabularies.
pub(crate) fn spelling(byte: u8) -> char {
    let printable = |byte: &u8| matches!(byte, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
    if printable(&byte) {
        return byte.into();
    }
    let before = (0..byte).filter(|byte| !printable(byte)).count();
    char::from_u32(0x100 + u32::try_from(before).unwrap()).unwrap()
}

/// A small vocabulary: all bytes, and the words of a few lines built up pair by pair.
pub(crate) struct Small {
    pub(crate) tokens: Vec<String>,
    pub(crate) merges: Vec<(String, String)>,
}

impl Small {
    pub(crate) fn new() -> Self {
        let mut tokens: Vec<_> = (0..=255).map(|byte| spelling(byte).to_string()).collect();
        let mut merges = Vec::new();
        let mut known: HashSet<String> = tokens.iter().cloned().collect();
        for word in "the user system assistant Ġthe Ġand Ġanswer ĊĊ im_ start end <| |> Ã© åĥ æīĭ 's ll 123".split(' ')
        {
            let mut whole = String::new();
            for character in word.chars() {
                let left = whole.clone();
                whole.push(character);
                if !left.is_empty() && known.insert(whole.clone()) {
                    merges.push((left, character.to_string()));
                    tokens.push(whole.clone());
                }
            }
        }
        Self { tokens, merges }
    }

    /// The id of the first added token.
    pub(crate) fn first_added(&self) -> u32 {
        self.tokens.len().try_into().unwrap()
    }

    /// The vocabulary as a `tokenizer.json` of the Qwen kind, to be changed by the test.
    pub(crate) fn json(&self, normalizer: Value) -> Value {
        let vocabulary: serde_json::Map<_, _> = self.tokens.iter().cloned().zip((0..).map(Value::from)).collect();
        let merges: Vec<_> = self.merges.iter().map(|(left, right)| json!([left, right])).collect();
        let added = CONTROLS.iter().map(|text| (text, true)).chain([(&ADDED, false)]);
        let added: Vec<_> = (self.first_added()..)
            .zip(added)
            .map(|(id, (text, special))| {
                json!({"id": id, "content": text, "special": special, "single_word": false, "lstrip": false,
                       "rstrip": false, "normalized": false})
            })
            .collect();
        json!({
            "version": "1.0",
            "truncation": {"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0},
            "padding": null,
            "added_tokens": added,
            "normalizer": normalizer,
            "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
                {"type": "Split", "pattern": {"Regex": QWEN}, "behavior": "Isolated", "invert": false},
                {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false},
            ]},
            "post_processor": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false},
            "decoder": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false},
            "model": {
                "type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": "",
                "end_of_word_suffix": "", "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
                "vocab": vocabulary, "merges": merges,
            },
        })
    }
}

/// The small vocabulary with the NFC normaliser, as Qwen has it.
pub(crate) fn small() -> &'static Tokenizer {
    static SMALL: LazyLock<Tokenizer> =
        LazyLock::new(|| Tokenizer::from_json(Small::new().json(json!({"type": "NFC"})).to_string()).unwrap());
    &SMALL
}

/// The small vocabulary without a normaliser, so that every text comes back from its ids.
pub(crate) fn exact() -> &'static Tokenizer {
    static EXACT: LazyLock<Tokenizer> =
        LazyLock::new(|| Tokenizer::from_json(Small::new().json(Value::Null).to_string()).unwrap());
    &EXACT
}
