//! Arithmetic: expressions that are drawn, and problems that were written.

use std::collections::BTreeMap;

use rand::RngExt as _;
use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::IndexedRandom as _;

use super::sources::Problem;
use super::split::Part;
use super::template::{fill, names};

/// A problem with its numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Exercise {
    pub(super) question: String,
    pub(super) expression: String,
    /// With `{result}` left to fill.
    pub(super) answer: String,
}

/// Draws a problem's numbers; its `{e}` is an expression.
pub(super) fn exercise(problem: &Problem, part: Part, random: &mut Xoshiro256PlusPlus) -> Option<Exercise> {
    for _ in 0..50 {
        let mut values = BTreeMap::new();
        for name in names(&problem.question).chain(names(&problem.expression)) {
            let value = match problem.ranges.get(name) {
                Some(&(low, high, decimals)) => number(low, high, decimals, random),
                None if name == "e" => expression(random)?,
                None => continue,
            };
            values.entry(name.to_owned()).or_insert(value);
        }
        let text = |name: &str| values.get(name).cloned();
        let expression = fill(&problem.expression, text);
        // Numbers of the tests are apart by what is computed with them.
        if part.has_number(&expression) {
            let answer = fill(&problem.answer, text);
            return Some(Exercise { question: fill(&problem.question, text), expression, answer });
        }
    }
    None
}

fn number(low: f64, high: f64, decimals: usize, random: &mut Xoshiro256PlusPlus) -> String {
    format!("{:.decimals$}", random.random_range(low..=high))
}

/// An expression of two to four operands, bracketed here and there.
fn expression(random: &mut Xoshiro256PlusPlus) -> Option<String> {
    let operands = *[2, 3, 3, 4].choose(random)?;
    let mut parts = Vec::new();
    for index in 0..operands {
        let decimals = if random.random_bool(0.15) { random.random_range(1..=2) } else { 0 };
        let high = *[20.0, 100.0, 1000.0, 10000.0].choose(random)?;
        parts.push(number(2.0, high, decimals, random));
        if index + 1 < operands {
            parts.push((*["+", "-", "*", "*", "/"].choose(random)?).to_owned());
        }
    }
    // Brackets go around some operands beside each other, but not around all.
    if operands > 2 && random.random_bool(0.7) {
        let first = random.random_range(0..operands - 1);
        let last = random.random_range(first + 1..operands);
        if last - first + 1 < operands {
            parts[2 * first].insert(0, '(');
            parts[2 * last].push(')');
        }
    }
    Some(parts.join(" "))
}
