//! The characters that stand for bytes in byte-level vocabularies.

/// The byte that `character` stands for in the spelling of a token. Printable bytes of Latin-1 stand
/// for themselves; the others follow from U+0100 on, in ascending order.
pub(crate) fn byte(character: char) -> Option<u8> {
    match u32::from(character) {
        code @ (0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff) => u8::try_from(code).ok(),
        // 0x00 to 0x20, 0x7f to 0xa0, and 0xad.
        code @ 0x100..=0x120 => u8::try_from(code - 0x100).ok(),
        code @ 0x121..=0x142 => u8::try_from(code - 0x121 + 0x7f).ok(),
        0x143 => Some(0xad),
        _ => None,
    }
}

/// The bytes that the spelling of a token stands for. A token that is not spelled in the alphabet is
/// taken literally, as all implementations do.
pub(crate) fn bytes(spelling: &str) -> Vec<u8> {
    spelling.chars().map(byte).collect::<Option<_>>().unwrap_or_else(|| spelling.as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::byte;

    #[test]
    fn every_byte_has_one_character() {
        let mut bytes: Vec<u8> = ('\0'..='\u{200}').filter_map(byte).collect();
        bytes.sort_unstable();
        assert_eq!(bytes, (0..=255).collect::<Vec<u8>>());
        assert_eq!(byte('Ġ'), Some(b' '));
        assert_eq!(byte('Ċ'), Some(b'\n'));
    }
}
