//! Where two requests differ.

use serde_json::Value;

use crate::{ChatError, ChatErrorKind, ChatRequest};

/// How many characters of a value are shown, and how many of them before the place that differs.
const SHOWN: usize = 60;
const BEFORE: usize = 20;

/// The first place where two requests differ, in the order of their fields.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` is {left} there and {right} here")]
pub struct Difference {
    /// For example `messages[2].content[0].text`.
    pub field: String,
    /// What the first request has there.
    pub left: String,
    /// What the second one has.
    pub right: String,
}

impl ChatRequest {
    /// Where another request differs from this one, as they are written down: there, for example, a number
    /// that is none (NaN) is `null`, whatever it was.
    ///
    /// # Errors
    /// When one of them cannot be written down.
    pub fn difference(&self, other: &Self) -> Result<Option<Difference>, ChatError> {
        if self == other {
            return Ok(None);
        }
        let written = |request| {
            serde_json::to_string(request).and_then(|text| serde_json::from_str(&text)).map_err(|error| {
                let message = "the request cannot be written down, so it was not recorded";
                ChatError::new(ChatErrorKind::InvalidRequest, message).with_source(error)
            })
        };
        Ok(first(&written(self)?, &written(other)?))
    }
}

/// Compares two values; the order of an object's fields does not matter.
fn first(left: &Value, right: &Value) -> Option<Difference> {
    search(left, right, &mut String::new())
}

fn search(left: &Value, right: &Value, field: &mut String) -> Option<Difference> {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            let added = right.keys().filter(|key| !left.contains_key(*key));
            left.keys().chain(added).find_map(|key| {
                let point = if field.is_empty() { "" } else { "." };
                compare(left.get(key), right.get(key), field, &format!("{point}{key}"))
            })
        }
        (Value::Array(left), Value::Array(right)) => (0..left.len().max(right.len()))
            .find_map(|index| compare(left.get(index), right.get(index), field, &format!("[{index}]"))),
        (left, right) if left == right => None,
        (Value::String(left), Value::String(right)) => {
            let same = left.chars().zip(right.chars()).take_while(|(left, right)| left == right).count();
            let skipped = same.saturating_sub(BEFORE);
            Some(Difference { field: field.clone(), left: excerpt(left, skipped), right: excerpt(right, skipped) })
        }
        (left, right) => Some(Difference { field: field.clone(), left: show(Some(left)), right: show(Some(right)) }),
    }
}

/// Compares what two containers have at one place.
fn compare(left: Option<&Value>, right: Option<&Value>, field: &mut String, step: &str) -> Option<Difference> {
    let length = field.len();
    field.push_str(step);
    let found = match (left, right) {
        (Some(left), Some(right)) => search(left, right, field),
        _ => Some(Difference { field: field.clone(), left: show(left), right: show(right) }),
    };
    field.truncate(length);
    found
}

fn show(value: Option<&Value>) -> String {
    value.map_or_else(|| "absent".to_owned(), |value| cut(&value.to_string()))
}

/// A string from the place on that matters, in quotes.
fn excerpt(text: &str, skipped: usize) -> String {
    let rest: String = text.chars().skip(skipped).collect();
    let left_out = if skipped > 0 { "…" } else { "" };
    format!("{left_out}{}", cut(&Value::from(rest).to_string()))
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Difference, first};

    #[track_caller]
    fn differ(left: serde_json::Value, right: serde_json::Value, expected: [&str; 3]) {
        let [field, left_shown, right_shown] = expected.map(str::to_owned);
        assert_eq!(first(&left, &right), Some(Difference { field, left: left_shown, right: right_shown }));
        assert_eq!(first(&left, &left), None);
    }

    #[test]
    fn the_first_place_is_named() {
        differ(json!({"a": 1, "b": [1, {"c": 2}]}), json!({"a": 1, "b": [1, {"c": 3}]}), ["b[1].c", "2", "3"]);
        differ(json!({"a": [1]}), json!({"a": [1, 2]}), ["a[1]", "absent", "2"]);
        differ(json!({"a": null}), json!({}), ["a", "null", "absent"]);
        differ(json!({}), json!({"b": "x"}), ["b", "absent", "\"x\""]);
        differ(json!({"a": 1}), json!({"a": "1"}), ["a", "1", "\"1\""]);
        assert_eq!(first(&json!({"a": 1, "b": 2}), &json!({"b": 2, "a": 1})), None);
    }

    #[test]
    fn long_texts_are_shown_around_the_place() {
        let same = "千".repeat(30);
        let left = format!("…\"{}left\"", "千".repeat(20));
        let right = format!("…\"{}{}…", "千".repeat(20), "r".repeat(39));
        differ(json!(format!("{same}left")), json!(same.clone() + &"r".repeat(99)), ["", &left, &right]);
    }
}
