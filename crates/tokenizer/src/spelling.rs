//! How tokens are written down in vocabulary files.

use crate::alphabet;

/// What SentencePiece writes for a space.
pub(crate) const SPACE: char = '\u{2581}';

/// How the bytes of a token are written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// Each byte as a character of the [alphabet].
    ByteLevel,
    /// Text, with `▁` for a space; tokens of one byte are written `<0xE5>`.
    SentencePiece,
}

impl Spelling {
    /// The bytes that a token stands for. A token that is not spelled in the byte alphabet is taken
    /// literally, as all implementations do.
    pub(crate) fn bytes(self, token: &str) -> Vec<u8> {
        match self {
            Self::ByteLevel => {
                token.chars().map(alphabet::byte).collect::<Option<_>>().unwrap_or_else(|| token.as_bytes().to_vec())
            }
            Self::SentencePiece => match fallback_byte(token) {
                Some(byte) => vec![byte],
                None => token.replace(SPACE, " ").into_bytes(),
            },
        }
    }

    /// The byte that a token stands for which is one byte and nothing more.
    pub(crate) fn single_byte(self, token: &str) -> Option<u8> {
        match self {
            Self::ByteLevel => single(token).and_then(alphabet::byte),
            Self::SentencePiece => fallback_byte(token),
        }
    }

    /// Whether merging begins with this token.
    pub(crate) fn is_single(self, token: &str) -> bool {
        match self {
            Self::ByteLevel => self.single_byte(token).is_some(),
            Self::SentencePiece => single(token).is_some(),
        }
    }
}

/// The only character of a token.
fn single(token: &str) -> Option<char> {
    let mut characters = token.chars();
    characters.next().filter(|_| characters.next().is_none())
}

/// The byte in `<0xE5>`.
pub(crate) fn fallback_byte(token: &str) -> Option<u8> {
    let digits = token.strip_prefix("<0x")?.strip_suffix('>')?;
    let upper = digits.len() == 2 && digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'A'..=b'F'));
    u8::from_str_radix(digits, 16).ok().filter(|_| upper)
}

#[cfg(test)]
mod tests {
    use super::Spelling::{ByteLevel, SentencePiece};

    #[test]
    fn tokens_stand_for_bytes() {
        assert_eq!(ByteLevel.bytes("Ġé"), [b' ', 0xe9]);
        assert_eq!(ByteLevel.bytes("千"), "千".as_bytes());
        assert_eq!(SentencePiece.bytes("▁千"), " 千".as_bytes());
        assert_eq!(SentencePiece.bytes("<0xE5>"), [0xe5]);
        for text in ["<0xe5>", "<0xE>", "<0x0E5>", "<0x+5>", "<0xE5", "x<0xE5>"] {
            assert_eq!(SentencePiece.bytes(text), text.as_bytes());
        }
    }
}
