//! Text of a cell, made safe to show: no escape sequences, no other control characters.

/// Removes what a terminal would act upon, and what hides text from a reader. `\r` alone starts the
/// line anew, as progress bars mean it.
pub(crate) fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    let mut line = 0;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\n' => {
                cleaned.push('\n');
                line = cleaned.len();
            }
            '\r' if characters.peek() == Some(&'\n') => {}
            '\r' if characters.peek().is_some() => cleaned.truncate(line),
            '\u{1b}' | '\u{9b}' | '\u{9d}' | '\u{90}' => skip_sequence(character, &mut characters),
            '\t' => cleaned.push('\t'),
            control if control.is_control() || is_bidirectional(control) => {}
            character => cleaned.push(character),
        }
    }
    cleaned
}

/// The rest of an escape sequence, up to its end or the end of the line.
fn skip_sequence(first: char, characters: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    let kind = if first == '\u{1b}' { characters.next_if(|next| *next != '\n') } else { Some(first) };
    match kind {
        // A control sequence ends with a letter or one of a few signs.
        Some('[' | '\u{9b}') => {
            while let Some(next) = characters.next_if(|next| *next != '\n') {
                if ('@'..='~').contains(&next) {
                    return;
                }
            }
        }
        // A string for the terminal ends with a bell or a terminator.
        Some(']' | 'P' | 'X' | '^' | '_' | '\u{9d}' | '\u{90}') => {
            while let Some(next) = characters.next_if(|next| *next != '\n') {
                match next {
                    '\u{7}' | '\u{9c}' => return,
                    '\u{1b}' => {
                        characters.next_if_eq(&'\\');
                        return;
                    }
                    _ => {}
                }
            }
        }
        // One more character chooses a character set.
        Some('(' | ')' | '*' | '+') => drop(characters.next_if(|next| *next != '\n')),
        _ => {}
    }
}

/// Marks that change the order in which text is shown.
fn is_bidirectional(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::clean;

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
        fn cleaning_clean_text_changes_nothing(text in any::<String>()) {
            let cleaned = clean(&text);
            prop_assert_eq!(clean(&cleaned), cleaned);
        }
    }
}
