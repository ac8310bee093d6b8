//! The tokenizer itself.

use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use qianshou_gguf::Gguf;
use tokenizers::{
    Model as _, NormalizedString, Normalizer as _, NormalizerWrapper, OffsetReferential, OffsetType,
    PreTokenizedString, PreTokenizer as _, PreTokenizerWrapper,
};

use crate::vocabulary::{Parts, Vocabulary};
use crate::{TokenizerError, gguf, json};

/// Which special and added tokens a call recognises in its text; all others are plain text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Specials<'a> {
    /// None: the text is only text. Right for everything that a person, a tool or a file said.
    #[default]
    None,
    /// All of them. Right for text that was rendered by trusted code.
    All,
    /// These. Names that the vocabulary does not have are ignored.
    Only(&'a [&'a str]),
}

impl Specials<'_> {
    fn allow(self, text: &str) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::Only(allowed) => allowed.contains(&text),
        }
    }
}

/// A byte-level BPE tokenizer. Clones share their tables.
#[derive(Clone)]
pub struct Tokenizer(Arc<Inner>);

struct Inner {
    vocabulary: Vocabulary,
    normalizer: Option<NormalizerWrapper>,
    pre_tokenizer: PreTokenizerWrapper,
}

impl Tokenizer {
    /// Reads a `tokenizer.json`.
    ///
    /// # Errors
    /// When the file cannot be read, is no `tokenizer.json`, or needs something that is not supported.
    pub fn from_json_file(path: impl AsRef<Path>) -> Result<Self, TokenizerError> {
        let path = path.as_ref();
        let json = fs::read(path).map_err(|source| TokenizerError::Read { path: path.to_owned(), source })?;
        Self::from_json(json)
    }

    /// Reads the text of a `tokenizer.json`.
    ///
    /// # Errors
    /// When it is no `tokenizer.json` or needs something that is not supported.
    pub fn from_json(json: impl AsRef<[u8]>) -> Result<Self, TokenizerError> {
        Self::new(json::read(json.as_ref())?)
    }

    /// Reads the `tokenizer.json` in the folder of a checkpoint.
    ///
    /// # Errors
    /// Those of [`from_json_file`](Self::from_json_file).
    pub fn from_folder(path: impl AsRef<Path>) -> Result<Self, TokenizerError> {
        Self::from_json_file(path.as_ref().join("tokenizer.json"))
    }

    /// Reads the vocabulary inside a GGUF file.
    ///
    /// # Errors
    /// When it is missing, contradicts itself, or is of a kind that is not supported.
    pub fn from_gguf(gguf: &Gguf) -> Result<Self, TokenizerError> {
        Self::new(gguf::read(gguf)?)
    }

    fn new(mut parts: Parts) -> Result<Self, TokenizerError> {
        let vocabulary = Vocabulary::build(&mut parts)?;
        let Parts { normalizer, pre_tokenizer, .. } = parts;
        Ok(Self(Arc::new(Inner { vocabulary, normalizer, pre_tokenizer })))
    }

    /// The ids of `text`. Special and added tokens are recognised only as far as `specials` allows, the
    /// longest first where several begin at one place; text before and after one is encoded on its own.
    ///
    /// Bytes for which the vocabulary has no token (a few small vocabularies lack some control
    /// characters) are left out, as the `tokenizers` crate does it.
    pub fn encode(&self, text: &str, specials: Specials<'_>) -> Vec<u32> {
        let mut ids = Vec::with_capacity(text.len() / 3);
        let allowed: Vec<_> = self.specials().filter(|(_, name)| specials.allow(name)).collect();
        // The bytes that an allowed token begins with: few, so most places are passed over quickly.
        let mut first = [false; 256];
        for byte in allowed.iter().filter_map(|(_, name)| name.bytes().next()) {
            first[usize::from(byte)] = true;
        }
        // Where text begins that belongs to no special token, and where to look for the next one.
        let mut plain = 0;
        let mut position = 0;
        while let Some(rest) = text.as_bytes().get(position..)
            && let Some(skipped) = rest.iter().position(|&byte| first[usize::from(byte)])
        {
            position += skipped;
            let rest = &rest[skipped..];
            let Some((id, name)) = allowed.iter().find(|(_, name)| rest.starts_with(name.as_bytes())) else {
                position += 1;
                continue;
            };
            // A match of whole UTF-8 strings begins and ends at character borders.
            self.encode_text(&text[plain..position], &mut ids);
            ids.push(*id);
            position += name.len();
            plain = position;
        }
        self.encode_text(&text[plain..], &mut ids);
        ids
    }

    /// Appends the ids of text in which no special token is recognised.
    fn encode_text(&self, text: &str, ids: &mut Vec<u32>) {
        if text.is_empty() {
            return;
        }
        let start = ids.len();
        if self.try_encode_text(text, ids).is_err() {
            // The steps of real vocabularies cannot fail. If one of a strange `tokenizer.json` does,
            // the text still comes through whole, only in more tokens than necessary.
            ids.truncate(start);
            ids.extend(text.bytes().filter_map(|byte| self.0.vocabulary.single[usize::from(byte)]));
        }
    }

    fn try_encode_text(&self, text: &str, ids: &mut Vec<u32>) -> tokenizers::Result<()> {
        let mut normalized = NormalizedString::from(text);
        if let Some(normalizer) = &self.0.normalizer {
            normalizer.normalize(&mut normalized)?;
        }
        let mut words = PreTokenizedString::from(normalized);
        self.0.pre_tokenizer.pre_tokenize(&mut words)?;
        for (word, ..) in words.get_splits(OffsetReferential::Normalized, OffsetType::None) {
            ids.extend(self.0.vocabulary.bpe.tokenize(word)?.into_iter().map(|token| token.id));
        }
        Ok(())
    }

    /// The text of `ids`. Ids without a token are left out, and malformed UTF-8 is replaced by U+FFFD.
    pub fn decode(&self, ids: &[u32]) -> String {
        let bytes: Vec<u8> = ids.iter().filter_map(|&id| self.token_bytes(id)).flatten().copied().collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The bytes that a token stands for; they need not be whole characters.
    pub fn token_bytes(&self, id: u32) -> Option<&[u8]> {
        self.0.vocabulary.bytes.get(id as usize)?.as_deref()
    }

    /// The id of a special or added token.
    pub fn special_id(&self, text: &str) -> Option<u32> {
        self.specials().find(|&(_, name)| name == text).map(|(id, _)| id)
    }

    /// One more than the highest id that has a token. A model may pad its vocabulary beyond that.
    pub fn vocabulary_size(&self) -> usize {
        self.0.vocabulary.bytes.len()
    }

    /// Special and added tokens with their ids, the longest first.
    pub fn specials(&self) -> impl ExactSizeIterator<Item = (u32, &str)> {
        self.0.vocabulary.added.iter().map(|(text, id)| (*id, text.as_str()))
    }
}

impl fmt::Debug for Tokenizer {
    /// Counts alone: a vocabulary of 150,000 entries helps nobody in a log.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Tokenizer")
            .field("vocabulary_size", &self.vocabulary_size())
            .field("specials", &self.specials().len())
            .finish_non_exhaustive()
    }
}
