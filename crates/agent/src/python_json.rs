//! JSON as Python's `json.dumps(value, ensure_ascii=False)` writes it.
//!
//! Qwen was trained on tool descriptions that Python wrote, so the text has to agree to the byte:
//! separators `", "` and `": "`, keys in their own order, floats as Python's `repr` prints them. The one
//! difference: an integer that fits neither `i64` nor `u64` is a float here.

use serde_json::{Number, Value};

/// The text that `json.dumps(value, ensure_ascii=False)` gives.
///
/// ```
/// let value = serde_json::json!({"city": "杭州", "days": [1, 2.0, 1e16], "note": null});
/// assert_eq!(
///     qianshou_agent::python_json(&value),
///     r#"{"city": "杭州", "days": [1, 2.0, 1e+16], "note": null}"#,
/// );
/// ```
pub fn python_json(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(true) => text.push_str("true"),
        Value::Bool(false) => text.push_str("false"),
        Value::Number(number) => write_number(number, text),
        Value::String(string) => write_string(string, text),
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push_str(", ");
                }
                write(item, text);
            }
            text.push(']');
        }
        Value::Object(entries) => {
            text.push('{');
            for (index, (key, item)) in entries.iter().enumerate() {
                if index > 0 {
                    text.push_str(", ");
                }
                write_string(key, text);
                text.push_str(": ");
                write(item, text);
            }
            text.push('}');
        }
    }
}

fn write_string(string: &str, text: &mut String) {
    text.push('"');
    for character in string.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            '\0'..'\u{20}' => text.push_str(&format!("\\u{:04x}", u32::from(character))),
            _ => text.push(character),
        }
    }
    text.push('"');
}

fn write_number(number: &Number, text: &mut String) {
    match number.as_f64() {
        Some(float) if number.is_f64() => text.push_str(&python_float(float)),
        _ => text.push_str(&number.to_string()),
    }
}

/// A finite float as Python's `repr` prints it: the shortest digits that read back the same, with an
/// exponent when that is below -4 or at least 16.
fn python_float(float: f64) -> String {
    let scientific = format!("{float:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        let plain = float.to_string();
        return if plain.contains('.') { plain } else { plain + ".0" };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_python_s() {
        let cases = [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (0.1, "0.1"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1.5e-7, "1.5e-07"),
            (123_456_789.125, "123456789.125"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.25e22, "1.25e+22"),
            (1.797_693_134_862_315_7e308, "1.7976931348623157e+308"),
            (5e-324, "5e-324"),
        ];
        for (float, expected) in cases {
            assert_eq!(python_float(float), expected);
        }
    }

    #[test]
    fn strings_escape_what_python_escapes() {
        let value = Value::from("\"\\\n\r\t\u{8}\u{c}\u{1}\u{1f}\u{7f}é汉😀\u{2028}/");
        assert_eq!(python_json(&value), "\"\\\"\\\\\\n\\r\\t\\b\\f\\u0001\\u001f\u{7f}é汉😀\u{2028}/\"");
    }

    #[test]
    fn containers_and_integers() {
        let value = serde_json::json!({"b": [], "a": {}, "n": [-1, 18_446_744_073_709_551_615_u64, true, false]});
        assert_eq!(python_json(&value), r#"{"b": [], "a": {}, "n": [-1, 18446744073709551615, true, false]}"#);
    }
}
