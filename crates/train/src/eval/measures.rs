//! What outcomes come to.

use std::collections::BTreeMap;
use std::fmt;

use super::Outcome;
use crate::Kind;

/// So many of so many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measure {
    /// How many did.
    pub hits: usize,
    /// How many could.
    pub of: usize,
}

impl Measure {
    fn count(&mut self, hit: bool) {
        self.of += 1;
        self.hits += usize::from(hit);
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.of {
            0 => formatter.write_str("–"),
            of => write!(formatter, "{}/{of} ({:.1} %)", self.hits, 100.0 * self.hits as f64 / of as f64),
        }
    }
}

/// The measures of episodes of a kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measures {
    /// The right tool first; none, where none is needed.
    pub selection: Measure,
    /// The right tool with all its arguments first.
    pub exact: Measure,
    /// The right final answer, of those that got the right observations.
    pub answer: Measure,
    /// Right to the final answer, of all.
    pub whole: Measure,
}

/// Measures by kind.
pub fn measures(outcomes: &[Outcome]) -> BTreeMap<Kind, Measures> {
    let mut by_kind: BTreeMap<Kind, Measures> = BTreeMap::new();
    for outcome in outcomes {
        let measures = by_kind.entry(outcome.kind).or_default();
        measures.selection.count(outcome.selected);
        measures.exact.count(outcome.exact);
        if outcome.observed {
            measures.answer.count(outcome.right);
        }
        let needs_none = outcome.expected.is_none();
        measures.whole.count(outcome.right && (!needs_none || outcome.selected));
    }
    by_kind
}
