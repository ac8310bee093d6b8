//! Reading `tokenizer.json`.
//!
//! Byte-level vocabularies are read, and those of SentencePiece (see
//! [`sentencepiece`](crate::sentencepiece)). Normaliser, splitting and `ignore_merges` are kept. Truncation, padding and the post-processor are
//! not: what stands around a text is the caller's decision (see [`ChatMl`](crate::ChatMl)). So are the
//! decoder, since ids are bytes here, and `unk_token`, since no text may become a control token.

use serde::Deserialize;
use tokenizers::models::bpe::Vocab;
use tokenizers::{NormalizerWrapper, PreTokenizerWrapper};

use crate::prepare::{Preparation, Steps};
use crate::spelling::Spelling;
use crate::vocabulary::{Added, Parts};
use crate::{TokenizerError, sentencepiece};

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    added_tokens: Vec<AddedToken>,
    normalizer: Option<NormalizerWrapper>,
    pre_tokenizer: Option<PreTokenizerWrapper>,
    model: Model,
}

#[derive(Deserialize)]
struct AddedToken {
    id: u32,
    content: String,
    #[serde(default)]
    special: bool,
    #[serde(default)]
    single_word: bool,
    #[serde(default)]
    lstrip: bool,
    #[serde(default)]
    rstrip: bool,
}

#[derive(Deserialize)]
struct Model {
    #[serde(rename = "type")]
    kind: Option<String>,
    dropout: Option<f32>,
    continuing_subword_prefix: Option<String>,
    end_of_word_suffix: Option<String>,
    #[serde(default)]
    byte_fallback: bool,
    #[serde(default)]
    ignore_merges: bool,
    vocab: Vocab,
    merges: Vec<Merge>,
}

/// A merge is a pair in newer files and one string in older ones.
#[derive(Deserialize)]
#[serde(untagged)]
enum Merge {
    Pair(String, String),
    Line(String),
}

/// Reads the text of a `tokenizer.json`.
pub(crate) fn read(json: &[u8]) -> Result<Parts, TokenizerError> {
    let File { added_tokens, normalizer, pre_tokenizer, model } = serde_json::from_slice(json)?;
    check_model(&model)?;
    let (spelling, preparation) = match pre_tokenizer {
        Some(pre_tokenizer) if is_byte_level(&pre_tokenizer) => {
            if model.byte_fallback {
                return unsupported("model.byte_fallback", "true", "false, as in byte-level vocabularies");
            }
            let steps = Steps { normalizer, pre_tokenizer, whole_text: false };
            (Spelling::ByteLevel, Preparation::ByteLevel(Box::new(steps)))
        }
        pre_tokenizer if model.byte_fallback => {
            let prefix = sentencepiece::prefix(normalizer.as_ref(), pre_tokenizer.as_ref())?;
            (Spelling::SentencePiece, Preparation::SentencePiece(prefix))
        }
        _ => {
            let supported = "byte-level vocabularies, and those of SentencePiece with `byte_fallback`";
            return unsupported("pre_tokenizer", "without a `ByteLevel` step", supported);
        }
    };
    let mut added = Vec::with_capacity(added_tokens.len());
    for token in added_tokens {
        // These flags let a token swallow the space around it or depend on its neighbours, so that
        // the text would not come back from its ids. No Qwen vocabulary sets them.
        if token.single_word || token.lstrip || token.rstrip {
            return Err(TokenizerError::Token {
                id: token.id,
                text: token.content,
                problem: "`single_word`, `lstrip` and `rstrip` are not supported; set them to false",
            });
        }
        added.push(Added { id: token.id, text: token.content, control: token.special });
    }
    let merges = model.merges.into_iter().enumerate().map(|(index, merge)| match merge {
        Merge::Pair(left, right) => Ok((left, right)),
        Merge::Line(line) => split_merge(index, &line),
    });
    let mut merges = merges.collect::<Result<Vec<_>, _>>()?;
    if spelling == Spelling::SentencePiece {
        sentencepiece::keep_to_text(&mut merges, &added);
    }
    Ok(Parts { merges, tokens: model.vocab, added, spelling, preparation, ignore_merges: model.ignore_merges })
}

/// Splits a merge that is written as two spellings with a space between them.
pub(crate) fn split_merge(index: usize, line: &str) -> Result<(String, String), TokenizerError> {
    match line.split_once(' ') {
        Some((left, right)) if !left.is_empty() && !right.is_empty() && !right.contains(' ') => {
            Ok((left.to_owned(), right.to_owned()))
        }
        _ => Err(TokenizerError::Merge {
            index,
            merge: line.to_owned(),
            problem: "it is not two tokens with a space between them",
        }),
    }
}

fn check_model(model: &Model) -> Result<(), TokenizerError> {
    // Very old files do not say the type; they are BPE where they have merges, and these are required.
    if let Some(kind) = model.kind.as_deref().filter(|&kind| kind != "BPE") {
        return unsupported("model.type", &format!("`{kind}`"), "`BPE`");
    }
    if let Some(dropout) = model.dropout.filter(|&dropout| dropout != 0.0) {
        return unsupported("model.dropout", &dropout.to_string(), "none, so that encoding is repeatable");
    }
    for (field, affix) in [
        ("model.continuing_subword_prefix", &model.continuing_subword_prefix),
        ("model.end_of_word_suffix", &model.end_of_word_suffix),
    ] {
        if let Some(affix) = affix.as_deref().filter(|affix| !affix.is_empty()) {
            return unsupported(field, &format!("`{affix}`"), "none, as in byte-level vocabularies");
        }
    }
    Ok(())
}

fn is_byte_level(pre_tokenizer: &PreTokenizerWrapper) -> bool {
    match pre_tokenizer {
        PreTokenizerWrapper::ByteLevel(_) => true,
        PreTokenizerWrapper::Sequence(steps) => steps.as_ref().iter().any(is_byte_level),
        _ => false,
    }
}

pub(crate) fn unsupported<T>(field: &'static str, found: &str, supported: &'static str) -> Result<T, TokenizerError> {
    Err(TokenizerError::Unsupported { field, found: found.to_owned(), supported })
}
