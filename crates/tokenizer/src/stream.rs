//! Turning tokens into text as they come.

use crate::Tokenizer;

/// Decodes one token after the other and shows only whole characters.
///
/// Tokens may end inside a character; its bytes are held back until the rest has come. All chunks and
/// the end together are what decoding everything at once gives.
///
/// ```
/// # use qianshou_tokenizer::{StreamDecoder, Tokenizer};
/// # let json = r#"{
/// #     "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true},
/// #     "model": {"type": "BPE", "vocab": {"Ã": 0, "©": 1}, "merges": []}
/// # }"#;
/// # let tokenizer = Tokenizer::from_json(json)?;
/// // In this vocabulary the two bytes of `é` are two tokens.
/// let mut decoder = StreamDecoder::new(&tokenizer);
/// assert_eq!(decoder.push(0), "");
/// assert_eq!(decoder.push(1), "é");
/// assert_eq!(decoder.push(0), "");
/// assert_eq!(decoder.finish(), "\u{FFFD}");
/// # Ok::<(), qianshou_tokenizer::TokenizerError>(())
/// ```
#[derive(Clone, Debug)]
pub struct StreamDecoder {
    tokenizer: Tokenizer,
    /// The beginning of a character: at most three bytes.
    pending: Vec<u8>,
}

impl StreamDecoder {
    /// A decoder at the beginning of a text.
    pub fn new(tokenizer: &Tokenizer) -> Self {
        Self { tokenizer: tokenizer.clone(), pending: Vec::new() }
    }

    /// Takes a token and returns the characters that it completes.
    pub fn push(&mut self, id: u32) -> String {
        let Self { tokenizer, pending } = self;
        pending.extend_from_slice(tokenizer.token_bytes(id).unwrap_or_default());
        take_complete(pending)
    }

    /// Takes bytes and returns the characters that they complete.
    pub fn push_bytes(&mut self, bytes: &[u8]) -> String {
        self.pending.extend_from_slice(bytes);
        take_complete(&mut self.pending)
    }

    /// Whether bytes of an unfinished character are held back.
    pub fn is_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Ends the text: an unfinished character is replaced by U+FFFD.
    pub fn finish(self) -> String {
        String::from_utf8_lossy(&self.pending).into_owned()
    }
}

/// Takes everything out of `bytes` but the beginning of a character at their end.
fn take_complete(bytes: &mut Vec<u8>) -> String {
    let mut text = String::new();
    let mut done = 0;
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        done += chunk.valid().len();
        let invalid = chunk.invalid();
        // Without an error length these bytes are the correct beginning of a character.
        let unfinished = str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none());
        if invalid.is_empty() || (unfinished && done + invalid.len() == bytes.len()) {
            break;
        }
        text.push(char::REPLACEMENT_CHARACTER);
        done += invalid.len();
    }
    bytes.drain(..done);
    text
}
