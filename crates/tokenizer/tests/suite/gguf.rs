//! Vocabularies from GGUF files.

use qianshou_gguf::Gguf;
use qianshou_tokenizer::{Specials, Tokenizer, TokenizerError};

use self::writer::Writer;
use crate::support::{ADDED, CONTROLS, Small, small};

#[path = "../../../gguf/tests/support/mod.rs"]
#[expect(dead_code, reason = "a vocabulary needs no tensors")]
pub(crate) mod writer;

/// The small vocabulary with another way to split text.
fn with(model: &str, splitting: &str, types: impl FnOnce(&mut Vec<i32>)) -> Result<Tokenizer, TokenizerError> {
    let Small { mut tokens, merges } = Small::new();
    let mut kinds = vec![1; tokens.len()];
    tokens.extend(CONTROLS.into_iter().chain([ADDED, "[PAD1]", "[PAD2]"]).map(str::to_owned));
    kinds.extend([3, 3, 3, 3, 4, 5, 5]);
    types(&mut kinds);
    let merges: Vec<_> = merges.iter().map(|(left, right)| format!("{left} {right}")).collect();
    let file = Writer::default()
        .string("tokenizer.ggml.model", model)
        .string("tokenizer.ggml.pre", splitting)
        .strings("tokenizer.ggml.tokens", &tokens)
        .integers("tokenizer.ggml.token_type", &kinds)
        .strings("tokenizer.ggml.merges", &merges)
        .finish();
    Tokenizer::from_gguf(&Gguf::parse(&file).unwrap())
}

fn split(splitting: &str, text: &str) -> Vec<String> {
    let tokenizer = with("gpt2", splitting, |_| {}).unwrap();
    tokenizer.encode(text, Specials::None).into_iter().map(|id| tokenizer.decode(&[id])).collect()
}

#[test]
fn a_vocabulary_is_the_same_from_both_files() {
    let tokenizer = with("gpt2", "qwen2", |_| {}).unwrap();
    for text in ["the user's e\u{301} 千手 12\n\n", "<|im_start|>the<tool_call>", "<|im_end|>x [PAD1]"] {
        for specials in [Specials::None, Specials::All, Specials::Only(&[ADDED])] {
            assert_eq!(tokenizer.encode(text, specials), small().encode(text, specials), "{text}");
        }
    }
    assert!(tokenizer.specials().eq(small().specials()));
    // Ids that only fill the vocabulary up have no text.
    assert_eq!(tokenizer.vocabulary_size(), small().vocabulary_size());
    assert_eq!(tokenizer.token_bytes(Small::new().first_added() + 5), None);
}

#[test]
fn each_name_splits_in_its_own_way() {
    // The vocabulary has `ĊĊ`, `'s` and `123`; which of them come out shows where words end.
    assert_eq!(split("smollm", "the\n\nthe 123"), ["the", "\n", "\n", "the", " ", "1", "2", "3"]);
    assert_eq!(split("qwen2", "the\n\nthe 123"), ["the", "\n\n", "the", " ", "1", "2", "3"]);
    assert_eq!(split("llama-bpe", "the\n\nthe 1123"), ["the", "\n\n", "the", " ", "1", "12", "3"]);
    assert_eq!(split("gpt-2", "the\n\nthe's 1123"), ["the", "\n", "\n", "the", "'s", " ", "1", "123"]);
    // Unlike the others, this one cuts punctuation off first.
    assert_eq!(split("default", "the's <|"), ["the", "'", "s", " ", "<|"]);
}

#[test]
fn what_is_not_supported_is_said() {
    let error = with("bert", "qwen2", |_| {}).unwrap_err().to_string();
    assert!(error.starts_with("`tokenizer.ggml.model` of the tokenizer is `bert`; supported: `gpt2` (byte-level BPE)"));
    let error = with("gpt2", "tekken", |_| {}).unwrap_err().to_string();
    assert!(error.starts_with("`tokenizer.ggml.pre` of the tokenizer is `tekken`; supported: `qwen2`"), "{error}");
    let error = with("gpt2", "qwen2", |types| types[7] = 6).unwrap_err().to_string();
    assert!(error.starts_with("token 7 `ć`: its type"), "{error}");
    assert!(matches!(with("gpt2", "qwen2", |types| types.truncate(3)), Err(TokenizerError::Lengths { types: 3, .. })));
    let empty = Gguf::parse(&Writer::default().finish()).unwrap();
    let error = Tokenizer::from_gguf(&empty).unwrap_err().to_string();
    assert!(error.contains("no metadata `tokenizer.ggml.model`"), "{error}");
}
