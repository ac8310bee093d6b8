//! Why a constraint is refused, in one line.

use std::fmt::Display;

use llguidance::api::StopReason;
use qianshou_chat::{ChatError, ChatErrorKind, Constraint};
use serde_json::Value;

/// Longest schema (as JSON) and grammar, in bytes. The compiler goes down a call for each rule of a chain of
/// rules, so that this also bounds its stack.
const LONGEST: usize = 128 << 10;

/// Longest regular expression, and sum of the patterns in a schema, in bytes. The parser of a chain of optional
/// parts takes memory with the square of its length, about 70 MB here.
const LONGEST_PATTERN: usize = 8 << 10;

/// Most levels of a schema, as in readers of JSON.
const DEEPEST: usize = 128;

/// Refuses what would take too much memory to compile. The compiler's own limits do the rest.
pub(super) fn check_size(constraint: &Constraint) -> Result<(), ChatError> {
    let (length, patterns) = match constraint {
        Constraint::Regex(regex) => (regex.len(), regex.len()),
        Constraint::Grammar(grammar) => (grammar.len(), 0),
        Constraint::JsonSchema(schema) => {
            let patterns = length_of_patterns(schema, DEEPEST)
                .ok_or_else(|| refused(constraint, &format!("it is nested deeper than {DEEPEST} levels")))?;
            (schema.to_string().len(), patterns)
        }
    };
    if length > LONGEST {
        return Err(refused(constraint, &format!("it has {length} bytes, at most {LONGEST} are supported")));
    }
    if patterns > LONGEST_PATTERN {
        let reason = format!("regular expressions of {patterns} bytes, at most {LONGEST_PATTERN} are supported");
        return Err(refused(constraint, &reason));
    }
    Ok(())
}

/// How many bytes of regular expressions a schema has, or `None` when it is nested deeper than `levels`.
fn length_of_patterns(schema: &Value, levels: usize) -> Option<usize> {
    let below = |value: &Value| length_of_patterns(value, levels.checked_sub(1)?);
    match schema {
        Value::Array(items) => items.iter().map(below).sum(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| {
                let own = match (name.as_str(), value) {
                    // The last three are options of the compiler, which it takes from `x-guidance` in a schema.
                    ("pattern" | "whitespace_pattern" | "item_separator" | "key_separator", Value::String(text)) => {
                        text.len()
                    }
                    ("patternProperties", Value::Object(patterns)) => patterns.keys().map(String::len).sum(),
                    _ => 0,
                };
                Some(own + below(value)?)
            })
            .sum(),
        _ => Some(0),
    }
}

/// The refusal of a constraint that does not compile.
pub(super) fn malformed(constraint: &Constraint, error: impl Display) -> ChatError {
    refused(constraint, &one_line(constraint, &error.to_string()))
}

/// The end of a reply that cannot be parsed any further.
pub(super) fn impossible(error: impl Display) -> ChatError {
    let message = error.to_string();
    let reason = message.lines().next().unwrap_or_default();
    if reason == StopReason::NoExtensionBias.to_string() {
        return dead_end();
    }
    ChatError::new(ChatErrorKind::InvalidRequest, format!("the reply cannot be held to its constraint: {reason}"))
        .with_hint("write the constraint with fewer alternatives that begin alike")
}

/// The end of a reply that no token can follow, and that does not satisfy its constraint.
pub(super) fn dead_end() -> ChatError {
    let message = "nothing that this model can write satisfies the constraint: no token of its vocabulary fits";
    ChatError::new(ChatErrorKind::InvalidRequest, message)
        .with_hint("check that the constraint does not contradict itself, and needs no character that the model lacks")
}

fn refused(constraint: &Constraint, reason: &str) -> ChatError {
    let (what, hint) = match constraint {
        Constraint::Regex(_) => {
            ("the regular expression", "write it as for Rust's `regex`, without look-around and word boundaries")
        }
        Constraint::JsonSchema(_) => ("the JSON schema", "leave out what is not supported, and check it afterwards"),
        Constraint::Grammar(_) => ("the grammar", "write it in Lark, as llguidance reads it"),
    };
    ChatError::new(ChatErrorKind::InvalidRequest, format!("{what} cannot be used as a constraint: {reason}"))
        .with_hint(hint)
}

/// What the compiler says, without the source that it quotes, which may be long, and the picture below it.
fn one_line(constraint: &Constraint, message: &str) -> String {
    let mut lines = message.lines();
    let first = lines.next().unwrap_or_default();
    // The parser of regular expressions says what is wrong on a line of its own, below a picture.
    let below = lines.find_map(|line| line.strip_prefix("error: "));
    match first.split_once("invalid regex ") {
        None => below.unwrap_or(first).to_owned(),
        Some((place, rest)) => {
            let behind = || rest.rsplit_once("): ").map_or(rest, |(_, reason)| reason);
            let reason = below.unwrap_or_else(behind);
            // Only a grammar has a place that its author knows.
            if matches!(constraint, Constraint::Grammar(_)) { format!("{place}{reason}") } else { reason.to_owned() }
        }
    }
}
