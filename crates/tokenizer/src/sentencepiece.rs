//! Vocabularies of SentencePiece: Llama 2, Code Llama and their relatives.
//!
//! Such a vocabulary merges characters, with `▁` for a space, and has a token for each byte, by which it
//! spells characters that it does not know. Text is one word: nothing is split off before merging.
//!
//! **Exactness.** From a `tokenizer.json` the ids are those of the `tokenizers` crate, but for one thing:
//! merges that would turn text into a control token or into the token of a byte are dropped, as
//! SentencePiece itself never makes them. A GGUF file has a score for each token instead of merges, and
//! merging takes the pair whose token has the highest score, the leftmost of equal ones. The merges are
//! [recovered](crate::ranks) from the order of the scores, which is exact as long as no two tokens have the
//! same score; of two that have, the lower id goes first here, and the one further left in SentencePiece.
//! Trained vocabularies have no equal scores among tokens of more than one character.
//!
//! The space before a text belongs to the ids: decoding shows it.

use std::collections::HashSet;

use qianshou_gguf::{Array, Gguf, GgufError, Value};
use tokenizers::models::bpe::Vocab;
use tokenizers::pre_tokenizers::metaspace::PrependScheme;
use tokenizers::{NormalizerWrapper, PreTokenizerWrapper};

use crate::json::unsupported;
use crate::prepare::{At, Prefix, Preparation};
use crate::spelling::{SPACE, Spelling, fallback_byte};
use crate::vocabulary::{Added, Parts};
use crate::{TokenizerError, ranks};

/// How a `tokenizer.json` says where spaces go: by its normaliser in older files, by its pre-tokeniser in
/// newer ones.
pub(crate) fn prefix(
    normalizer: Option<&NormalizerWrapper>,
    pre_tokenizer: Option<&PreTokenizerWrapper>,
) -> Result<Prefix, TokenizerError> {
    match (normalizer, pre_tokenizer) {
        (Some(normalizer), None) => {
            let steps = match normalizer {
                NormalizerWrapper::Sequence(steps) => steps.as_ref(),
                step => std::slice::from_ref(step),
            };
            match steps {
                [NormalizerWrapper::Prepend(prepend), replace]
                    if prepend.prepend == SPACE.to_string() && is_space(replace) =>
                {
                    Ok(Prefix { at: At::Each, doubled: true })
                }
                [replace] if is_space(replace) => Ok(Prefix { at: At::Never, doubled: true }),
                _ => unsupported("normalizer", "another one", "`Prepend` with `▁` and `Replace` of spaces by `▁`"),
            }
        }
        (None, Some(PreTokenizerWrapper::Metaspace(step))) if step.get_replacement() == SPACE && !step.split => {
            let at = match step.prepend_scheme {
                PrependScheme::Always => At::Each,
                PrependScheme::First => At::First,
                PrependScheme::Never => At::Never,
            };
            Ok(Prefix { at, doubled: false })
        }
        _ => unsupported(
            "pre_tokenizer",
            "another one",
            "for a vocabulary with `byte_fallback`: none, or `Metaspace` with `▁` and without `split`",
        ),
    }
}

/// Whether a normaliser writes `▁` for spaces.
fn is_space(step: &NormalizerWrapper) -> bool {
    let NormalizerWrapper::Replace(replace) = step else {
        return false;
    };
    // Its fields are private, so it is asked what it does.
    let mut probe = tokenizers::NormalizedString::from("a b  .*");
    tokenizers::Normalizer::normalize(replace, &mut probe).is_ok() && probe.get() == "a▁b▁▁.*"
}

/// Drops the merges by which text would become a control token or the token of a byte.
pub(crate) fn keep_to_text(merges: &mut Vec<(String, String)>, added: &[Added]) {
    let controls: HashSet<&str> = added.iter().filter(|token| token.control).map(|token| token.text.as_str()).collect();
    let is_text = |token: &str| !controls.contains(token) && fallback_byte(token).is_none();
    merges.retain(|(left, right)| is_text(left) && is_text(right) && is_text(&format!("{left}{right}")));
}

/// Reads the vocabulary of a GGUF file whose `tokenizer.ggml.model` is `llama`.
pub(crate) fn read_gguf(gguf: &Gguf) -> Result<Parts, TokenizerError> {
    let texts = gguf.require_strings("tokenizer.ggml.tokens")?;
    let types = gguf.require_integers("tokenizer.ggml.token_type")?;
    let scores = scores(gguf)?;
    if texts.len() != types.len() || texts.len() != scores.len() {
        let types = if texts.len() == types.len() { scores.len() } else { types.len() };
        return Err(TokenizerError::Lengths { tokens: texts.len(), types });
    }
    let mut tokens = Vocab::with_capacity(texts.len());
    let mut added = Vec::new();
    let mut ranked = Vec::with_capacity(texts.len());
    for (((id, text), kind), &score) in (0..).zip(texts).zip(types).zip(scores) {
        let problem = |problem| TokenizerError::Token { id, text: text.clone(), problem };
        match kind {
            // Normal, and the token of a byte.
            1 | 6 => {
                if tokens.insert(text.clone(), id).is_some() {
                    return Err(problem("another token has the same text"));
                }
                if score.is_nan() {
                    return Err(problem("its score is not a number"));
                }
                if kind == 1 {
                    ranked.push((score, text.as_str()));
                } else if fallback_byte(text).is_none() {
                    return Err(problem("it is of the type of bytes (6), and is not written as `<0xE5>`"));
                }
            }
            // Unknown and control.
            2 | 3 => added.push(Added { id, text: text.clone(), control: true }),
            // Defined by the user.
            4 => added.push(Added { id, text: text.clone(), control: false }),
            // Unused.
            5 => {}
            _ => return Err(problem("its type is none of those of a `llama` vocabulary (1 to 6)")),
        }
    }
    // The sort is stable, so of equal scores the lower id stays first.
    ranked.sort_by(|(left, _), (right, _)| right.total_cmp(left));
    let ranked: Vec<_> = ranked.into_iter().map(|(_, text)| text).collect();
    if let Some(long) = ranked.iter().find(|text| text.len() > ranks::LONGEST) {
        let id = tokens.get(*long).copied().unwrap_or_default();
        return Err(TokenizerError::Token { id, text: (*long).to_owned(), problem: ranks::TOO_LONG });
    }
    let mut merges = ranks::merges(&ranked);
    keep_to_text(&mut merges, &added);
    let at = if gguf.bool("tokenizer.ggml.add_space_prefix")?.unwrap_or(true) { At::Each } else { At::Never };
    Ok(Parts {
        tokens,
        merges,
        added,
        spelling: Spelling::SentencePiece,
        preparation: Preparation::SentencePiece(Prefix { at, doubled: true }),
        ignore_merges: false,
    })
}

fn scores(gguf: &Gguf) -> Result<&[f32], GgufError> {
    let (key, expected) = ("tokenizer.ggml.scores", "an array of 32-bit numbers");
    match gguf.metadata(key) {
        Some(Value::Array(Array::F32(scores))) => Ok(scores),
        Some(_) => Err(GgufError::Type { key: key.to_owned(), expected, found: "of another type".to_owned() }),
        None => Err(GgufError::Missing { key: key.to_owned(), expected }),
    }
}
