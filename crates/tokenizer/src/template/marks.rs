//! Telling what a template wrote from what it was given.
//!
//! A template joins its own text and that of messages in any way it likes, so afterwards nobody can say
//! where a piece of the result came from. But a special token is a run of neighbouring characters. Texts
//! are therefore given to the template with a *mark*, a private character that occurs nowhere else, beside
//! some of their characters. A mark within a run keeps it from being a token, and all marks are removed
//! before anything is encoded.
//!
//! - [`Mode::Everywhere`] marks both sides of each character that is no white space. No run can then hold
//!   any such character of a text, whatever the template does; only a template that looks at texts
//!   (compares them, searches in them) sees the difference.
//! - [`Mode::Edges`] marks behind each character that a token can begin with, and before each that one can
//!   end with, mostly `<` and `>`, and within the names of tokens (`im_end`). Other texts are as they were,
//!   so a template may look at them. No run can then begin or end in a text, nor be brackets of the template
//!   around a name in a text. It is used where the other mode changes what is rendered: a token could then
//!   only come of a template that looks at texts, and also writes pieces of them into the middle of a token.
//!
//! A generated part is one private character too, which is its place in the result.

use std::collections::HashSet;

use serde_json::{Map, Value};

/// Which characters of a text are marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Edges,
    Everywhere,
}

/// Private characters that occur in nothing that is rendered.
#[derive(Debug)]
pub(super) struct Marks {
    mark: char,
    /// One for each generated part.
    places: Vec<char>,
    /// What tokens begin with, and what they end with.
    first: Vec<char>,
    last: Vec<char>,
    /// Tokens without their brackets.
    names: Vec<String>,
}

/// Whether a mark keeps this token from being recognised: it has two ends, and both are visible. Others
/// (single characters, runs of spaces) are ordinary text that has a token of its own.
pub(super) fn can_be_marked(token: &str) -> bool {
    token.chars().nth(1).is_some() && !token.starts_with(char::is_whitespace) && !token.ends_with(char::is_whitespace)
}

impl Marks {
    /// Marks for these tokens and so many generated parts, out of the characters that no text has.
    pub(super) fn new<T: AsRef<str>>(
        tokens: &[String],
        generated: usize,
        texts: impl IntoIterator<Item = T>,
    ) -> Option<Self> {
        let mut taken = HashSet::new();
        for text in texts {
            taken.extend(text.as_ref().chars().filter(|&character| character >= '\u{e000}'));
        }
        let private = ('\u{e000}'..='\u{f8ff}').chain('\u{f0000}'..='\u{ffffd}').chain('\u{100000}'..='\u{10fffd}');
        let mut free = private.filter(|character| !taken.contains(character));
        let mark = free.next()?;
        let places: Vec<_> = free.take(generated).collect();
        let ends = |end: fn(&str) -> Option<char>| {
            let mut ends: Vec<_> = tokens.iter().filter_map(|token| end(token)).collect();
            ends.sort_unstable();
            ends.dedup();
            ends
        };
        let (first, last) = (ends(|token| token.chars().next()), ends(|token| token.chars().next_back()));
        let is_bracket = |character: char| !character.is_alphanumeric() && character != '_';
        let mut names: Vec<_> = tokens.iter().map(|token| token.trim_matches(is_bracket).to_owned()).collect();
        names.retain(|name| !name.is_empty());
        (places.len() == generated).then_some(Self { mark, places, first, last, names })
    }

    /// The character that stands for a generated part.
    pub(super) fn place(&self, generated: usize) -> char {
        self.places.get(generated).copied().unwrap_or(self.mark)
    }

    /// A text as the template gets it.
    pub(super) fn mark(&self, text: &str, mode: Mode) -> String {
        let everywhere = mode == Mode::Everywhere || self.names.iter().any(|name| name == text.trim());
        let cuts = if everywhere { HashSet::new() } else { self.within_names(text) };
        let mut marked = String::with_capacity(text.len());
        for (at, character) in text.char_indices() {
            let (before, behind) = if everywhere {
                (!character.is_whitespace(), !character.is_whitespace())
            } else {
                (cuts.contains(&at) || self.last.contains(&character), self.first.contains(&character))
            };
            marked.extend(before.then_some(self.mark));
            marked.push(character);
            marked.extend(behind.then_some(self.mark));
        }
        marked
    }

    /// Where the second character of a name is. Names of one or two characters are in too many words.
    fn within_names(&self, text: &str) -> HashSet<usize> {
        let second = |name: &str| name.char_indices().nth(1).filter(|_| name.len() > 2).map(|(at, _)| at);
        let names = self.names.iter().filter_map(|name| Some((name, second(name)?)));
        names.flat_map(|(name, second)| text.match_indices(name).map(move |(at, _)| at + second)).collect()
    }

    /// All texts in a value. Names of fields are marked at their edges alone, since templates look fields
    /// up by name.
    pub(super) fn mark_value(&self, value: &Value, mode: Mode) -> Value {
        match value {
            Value::String(text) => self.mark(text, mode).into(),
            Value::Array(values) => values.iter().map(|value| self.mark_value(value, mode)).collect(),
            Value::Object(fields) => {
                let marked = |(name, value): (&String, _)| (self.mark(name, Mode::Edges), self.mark_value(value, mode));
                fields.iter().map(marked).collect::<Map<_, _>>().into()
            }
            other => other.clone(),
        }
    }

    /// A text without its marks.
    pub(super) fn remove(&self, text: &str) -> String {
        text.replace(self.mark, "")
    }

    /// Takes text apart at generated parts: pieces without marks, each with the part that follows it.
    pub(super) fn split(&self, text: &str) -> Vec<(String, Option<usize>)> {
        text.split_inclusive(self.places.as_slice())
            .map(|piece| {
                let place = piece.chars().next_back().and_then(|last| self.places.iter().position(|&at| at == last));
                let text = if place.is_some() { piece.trim_end_matches(self.places.as_slice()) } else { piece };
                (self.remove(text), place)
            })
            .collect()
    }
}
