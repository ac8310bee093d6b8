//! JSON values as Python compares them.

use serde_json::Value;

/// The types that the checker tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Integer,
    Float,
    Boolean,
    List,
    Object,
    None,
}

/// `type(value)`.
pub(super) fn kind(value: &Value) -> Kind {
    match value {
        Value::Null => Kind::None,
        Value::Bool(_) => Kind::Boolean,
        Value::Number(number) if number.is_f64() => Kind::Float,
        Value::Number(_) => Kind::Integer,
        Value::String(_) => Kind::Text,
        Value::Array(_) => Kind::List,
        Value::Object(_) => Kind::Object,
    }
}

/// `one == other`: numbers by value, and true is 1.
pub(super) fn equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Array(ones), Value::Array(others)) => {
            ones.len() == others.len() && ones.iter().zip(others).all(|(one, other)| equal(one, other))
        }
        (Value::Object(ones), Value::Object(others)) => {
            let same = |(name, one): (&String, &Value)| others.get(name).is_some_and(|other| equal(one, other));
            ones.len() == others.len() && ones.iter().all(same)
        }
        (Value::Bool(_) | Value::Number(_), Value::Bool(_) | Value::Number(_)) => {
            let integer = |value: &Value| value.as_bool().map(i64::from).or_else(|| value.as_i64());
            let float =
                |value: &Value| value.as_bool().map(|truth| f64::from(u8::from(truth))).or_else(|| value.as_f64());
            match (integer(one), integer(other)) {
                (Some(one), Some(other)) => one == other,
                _ => float(one) == float(other),
            }
        }
        _ => one == other,
    }
}

/// `value in values`.
pub(super) fn is_among(value: &Value, values: &[Value]) -> bool {
    values.iter().any(|other| equal(value, other))
}

/// Text without what the checker does not look at: spaces, some punctuation and case.
pub(super) fn standard(text: &str) -> String {
    let kept: String = text.chars().filter(|c| !" ,./-_*^".contains(*c)).collect();
    kept.to_lowercase().replace('\'', "\"")
}

/// Standard text, and everything else as it is.
pub(super) fn standard_value(value: &Value) -> Value {
    match value {
        Value::String(text) => standard(text).into(),
        other => other.clone(),
    }
}
