//! What happens to text before it is merged into tokens.

use std::borrow::Cow;

use tokenizers::{
    NormalizedString, Normalizer as _, NormalizerWrapper, OffsetReferential, OffsetType, PreTokenizedString,
    PreTokenizer as _, PreTokenizerWrapper,
};

use crate::spelling::SPACE;

/// How text is prepared.
pub(crate) enum Preparation {
    /// Normalised, split into words, and spelled in the byte alphabet.
    ByteLevel(Box<Steps>),
    /// One word, with `▁` for spaces and mostly one before the text.
    SentencePiece(Prefix),
}

/// The steps of a byte-level vocabulary.
pub(crate) struct Steps {
    pub(crate) normalizer: Option<NormalizerWrapper>,
    pub(crate) pre_tokenizer: PreTokenizerWrapper,
    /// Text is normalised before special tokens are looked for in it, not after.
    pub(crate) whole_text: bool,
}

/// When SentencePiece puts a space before a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Prefix {
    pub(crate) at: At,
    /// Also where the text begins with a space.
    pub(crate) doubled: bool,
}

/// Which texts get the space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    /// Every text that begins anew: at the very beginning, and after a special token.
    Each,
    /// Only the very first.
    First,
    /// None.
    Never,
}

/// What stands before a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// Nothing.
    First,
    /// A special token.
    AfterSpecial,
    /// Other text, whose tokens are fixed.
    Inside,
}

impl Preparation {
    /// The whole text, before special tokens are looked for.
    pub(crate) fn whole<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let Self::ByteLevel(steps) = self else {
            return text.into();
        };
        match &steps.normalizer {
            Some(normalizer) if steps.whole_text && !text.is_ascii() => {
                let mut normalized = NormalizedString::from(text);
                // Where it fails, the text is encoded as it is.
                match normalizer.normalize(&mut normalized) {
                    Ok(()) => normalized.get().to_owned().into(),
                    Err(_) => text.into(),
                }
            }
            _ => text.into(),
        }
    }

    /// Hands the words of a text to `take`.
    pub(crate) fn words(
        &self,
        text: &str,
        start: Start,
        mut take: impl FnMut(&str) -> tokenizers::Result<()>,
    ) -> tokenizers::Result<()> {
        match self {
            Self::ByteLevel(steps) => {
                let mut normalized = NormalizedString::from(text);
                if let Some(normalizer) = &steps.normalizer {
                    normalizer.normalize(&mut normalized)?;
                }
                let mut words = PreTokenizedString::from(normalized);
                steps.pre_tokenizer.pre_tokenize(&mut words)?;
                words
                    .get_splits(OffsetReferential::Normalized, OffsetType::None)
                    .into_iter()
                    .try_for_each(|(word, ..)| take(word))
            }
            Self::SentencePiece(Prefix { at, doubled }) => {
                let begins = match at {
                    At::Each => start != Start::Inside,
                    At::First => start == Start::First,
                    At::Never => false,
                };
                let mut word = String::with_capacity(text.len() + SPACE.len_utf8());
                if begins && (*doubled || !text.starts_with([' ', SPACE])) {
                    word.push(SPACE);
                }
                word.extend(text.chars().map(|character| if character == ' ' { SPACE } else { character }));
                take(&word)
            }
        }
    }
}
