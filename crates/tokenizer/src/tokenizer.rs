//! The tokenizer itself.

use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use qianshou_gguf::Gguf;
use tokenizers::Model as _;

use crate::prepare::{Preparation, Start};
use crate::vocabulary::{Parts, Vocabulary};
use crate::{TokenizerError, gguf, json, tiktoken};

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

/// A BPE tokenizer. Clones share their tables.
#[derive(Clone)]
pub struct Tokenizer(Arc<Vocabulary>);

/// A piece of text in which special tokens have been looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Segment<'a> {
    Text(&'a str),
    Special(u32),
}

impl Tokenizer {
    /// Reads a `tokenizer.json`.
    ///
    /// # Errors
    /// When the file cannot be read, is no `tokenizer.json`, or needs something that is not supported.
    pub fn from_json_file(path: impl AsRef<Path>) -> Result<Self, TokenizerError> {
        Self::from_json(read(path.as_ref())?)
    }

    /// Reads the text of a `tokenizer.json`.
    ///
    /// # Errors
    /// When it is no `tokenizer.json` or needs something that is not supported.
    pub fn from_json(json: impl AsRef<[u8]>) -> Result<Self, TokenizerError> {
        Self::new(json::read(json.as_ref())?)
    }

    /// Reads a `qwen.tiktoken`, the vocabulary of Qwen 1.
    ///
    /// # Errors
    /// When the file cannot be read or is no `qwen.tiktoken`.
    pub fn from_tiktoken_file(path: impl AsRef<Path>) -> Result<Self, TokenizerError> {
        Self::from_tiktoken(read(path.as_ref())?)
    }

    /// Reads the text of a `qwen.tiktoken`: a line for each token, with its bytes in base64 and its rank.
    /// The special tokens of Qwen 1 follow the last rank.
    ///
    /// # Errors
    /// When it is no `qwen.tiktoken`.
    pub fn from_tiktoken(text: impl AsRef<[u8]>) -> Result<Self, TokenizerError> {
        Self::new(tiktoken::read(text.as_ref())?)
    }

    /// Reads the `tokenizer.json` in the folder of a checkpoint, or else its `qwen.tiktoken`.
    ///
    /// # Errors
    /// When neither is there, and those of [`from_json_file`](Self::from_json_file) and
    /// [`from_tiktoken_file`](Self::from_tiktoken_file).
    pub fn from_folder(path: impl AsRef<Path>) -> Result<Self, TokenizerError> {
        let path = path.as_ref();
        let [json, tiktoken] = ["tokenizer.json", "qwen.tiktoken"].map(|name| path.join(name));
        if json.exists() {
            Self::from_json_file(json)
        } else if tiktoken.exists() {
            Self::from_tiktoken_file(tiktoken)
        } else {
            Err(TokenizerError::Missing { folder: path.to_owned() })
        }
    }

    /// Reads the vocabulary inside a GGUF file.
    ///
    /// # Errors
    /// When it is missing, contradicts itself, or is of a kind that is not supported.
    pub fn from_gguf(gguf: &Gguf) -> Result<Self, TokenizerError> {
        Self::new(gguf::read(gguf)?)
    }

    fn new(parts: Parts) -> Result<Self, TokenizerError> {
        Ok(Self(Arc::new(Vocabulary::build(parts)?)))
    }

    /// The ids of `text`. Special and added tokens are recognised only as far as `specials` allows, the
    /// longest first where several begin at one place; text before and after one is encoded on its own.
    ///
    /// Bytes for which the vocabulary has no token (a few small vocabularies lack some control
    /// characters) are left out, as the `tokenizers` crate does it.
    pub fn encode(&self, text: &str, specials: Specials<'_>) -> Vec<u32> {
        let text = self.0.preparation.whole(text);
        let mut ids = Vec::with_capacity(text.len() / 3);
        let mut start = Start::First;
        for segment in self.segments(&text, specials) {
            match segment {
                Segment::Text(text) => self.encode_text(text, start, &mut ids),
                Segment::Special(id) => ids.push(id),
            }
            start = Start::AfterSpecial;
        }
        ids
    }

    /// Takes text apart where special tokens are.
    pub(crate) fn segments<'a>(&self, text: &'a str, specials: Specials<'_>) -> Vec<Segment<'a>> {
        let allowed: Vec<_> = self.specials().filter(|(_, name)| specials.allow(name)).collect();
        // The bytes that an allowed token begins with: few, so most places are passed over quickly.
        let mut first = [false; 256];
        for byte in allowed.iter().filter_map(|(_, name)| name.bytes().next()) {
            first[usize::from(byte)] = true;
        }
        let mut segments = Vec::new();
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
            if plain < position {
                segments.push(Segment::Text(&text[plain..position]));
            }
            segments.push(Segment::Special(*id));
            position += name.len();
            plain = position;
        }
        if plain < text.len() {
            segments.push(Segment::Text(&text[plain..]));
        }
        segments
    }

    /// Appends the ids of text in which no special token is recognised.
    pub(crate) fn encode_text(&self, text: &str, start: Start, ids: &mut Vec<u32>) {
        if text.is_empty() {
            return;
        }
        let Vocabulary { preparation, bpe, single, .. } = &*self.0;
        let begin = ids.len();
        let encoded = preparation.words(text, start, |word| {
            ids.extend(bpe.tokenize(word)?.into_iter().map(|token| token.id));
            Ok(())
        });
        if encoded.is_err() {
            // The steps of real vocabularies cannot fail. If one of a strange `tokenizer.json` does,
            // the text still comes through whole, only in more tokens than necessary.
            ids.truncate(begin);
            ids.extend(text.bytes().filter_map(|byte| single[usize::from(byte)]));
        }
    }

    /// The text of `ids`. Ids without a token are left out, and malformed UTF-8 is replaced by U+FFFD.
    pub fn decode(&self, ids: &[u32]) -> String {
        let bytes: Vec<u8> = ids.iter().filter_map(|&id| self.token_bytes(id)).flatten().copied().collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The bytes that a token stands for; they need not be whole characters.
    pub fn token_bytes(&self, id: u32) -> Option<&[u8]> {
        self.0.bytes.get(id as usize)?.as_deref()
    }

    /// The id of a special or added token.
    pub fn special_id(&self, text: &str) -> Option<u32> {
        self.specials().find(|&(_, name)| name == text).map(|(id, _)| id)
    }

    /// Whether the vocabulary is one of SentencePiece.
    pub fn is_sentencepiece(&self) -> bool {
        matches!(self.0.preparation, Preparation::SentencePiece(_))
    }

    /// One more than the highest id that has a token. A model may pad its vocabulary beyond that.
    pub fn vocabulary_size(&self) -> usize {
        self.0.bytes.len()
    }

    /// Special and added tokens with their ids, the longest first.
    pub fn specials(&self) -> impl ExactSizeIterator<Item = (u32, &str)> {
        self.0.added.iter().map(|(text, id)| (*id, text.as_str()))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TokenizerError> {
    fs::read(path).map_err(|source| TokenizerError::Read { path: path.to_owned(), source })
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
