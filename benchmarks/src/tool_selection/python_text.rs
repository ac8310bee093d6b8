//! Text as Python treats it: slices with negative indices, `strip`, and `json.dumps` over what `json5` read.

use std::collections::BTreeMap;
use std::fmt;

use qianshou_agent::python_json;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// What brackets are nested deeper than this is taken for unreadable, as Python's recursion limit has it.
const DEEPEST: usize = 128;

/// A text whose characters are counted as Python counts them.
pub(super) struct PythonText(Vec<char>);

impl PythonText {
    pub(super) fn new(text: &str) -> Self {
        Self(text.chars().collect())
    }

    /// `text.find(pattern)`: −1 where it is not.
    pub(super) fn find(&self, pattern: &str) -> isize {
        let pattern: Vec<char> = pattern.chars().collect();
        let found = self.0.windows(pattern.len()).position(|window| window == pattern);
        found.and_then(|at| at.try_into().ok()).unwrap_or(-1)
    }

    /// `text[from:to]`.
    pub(super) fn slice(&self, from: isize, to: isize) -> String {
        let length = self.0.len();
        let place = |index: isize| match usize::try_from(index) {
            Ok(index) => index.min(length),
            Err(_) => length.saturating_sub(index.unsigned_abs()),
        };
        self.0.get(place(from)..place(to)).unwrap_or_default().iter().collect()
    }
}

/// `text.strip()`.
pub(super) fn strip(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c))
}

/// `json.dumps(json5.loads(text), sort_keys=True, ensure_ascii=False)`, if the text can be read. The one
/// difference: an integer beyond 64 bits is a float here.
pub(super) fn normalised(text: &str) -> Option<String> {
    let mut depth = 0_usize;
    for byte in text.bytes() {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST {
            return None;
        }
    }
    let value: Json5 = json5::from_str(text).ok()?;
    let mut written = String::new();
    value.write(&mut written);
    Some(written)
}

/// What JSON5 can say.
enum Json5 {
    /// Everything that is one word in JSON, as Python writes it.
    Word(String),
    List(Vec<Json5>),
    Object(BTreeMap<String, Json5>),
}

impl Json5 {
    fn write(&self, text: &mut String) {
        let between = |index: usize, text: &mut String| {
            if index > 0 {
                text.push_str(", ");
            }
        };
        match self {
            Self::Word(word) => text.push_str(word),
            Self::List(items) => {
                text.push('[');
                for (index, item) in items.iter().enumerate() {
                    between(index, text);
                    item.write(text);
                }
                text.push(']');
            }
            Self::Object(entries) => {
                text.push('{');
                for (index, (key, item)) in entries.iter().enumerate() {
                    between(index, text);
                    text.push_str(&python_json(&key.as_str().into()));
                    text.push_str(": ");
                    item.write(text);
                }
                text.push('}');
            }
        }
    }
}

impl<'de> Deserialize<'de> for Json5 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Json5Visitor)
    }
}

struct Json5Visitor;

impl<'de> Visitor<'de> for Json5Visitor {
    type Value = Json5;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON5")
    }

    fn visit_unit<E>(self) -> Result<Json5, E> {
        Ok(Json5::Word("null".to_owned()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json5, E> {
        Ok(Json5::Word(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json5, E> {
        Ok(Json5::Word(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json5, E> {
        Ok(Json5::Word(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json5, E> {
        Ok(Json5::Word(match value {
            _ if value.is_nan() => "NaN".to_owned(),
            f64::INFINITY => "Infinity".to_owned(),
            f64::NEG_INFINITY => "-Infinity".to_owned(),
            _ => python_json(&value.into()),
        }))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json5, E> {
        Ok(Json5::Word(python_json(&value.into())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Json5, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element()? {
            items.push(item);
        }
        Ok(Json5::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json5, A::Error> {
        let mut entries = BTreeMap::new();
        while let Some((key, item)) = map.next_entry()? {
            entries.insert(key, item);
        }
        Ok(Json5::Object(entries))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn slices_are_those_of_python() {
        let text = PythonText::new("千手 abc");
        assert_eq!(text.find("abc"), 3);
        assert_eq!(text.find("x"), -1);
        assert_eq!(text.slice(1, -1), "手 ab");
        assert_eq!(text.slice(4, 2), "");
        assert_eq!(text.slice(-100, 100), "千手 abc");
        assert_eq!(PythonText::new("").slice(-1, -1), "");
    }

    /// What Python 3.11 prints with the package json5 0.17.
    #[test]
    fn json5_is_written_as_python_does() {
        let cases = [
            ("{city: '北京', 'b': [1, 2.0, .5, 0x1F,],}", r#"{"b": [1, 2.0, 0.5, 31], "city": "北京"}"#),
            ("{a:1,a:2}", r#"{"a": 2}"#),
            ("// c\n{a:+1}", r#"{"a": 1}"#),
            (
                "[1., 1e3, 1e400, NaN, -Infinity, 1e16, 1E-7, -0.0]",
                "[1.0, 1000.0, Infinity, NaN, -Infinity, 1e+16, 1e-07, -0.0]",
            ),
            ("'a\\\nb'", r#""ab""#),
            (r#""\x41\u0041\v\0\q""#, r#""AA\u000b\u0000q""#),
            ("null", "null"),
            ("{\"é\":1, $a_1:2}", r#"{"$a_1": 2, "é": 1}"#),
            ("\u{a0}{\"a\":1}", r#"{"a": 1}"#),
            ("-0x10", "-16"),
            ("5.e3", "5000.0"),
        ];
        for (text, expected) in cases {
            assert_eq!(normalised(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["", "  ", "tru", "[1,,2]", "[,]", "{\"a\" 1}", "01", "{\"a\":1} x", "\"a\nb\"", "- 1"] {
            assert_eq!(normalised(text), None, "{text:?}");
        }
        assert_eq!(normalised(&"[".repeat(100_000)), None);
    }

    proptest! {
        #[test]
        fn any_text_can_be_tried(text in "[\\[\\]{}:,'\"0-9a-eE.+x\\\\ /*-]{0,40}") {
            // What is written once is read again as the same.
            if let Some(written) = normalised(&text) {
                prop_assert_eq!(normalised(&written), Some(written.clone()));
            }
        }

        #[test]
        fn slices_agree_with_their_definition(text in ".{0,12}", from in -15_isize..15, to in -15_isize..15) {
            let length = text.chars().count() as isize;
            let place = |index: isize| (if index < 0 { index + length } else { index }).clamp(0, length);
            let expected: String = text.chars().skip(place(from) as usize)
                .take((place(to) - place(from)).max(0) as usize).collect();
            prop_assert_eq!(PythonText::new(&text).slice(from, to), expected);
        }
    }
}
