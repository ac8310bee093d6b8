//! What outcomes come to.

use std::collections::BTreeMap;
use std::fmt;

use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Serialize, Serializer};

use super::Outcome;
use crate::Kind;

/// So many of so many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Measure {
    /// How many did.
    pub hits: usize,
    /// How many could.
    pub of: usize,
}

impl Measure {
    pub(super) fn count(&mut self, hit: bool) {
        self.of += 1;
        self.hits += usize::from(hit);
    }

    /// The interval, in parts of 1, that holds the true share in 95 of 100 samples of this size (Wilson, 1927).
    pub fn interval(self) -> (f64, f64) {
        let (hits, of) = (self.hits as f64, self.of as f64);
        if self.of == 0 {
            return (0.0, 1.0);
        }
        let z = 1.959_964;
        let share = hits / of;
        let (square, width) = (z * z / of, z * (share * (1.0 - share) / of + z * z / (4.0 * of * of)).sqrt());
        let edge = |offset: f64| ((share + square / 2.0 + offset) / (1.0 + square)).clamp(0.0, 1.0);
        (edge(-width), edge(width))
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (low, high) = self.interval();
        match self.of {
            0 => formatter.write_str("–"),
            of => write!(
                formatter,
                "{}/{of} {:.1} % ({:.1}–{:.1})",
                self.hits,
                100.0 * self.hits as f64 / of as f64,
                100.0 * low,
                100.0 * high
            ),
        }
    }
}

impl Serialize for Measure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (low, high) = self.interval();
        let mut fields = serializer.serialize_struct("Measure", 4)?;
        fields.serialize_field("hits", &self.hits)?;
        fields.serialize_field("of", &self.of)?;
        fields.serialize_field("low", &low)?;
        fields.serialize_field("high", &high)?;
        fields.end()
    }
}

/// The measures of episodes of a kind. Only the selection is measured where no tool is needed or none fits: nothing
/// comes back there that an answer could be held to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measures {
    /// The right tool first; none, where none is needed.
    pub selection: Measure,
    /// The right tool with all its arguments first. Python is left out, for many programs do the same.
    pub exact: Measure,
    /// The right final answer, of those that got the right observations.
    pub answer: Measure,
    /// The right final answer, of all.
    pub whole: Measure,
}

/// Measures by kind.
pub fn measures(outcomes: &[Outcome]) -> BTreeMap<Kind, Measures> {
    let mut by_kind: BTreeMap<Kind, Measures> = BTreeMap::new();
    for outcome in outcomes {
        let measures = by_kind.entry(outcome.kind).or_default();
        measures.selection.count(outcome.selected);
        if outcome.expected.is_none() {
            continue;
        }
        if !outcome.kind.is_python() {
            measures.exact.count(outcome.exact);
        }
        if outcome.observed {
            measures.answer.count(outcome.right);
        }
        measures.whole.count(outcome.right);
    }
    by_kind
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_wilson_s() {
        // By the formula, with an independent calculator.
        for ((hits, of), (low, high)) in
            [((0, 10), (0.0, 0.2775)), ((9, 10), (0.5958, 0.9821)), ((81, 263), (0.2553, 0.3662))]
        {
            let found = Measure { hits, of }.interval();
            assert!((found.0 - low).abs() < 1e-4 && (found.1 - high).abs() < 1e-4, "{hits}/{of}: {found:?}");
        }
        assert_eq!(Measure::default().interval(), (0.0, 1.0));
        assert_eq!(Measure { hits: 9, of: 10 }.to_string(), "9/10 90.0 % (59.6–98.2)");
    }
}
