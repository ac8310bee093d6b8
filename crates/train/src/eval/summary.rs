//! The few numbers that say how good a model is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Measure, Measures, Outcome, measures};
use crate::Kind;

/// Totals over the kinds of an evaluation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The right tool first, of requests that need one.
    pub selection: Measure,
    /// That tool with all its arguments; Python is left out, for many programs do the same.
    pub exact: Measure,
    /// A call all the same, of requests that none of the tools can do or that need none.
    pub needless_call: Measure,
    /// The right final answer, of those that needed tools and got the right observations.
    pub answer: Measure,
    /// Right to the final answer, of arithmetic, time and files.
    pub built_in: Measure,
    /// Right to the final answer, of Python tasks of kinds that were trained.
    pub python: Measure,
    /// Right to the final answer, of Python tasks of other kinds.
    pub unseen_python: Measure,
    /// Measures by kind.
    pub kinds: BTreeMap<Kind, Measures>,
}

impl Summary {
    /// Sums outcomes up.
    pub fn new(outcomes: &[Outcome]) -> Self {
        let mut summary = Self { kinds: measures(outcomes), ..Self::default() };
        for outcome in outcomes {
            if outcome.expected.is_none() {
                summary.needless_call.count(outcome.call.is_some());
                continue;
            }
            summary.selection.count(outcome.selected);
            if !outcome.kind.is_python() {
                summary.exact.count(outcome.exact);
            }
            if outcome.observed {
                summary.answer.count(outcome.right);
            }
            match outcome.kind {
                Kind::Arithmetic | Kind::Time | Kind::Files => summary.built_in.count(outcome.right),
                Kind::Python => summary.python.count(outcome.right),
                Kind::UnseenPython => summary.unseen_python.count(outcome.right),
                _ => {}
            }
        }
        summary
    }

    /// The totals with their names.
    pub fn totals(&self) -> [(&'static str, Measure); 7] {
        [
            ("right tool, where one is needed", self.selection),
            ("with all its arguments", self.exact),
            ("a call where none is needed or none fits", self.needless_call),
            ("right answer, given the right observations", self.answer),
            ("built-in tools, to the final answer", self.built_in),
            ("Python of trained kinds, to the final answer", self.python),
            ("Python of other kinds, to the final answer", self.unseen_python),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(kind: Kind, expected: bool, called: Option<bool>, exact: bool, right: bool) -> Outcome {
        let call = |name: &str| (name.to_owned(), "{}".to_owned());
        Outcome {
            kind,
            question: String::new(),
            expected: expected.then(|| call("right")),
            call: called.map(|right| call(if right { "right" } else { "wrong" })),
            selected: called == expected.then_some(true),
            exact,
            observed: called == expected.then_some(true),
            right,
            expected_answer: String::new(),
            answer: String::new(),
        }
    }

    #[test]
    fn totals_count_what_they_say() {
        let outcomes = [
            outcome(Kind::Authored, true, Some(true), true, true),
            outcome(Kind::Authored, true, Some(true), false, false),
            outcome(Kind::Authored, true, Some(false), false, true),
            outcome(Kind::Time, true, Some(true), true, true),
            outcome(Kind::Python, true, Some(true), false, true),
            outcome(Kind::UnseenPython, true, None, false, false),
            outcome(Kind::Cannot, false, None, true, true),
            outcome(Kind::NoNeed, false, Some(true), false, true),
        ];
        let summary = Summary::new(&outcomes);
        let numbers = summary.totals().map(|(_, measure)| (measure.hits, measure.of));
        assert_eq!(numbers, [(4, 6), (2, 4), (1, 2), (3, 4), (1, 1), (1, 1), (0, 1)]);
        let untold = Measures { selection: Measure { hits: 1, of: 1 }, ..Measures::default() };
        assert_eq!(summary.kinds[&Kind::Cannot], untold);
        let faults: Vec<_> = outcomes.iter().map(Outcome::fault).collect();
        let [arguments, tool, none, needless] =
            ["other arguments", "another tool", "no call", "a call where none is needed"].map(Some);
        assert_eq!(faults, [None, arguments, tool, None, None, none, None, needless]);
        // The measures are read back without the intervals that stand beside them.
        let text = serde_json::to_string(&summary).unwrap_or_default();
        assert_eq!(serde_json::from_str::<Summary>(&text).ok(), Some(summary));
        assert!(text.contains("\"needless_call\":{\"hits\":1,\"of\":2,\"low\":0.09"), "{text}");
    }
}
