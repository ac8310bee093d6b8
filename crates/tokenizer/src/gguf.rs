//! Reading the vocabulary inside a GGUF file.

use qianshou_gguf::Gguf;
use tokenizers::models::bpe::Vocab;
use tokenizers::normalizers::NFC;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{NormalizerWrapper, PreTokenizerWrapper, SplitDelimiterBehavior};

use crate::json::split_merge;
use crate::prepare::{Preparation, Steps};
use crate::spelling::Spelling;
use crate::vocabulary::{Added, Parts};
use crate::{TokenizerError, sentencepiece};

/// Words as Qwen splits them; digits stand alone.
const QWEN: &str =
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
/// The same with up to three digits together, as Llama 3 splits them.
const LLAMA: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// Reads the vocabulary of `gguf`.
pub(crate) fn read(gguf: &Gguf) -> Result<Parts, TokenizerError> {
    match gguf.require_string("tokenizer.ggml.model")? {
        "gpt2" => read_byte_level(gguf),
        "llama" => sentencepiece::read_gguf(gguf),
        kind => Err(TokenizerError::Unsupported {
            field: "tokenizer.ggml.model",
            found: format!("`{kind}`"),
            supported: "`gpt2` (byte-level BPE), `llama` (SentencePiece)",
        }),
    }
}

fn read_byte_level(gguf: &Gguf) -> Result<Parts, TokenizerError> {
    // The files of Qwen 1 were made from a `qwen.tiktoken`, and its two habits go with them.
    let qwen = gguf.string("general.architecture")? == Some("qwen");
    let splitting = splitting(gguf.require_string("tokenizer.ggml.pre")?)?;
    let (tokens, added) = tokens(gguf)?;
    let merges = gguf.require_strings("tokenizer.ggml.merges")?.iter().enumerate();
    let merges = merges.map(|(index, line)| split_merge(index, line)).collect::<Result<_, _>>()?;
    Ok(Parts {
        tokens,
        merges,
        added,
        spelling: Spelling::ByteLevel,
        preparation: Preparation::ByteLevel(Box::new(Steps {
            normalizer: splitting.normalizer,
            pre_tokenizer: PreTokenizerWrapper::Sequence(Sequence::new(splitting.steps)),
            whole_text: qwen,
        })),
        ignore_merges: splitting.ignore_merges || qwen,
    })
}

/// The tokens by what their types say of them.
fn tokens(gguf: &Gguf) -> Result<(Vocab, Vec<Added>), TokenizerError> {
    let texts = gguf.require_strings("tokenizer.ggml.tokens")?;
    let types = gguf.require_integers("tokenizer.ggml.token_type")?;
    if texts.len() != types.len() {
        return Err(TokenizerError::Lengths { tokens: texts.len(), types: types.len() });
    }
    let mut tokens = Vocab::with_capacity(texts.len());
    let mut added = Vec::new();
    for ((id, text), kind) in (0..).zip(texts).zip(types) {
        let problem = |problem| TokenizerError::Token { id, text: text.clone(), problem };
        match kind {
            // Normal.
            1 => {
                if tokens.insert(text.clone(), id).is_some() {
                    return Err(problem("another token has the same text"));
                }
            }
            // Unknown and control.
            2 | 3 => added.push(Added { id, text: text.clone(), control: true }),
            // Defined by the user: text with a token of its own.
            4 => added.push(Added { id, text: text.clone(), control: false }),
            // Unused: fills the vocabulary up to its padded size and has no text.
            5 => {}
            _ => return Err(problem("its type is none of those of a `gpt2` vocabulary (1 to 5)")),
        }
    }
    Ok((tokens, added))
}

/// How text is prepared for merging.
struct Splitting {
    normalizer: Option<NormalizerWrapper>,
    steps: Vec<PreTokenizerWrapper>,
    ignore_merges: bool,
}

/// What the names in `tokenizer.ggml.pre` stand for.
fn splitting(name: &str) -> Result<Splitting, TokenizerError> {
    let plain = |steps| Splitting { normalizer: None, steps, ignore_merges: false };
    Ok(match name {
        "gpt-2" => plain(vec![byte_level(true)]),
        "smollm" => plain(vec![PreTokenizerWrapper::Digits(Digits::new(true)), byte_level(true)]),
        "qwen2" => Splitting {
            normalizer: Some(NormalizerWrapper::NFC(NFC)),
            steps: vec![split(QWEN)?, byte_level(false)],
            ignore_merges: false,
        },
        "llama-bpe" => {
            Splitting { normalizer: None, steps: vec![split(LLAMA)?, byte_level(false)], ignore_merges: true }
        }
        // What a converter writes that did not recognise the vocabulary; the steps are those of
        // llama.cpp, so that both read such a file alike.
        "default" => plain(vec![
            split(r"[\p{P}\$\+<=>\^~\|]+")?,
            split(r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)")?,
            split(r"\p{N}+")?,
            split("[0-9][0-9][0-9]")?,
            byte_level(false),
        ]),
        _ => {
            return Err(TokenizerError::Unsupported {
                field: "tokenizer.ggml.pre",
                found: format!("`{name}`"),
                supported: "`qwen2`, `smollm`, `llama-bpe`, `gpt-2`, `default`; \
                            use the model's `tokenizer.json` instead",
            });
        }
    })
}

/// The steps of Qwen.
pub(crate) fn qwen_splitting() -> Result<PreTokenizerWrapper, TokenizerError> {
    Ok(PreTokenizerWrapper::Sequence(Sequence::new(vec![split(QWEN)?, byte_level(false)])))
}

fn split(pattern: &str) -> Result<PreTokenizerWrapper, TokenizerError> {
    Split::new(SplitPattern::Regex(pattern.to_owned()), SplitDelimiterBehavior::Isolated, false)
        .map(PreTokenizerWrapper::Split)
        .map_err(|error| TokenizerError::Build(error.to_string()))
}

/// The step that spells bytes as characters, after GPT-2's own splitting or without it.
fn byte_level(split: bool) -> PreTokenizerWrapper {
    PreTokenizerWrapper::ByteLevel(ByteLevel::new(false, false, split))
}
