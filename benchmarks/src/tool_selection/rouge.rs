//! Rouge-L over the pieces of Qwen's vocabulary, as the official script computes it.

use std::path::Path;

use qianshou_tokenizer::{Specials, Tokenizer, TokenizerError};

use crate::hash::sha256;

/// Splits text into the pieces of Qwen's vocabulary, whatever the model's own tokenizer is.
#[derive(Debug)]
pub struct Pieces {
    tokenizer: Tokenizer,
    sha256: String,
}

impl Pieces {
    /// Reads `qwen.tiktoken`.
    ///
    /// # Errors
    /// When the file cannot be read or is no such vocabulary.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, TokenizerError> {
        let path = path.as_ref();
        let tokenizer = Tokenizer::from_tiktoken_file(path)?;
        // It was read a moment ago.
        let sha256 = std::fs::read(path).map(|bytes| sha256(&bytes)).unwrap_or_default();
        Ok(Self { tokenizer, sha256 })
    }

    /// The SHA-256 of the vocabulary's file.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The pieces of a text: each token decoded by itself, malformed bytes replaced, split at white space.
    pub fn split(&self, text: &str) -> Vec<String> {
        let ids = self.tokenizer.encode(text, Specials::All);
        let pieces = ids.iter().filter_map(|&id| self.tokenizer.token_bytes(id));
        let joined = pieces.map(String::from_utf8_lossy).collect::<Vec<_>>().join(" ");
        joined.split(is_space).filter(|piece| !piece.is_empty()).map(str::to_owned).collect()
    }

    /// The F-measure of Rouge-L between two texts, from 0 to 1; symmetric, and 0 where one has no pieces.
    pub fn rouge_l(&self, one: &str, other: &str) -> f64 {
        f_measure(&self.split(one), &self.split(other))
    }
}

/// What Python's `str.split` splits at.
fn is_space(character: char) -> bool {
    character.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&character)
}

/// `other` is the prediction in the words of the official package.
fn f_measure(target: &[String], prediction: &[String]) -> f64 {
    if target.is_empty() || prediction.is_empty() {
        return 0.0;
    }
    let common = longest_common_subsequence(target, prediction) as f64;
    let (precision, recall) = (common / prediction.len() as f64, common / target.len() as f64);
    if precision + recall > 0.0 { 2.0 * precision * recall / (precision + recall) } else { 0.0 }
}

fn longest_common_subsequence(one: &[String], other: &[String]) -> usize {
    let mut lengths = vec![0; other.len() + 1];
    for a in one {
        let mut diagonal = 0;
        for (index, b) in other.iter().enumerate() {
            let above = lengths[index + 1];
            lengths[index + 1] = if a == b { diagonal + 1 } else { above.max(lengths[index]) };
            diagonal = above;
        }
    }
    lengths.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.chars().map(String::from).collect()
    }

    #[test]
    fn common_words_count_in_their_order() {
        assert_eq!(f_measure(&words("abcd"), &words("acbd")), 0.75);
        assert_eq!(f_measure(&words(""), &words("")), 0.0);
        assert_eq!(f_measure(&words("ab"), &words("cd")), 0.0);
        assert_eq!(f_measure(&words("ab"), &words("ab")), 1.0);
    }

    proptest! {
        #[test]
        fn a_subsequence_is_no_longer_than_either(one in "[ab]{0,9}", other in "[ab]{0,9}") {
            let length = longest_common_subsequence(&words(&one), &words(&other));
            prop_assert_eq!(length, longest_common_subsequence(&words(&other), &words(&one)));
            prop_assert!(length <= one.len().min(other.len()));
            prop_assert_eq!(longest_common_subsequence(&words(&one), &words(&one)), one.len());
        }
    }
}
