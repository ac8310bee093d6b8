//! Text of a cell, made safe to show: no escape sequences, no other control characters.

use std::iter::Peekable;
use std::str::CharIndices;

/// Removes what a terminal would act upon, and what hides text from a reader. `\r` alone starts the
/// line anew, as progress bars mean it.
pub(crate) fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    let mut line = 0;
    let mut characters = text.char_indices().peekable();
    while let Some((_, character)) = characters.next() {
        match character {
            '\n' => {
                cleaned.push('\n');
                line = cleaned.len();
            }
            '\r' if characters.peek().is_some_and(|next| next.1 == '\n') => {}
            '\r' if characters.peek().is_some() => cleaned.truncate(line),
            '\u{1b}' | '\u{9b}' | '\u{9d}' | '\u{90}' => drop(skip_sequence(character, &mut characters)),
            '\t' => cleaned.push('\t'),
            control if control.is_control() || is_bidirectional(control) => {}
            character => cleaned.push(character),
        }
    }
    cleaned
}

/// [`clean`] for text that comes in pieces: what may go on in the next piece is held back.
#[derive(Debug, Default)]
pub(crate) struct Cleaner {
    held: String,
    /// Whether the text so far ends with `\r`, which may be half of an end of line.
    half: bool,
}

impl Cleaner {
    /// The longest sequence that is waited for, in bytes.
    const LONGEST: usize = 4096;

    /// What can be shown now. `\r` begins a new line, for what has been shown cannot be taken back.
    pub(crate) fn push(&mut self, piece: &str) -> String {
        let piece = if std::mem::take(&mut self.half) { &format!("\r{piece}") } else { piece };
        let text = piece.strip_suffix('\r').unwrap_or(piece);
        self.half = text.len() < piece.len();
        self.held.push_str(&text.replace("\r\n", "\n").replace('\r', "\n"));
        let mut whole = whole(&self.held);
        if self.held.len() - whole > Self::LONGEST {
            whole = self.held.len();
        }
        let rest = self.held.split_off(whole);
        clean(&std::mem::replace(&mut self.held, rest))
    }

    /// What has been held back.
    pub(crate) fn finish(&mut self) -> String {
        clean(&std::mem::take(&mut self.held))
    }
}

/// The length of `text` without an escape sequence at its end that may not be complete.
fn whole(text: &str) -> usize {
    let mut characters = text.char_indices().peekable();
    while let Some((index, character)) = characters.next() {
        let is_whole = match character {
            '\u{1b}' | '\u{9b}' | '\u{9d}' | '\u{90}' => skip_sequence(character, &mut characters),
            _ => true,
        };
        if !is_whole {
            return index;
        }
    }
    text.len()
}

/// The rest of an escape sequence, up to its end or the end of the line; false when the text ends before.
fn skip_sequence(first: char, characters: &mut Peekable<CharIndices<'_>>) -> bool {
    let mut next = || characters.next_if(|next| next.1 != '\n').map(|next| next.1);
    let kind = if first == '\u{1b}' { next() } else { Some(first) };
    match kind {
        // A control sequence ends with a letter or one of a few signs.
        Some('[' | '\u{9b}') => {
            while let Some(next) = next() {
                if ('@'..='~').contains(&next) {
                    return true;
                }
            }
        }
        // A string for the terminal ends with a bell or a terminator.
        Some(']' | 'P' | 'X' | '^' | '_' | '\u{9d}' | '\u{90}') => {
            while let Some(character) = next() {
                match character {
                    '\u{7}' | '\u{9c}' => return true,
                    '\u{1b}' => {
                        let complete = characters.peek().is_some();
                        characters.next_if(|next| next.1 == '\\');
                        return complete;
                    }
                    _ => {}
                }
            }
        }
        // One more character chooses a character set.
        Some('(' | ')' | '*' | '+') if next().is_none() => {}
        Some(_) => return true,
        None => {}
    }
    characters.peek().is_some()
}

/// Marks that change the order in which text is shown.
fn is_bidirectional(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Cleaner, clean};

    #[test]
    fn sequences_are_removed_whole() {
        assert_eq!(clean("\x1b[1;31mred\x1b[0m"), "red");
        assert_eq!(clean("\x1b]52;c;aGk=\x07after"), "after");
        assert_eq!(clean("\x1b]8;;http://example.org\x1b\\link\x1b]8;;\x1b\\"), "link");
        assert_eq!(clean("\u{9b}31mred\x1b(B"), "red");
        assert_eq!(clean("a\x1b[unfinished\nb"), "anfinished\nb");
        assert_eq!(clean("a\x1b]unfinished\nb"), "a\nb");
        assert_eq!(clean("user\u{202e}txt.exe"), "usertxt.exe");
    }

    #[test]
    fn a_progress_bar_leaves_its_last_state() {
        assert_eq!(clean("0 %\r50 %\r100 %\ndone\r\n"), "100 %\ndone\n");
        assert_eq!(clean("tab\tkept, bell\u{7} not, 千手"), "tab\tkept, bell not, 千手");
    }

    proptest! {
        #[test]
        fn nothing_that_a_terminal_acts_upon_is_left(text in any::<String>()) {
            prop_assert!(clean(&text).chars().all(|character| !character.is_control() || "\n\t".contains(character)));
        }

        #[test]
        fn text_in_pieces_is_the_same_wherever_it_is_cut(
            pieces in prop::collection::vec("(\x1b|\\[|\\]|\\(|\x07|\\\\|\u{9b}|\r|\n|m|1|千){0,6}", 0..8),
        ) {
            let in_pieces = |pieces: &[String]| {
                let mut cleaner = Cleaner::default();
                let mut text: String = pieces.iter().map(|piece| cleaner.push(piece)).collect();
                text += &cleaner.finish();
                text
            };
            let text = in_pieces(&pieces);
            prop_assert!(text.chars().all(|character| !character.is_control() || character == '\n'));
            prop_assert_eq!(text, in_pieces(&[pieces.concat()]));
        }

        #[test]
        fn cleaning_clean_text_changes_nothing(text in any::<String>()) {
            let cleaned = clean(&text);
            prop_assert_eq!(clean(&cleaned), cleaned);
        }
    }
}
