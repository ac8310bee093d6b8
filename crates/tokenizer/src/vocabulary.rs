//! A vocabulary as it was read, and the checked tables that are made of it.

use std::collections::HashSet;

use tokenizers::models::bpe::{BPE, Vocab};

use crate::TokenizerError;
use crate::prepare::Preparation;
use crate::spelling::Spelling;

/// Ids from here on are refused: tables grow with the highest id, and a damaged file could name any.
const ID_LIMIT: u32 = 1 << 22;

/// A token that stands beside the BPE vocabulary.
pub(crate) struct Added {
    pub(crate) id: u32,
    pub(crate) text: String,
    /// A control token, which text must never turn into. Other added tokens are ordinary text that
    /// happens to have a token of its own.
    pub(crate) control: bool,
}

/// What a vocabulary file says.
pub(crate) struct Parts {
    /// The spelling of each BPE token.
    pub(crate) tokens: Vocab,
    /// Pairs of spellings, most important first.
    pub(crate) merges: Vec<(String, String)>,
    pub(crate) added: Vec<Added>,
    pub(crate) spelling: Spelling,
    pub(crate) preparation: Preparation,
    /// A word that is a token comes out whole, even where no merges lead to it.
    pub(crate) ignore_merges: bool,
}

/// The checked tables, and how text gets there.
pub(crate) struct Vocabulary {
    /// The bytes of each id.
    pub(crate) bytes: Vec<Option<Box<[u8]>>>,
    /// Added tokens, the longest text first.
    pub(crate) added: Vec<(String, u32)>,
    /// For each byte the id of the token that is this byte alone.
    pub(crate) single: [Option<u32>; 256],
    pub(crate) bpe: BPE,
    pub(crate) preparation: Preparation,
}

impl Vocabulary {
    /// Checks and builds.
    pub(crate) fn build(parts: Parts) -> Result<Self, TokenizerError> {
        let Parts { mut tokens, merges, added, spelling, preparation, ignore_merges } = parts;
        let mut bytes = Vec::new();
        for (text, &id) in &tokens {
            put(&mut bytes, id, text, spelling.bytes(text))?;
        }
        separate_added(&mut tokens, &mut bytes, &merges, &added, spelling)?;
        check_merges(&tokens, &merges)?;

        let mut single = [None; 256];
        for (text, &id) in &tokens {
            if let Some(byte) = spelling.single_byte(text) {
                single[usize::from(byte)] = Some(id);
            }
        }
        let mut added: Vec<_> = added.into_iter().map(|token| (token.text, token.id)).collect();
        added.sort_by(|(left, _), (right, _)| right.len().cmp(&left.len()).then_with(|| left.cmp(right)));
        let bpe = BPE::builder()
            .vocab_and_merges(tokens, merges)
            .ignore_merges(ignore_merges)
            .byte_fallback(spelling == Spelling::SentencePiece)
            .build()
            .map_err(|error| TokenizerError::Build(error.to_string()))?;
        Ok(Self { bytes, added, single, bpe, preparation })
    }
}

/// Enters the bytes of `id` into the table.
fn put(table: &mut Vec<Option<Box<[u8]>>>, id: u32, text: &str, bytes: Vec<u8>) -> Result<(), TokenizerError> {
    let problem = |problem| Err(TokenizerError::Token { id, text: text.to_owned(), problem });
    if id >= ID_LIMIT {
        return problem("the id is not below 4194304, so the file is probably damaged");
    }
    let index = id as usize;
    if index >= table.len() {
        table.resize(index + 1, None);
    }
    if table[index].is_some() {
        return problem("another token has the same id");
    }
    table[index] = Some(bytes.into());
    Ok(())
}

/// Enters the added tokens into the table and takes them out of the vocabulary that text is merged
/// with, so that no text can become one.
fn separate_added(
    tokens: &mut Vocab,
    table: &mut Vec<Option<Box<[u8]>>>,
    merges: &[(String, String)],
    added: &[Added],
    spelling: Spelling,
) -> Result<(), TokenizerError> {
    let mut texts = HashSet::new();
    for Added { id, text, .. } in added {
        let problem = |problem| Err(TokenizerError::Token { id: *id, text: text.clone(), problem });
        if text.is_empty() {
            return problem("an added token is empty");
        }
        if !texts.insert(text.as_str()) {
            return problem("it is added twice");
        }
        match tokens.get(text) {
            Some(known) if known != id => return problem("the vocabulary gives its text to another id"),
            // An added token means its text literally, not as a spelling in the byte alphabet.
            Some(_) => table[*id as usize] = Some(text.as_bytes().into()),
            None => put(table, *id, text, text.as_bytes().to_vec())?,
        }
    }
    // What merging can reach: single characters, and the parts and results of merges.
    let mut reachable = HashSet::new();
    for (left, right) in merges {
        for part in [left, right] {
            if texts.contains(part.as_str()) {
                reachable.insert(part.clone());
            }
        }
        let whole = format!("{left}{right}");
        if texts.contains(whole.as_str()) {
            reachable.insert(whole);
        }
    }
    for Added { id, text, control } in added {
        let single = spelling.is_single(text) && tokens.contains_key(text);
        if !single && !reachable.contains(text) {
            tokens.remove(text);
        } else if *control {
            let problem = "a control token must not be a single character or part of a merge: text could become it";
            return Err(TokenizerError::Token { id: *id, text: text.clone(), problem });
        } else {
            // Ordinary text that also has an entry among the added tokens: its bytes are those that
            // merging gives it.
            table[*id as usize] = Some(spelling.bytes(text).into());
        }
    }
    Ok(())
}

/// The builder of `tokenizers` trusts lengths that follow from the vocabulary, so every merge is
/// checked before it gets there.
fn check_merges(tokens: &Vocab, merges: &[(String, String)]) -> Result<(), TokenizerError> {
    let mut whole = String::new();
    for (index, (left, right)) in merges.iter().enumerate() {
        whole.clear();
        whole.push_str(left);
        whole.push_str(right);
        let problem = if !tokens.contains_key(left) {
            "its first half is not in the vocabulary"
        } else if !tokens.contains_key(right) {
            "its second half is not in the vocabulary"
        } else if !tokens.contains_key(&whole) {
            "its result is not in the vocabulary"
        } else {
            continue;
        };
        return Err(TokenizerError::Merge { index, merge: format!("{left} {right}"), problem });
    }
    Ok(())
}
