//! What the model learns from, what is looked at meanwhile, and what it is tested with.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::episode::Group;

/// A part of the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Split {
    /// Learned.
    Training,
    /// Looked at while data and recipe are mended.
    Development,
    /// Tools of the training, phrasings and values that are not.
    TestSeen,
    /// Tools, phrasings and values that are not.
    TestUnseen,
}

/// Which phrasings and values may be drawn. Everything that is written belongs to one part by its place or its
/// text, so that no seed can mix them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Training,
    Development,
    Test,
}

impl Part {
    fn of_hash(hash: u64) -> Self {
        match hash % 10 {
            0 | 1 => Self::Test,
            2 => Self::Development,
            _ => Self::Training,
        }
    }

    /// The part of a text.
    pub(super) fn of_text(text: &str) -> Self {
        Self::of_hash(hash(text))
    }

    /// Of eight phrasings, the last is for tests and the last but one for development. All of them, where the whole
    /// tool belongs to one part.
    pub(super) fn of_phrasings(self, phrasings: &[String], whole: bool) -> Vec<&String> {
        let count = phrasings.len();
        let own = |index: usize| match (count - 1 - index, count) {
            (0, 3..) => Self::Test,
            (1, 3..) => Self::Development,
            _ => Self::Training,
        };
        phrasings.iter().enumerate().filter(|&(index, _)| whole || own(index) == self).map(|(_, text)| text).collect()
    }

    /// The values of a list that belong to the part: every fifth for tests, those behind them for development.
    pub(super) fn of_values<T>(self, values: &[T]) -> Vec<&T> {
        let own = |index: usize| match (index % 5, values.len()) {
            (0, 5..) => Self::Test,
            (1, 5..) => Self::Development,
            _ => Self::Training,
        };
        let found: Vec<&T> =
            values.iter().enumerate().filter(|&(index, _)| own(index) == self).map(|(_, value)| value).collect();
        if found.is_empty() { values.iter().collect() } else { found }
    }

    /// Whether a number belongs to the part.
    pub(super) fn has_number(self, number: &str) -> bool {
        Self::of_text(number) == self
    }
}

/// FNV-1a: the same on every machine and in every version.
pub(super) fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// All data.
#[derive(Clone, Debug, PartialEq)]
pub struct Splits {
    /// What is learned.
    pub training: Vec<Group>,
    /// What is looked at.
    pub development: Vec<Group>,
    /// Tools of the training.
    pub test_seen: Vec<Group>,
    /// Other tools.
    pub test_unseen: Vec<Group>,
}

/// Proves that nothing of a test was learned or looked at: no question, and for *test-unseen* no tool, by its
/// description (its name may be spelled in several ways) but for the built-in ones, which every split may offer.
///
/// # Errors
/// What both have, one line each.
pub fn prove_disjoint(splits: &Splits, built_in: &[&str]) -> Result<(), Vec<String>> {
    let questions = |groups: &[Group]| -> BTreeSet<String> {
        let episodes = groups.iter().flat_map(|group| &group.episodes);
        episodes.map(|episode| normal(&episode.question)).collect()
    };
    let tools = |groups: &[Group]| -> BTreeSet<String> {
        let specs = groups.iter().flat_map(|group| &group.tools);
        let own = specs.filter(|spec| !built_in.contains(&spec.name.as_str()));
        own.map(|spec| normal(&spec.description)).collect()
    };
    let mut shared = Vec::new();
    let seen = questions(&splits.training);
    let looked_at = questions(&splits.development);
    for (name, groups) in [("test-seen", &splits.test_seen), ("test-unseen", &splits.test_unseen)] {
        let own = questions(groups);
        shared.extend(own.intersection(&seen).map(|question| format!("{name} and training: {question}")));
        shared.extend(own.intersection(&looked_at).map(|question| format!("{name} and development: {question}")));
    }
    let unseen = tools(&splits.test_unseen);
    for (name, groups) in [("training", &splits.training), ("development", &splits.development)] {
        let known = tools(groups);
        shared.extend(unseen.intersection(&known).map(|tool| format!("test-unseen and {name}: the tool {tool:?}")));
    }
    if shared.is_empty() { Ok(()) } else { Err(shared) }
}

/// A text without what does not matter: case, and all but letters and digits.
pub(super) fn normal(text: &str) -> String {
    let letters = text.chars().map(|letter| if letter.is_alphanumeric() { letter } else { ' ' });
    let text: String = letters.flat_map(char::to_lowercase).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phrasing_and_value_belongs_to_one_part() {
        let phrasings: Vec<String> = (0..8).map(|number| number.to_string()).collect();
        let parts = [Part::Training, Part::Development, Part::Test];
        let of = parts.map(|part| part.of_phrasings(&phrasings, false).len());
        assert_eq!(of, [6, 1, 1]);
        assert_eq!(parts.map(|part| part.of_values(&phrasings).len()), [4, 2, 2]);
        for number in 0..100 {
            let number = number.to_string();
            assert_eq!(parts.iter().filter(|part| part.has_number(&number)).count(), 1);
        }
    }

    #[test]
    fn texts_are_compared_by_their_letters() {
        assert_eq!(normal("  What's \"this\"?"), normal("what s this"));
    }
}
