//! Reading JSON as models write it when they get it wrong.
//!
//! Tolerated: single quotes, keys without quotes, trailing or missing commas at the end, Python's
//! `True`, `False` and `None`, line breaks inside strings, strings and brackets that are never closed,
//! and prose after the value. Nothing is guessed beyond that: a value that is neither JSON nor one of
//! these is not read.

use serde_json::{Map, Value};

/// Deeper values are not read; no tool needs them, and the reader recurses.
const MAX_DEPTH: usize = 64;

/// The first JSON value of `text`, read with tolerance.
pub(crate) fn read(text: &str) -> Option<Value> {
    let mut reader = Reader { rest: text };
    reader.value(0)
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or("");
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.skip_space();
        match self.peek()? {
            '{' => self.object(depth),
            '[' => self.array(depth),
            quote @ ('"' | '\'') => Some(Value::String(self.string(quote))),
            _ => self.word(),
        }
    }

    fn object(&mut self, depth: usize) -> Option<Value> {
        self.skip(1);
        let mut map = Map::new();
        loop {
            self.skip_space();
            match self.peek() {
                None => break,
                Some('}') => {
                    self.skip(1);
                    break;
                }
                Some(',') => {
                    self.skip(1);
                    continue;
                }
                Some(_) => {}
            }
            let key = self.key()?;
            self.skip_space();
            match self.peek() {
                Some(':') => self.skip(1),
                // A key whose value was cut off says nothing.
                None => break,
                Some(_) => return None,
            }
            self.skip_space();
            if self.rest.is_empty() {
                break;
            }
            let value = self.value(depth + 1)?;
            map.insert(key, value);
            self.end_of_item()?;
        }
        Some(Value::Object(map))
    }

    fn array(&mut self, depth: usize) -> Option<Value> {
        self.skip(1);
        let mut items = Vec::new();
        loop {
            self.skip_space();
            match self.peek() {
                None => break,
                Some(']') => {
                    self.skip(1);
                    break;
                }
                Some(',') => self.skip(1),
                // The closing bracket was left out inside an object.
                Some('}') => break,
                Some(_) => {
                    items.push(self.value(depth + 1)?);
                    self.end_of_item()?;
                }
            }
        }
        Some(Value::Array(items))
    }

    /// After an item come a comma, a closing bracket or the end.
    fn end_of_item(&mut self) -> Option<()> {
        self.skip_space();
        matches!(self.peek(), None | Some(',' | '}' | ']')).then_some(())
    }

    fn key(&mut self) -> Option<String> {
        match self.peek()? {
            quote @ ('"' | '\'') => Some(self.string(quote)),
            _ => {
                let end = self.rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '$')));
                let (key, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
                self.rest = rest;
                (!key.is_empty()).then(|| key.to_owned())
            }
        }
    }

    /// A string from its opening quote on; without a closing quote it reaches to the end, less the
    /// closing brackets there.
    fn string(&mut self, quote: char) -> String {
        self.skip(1);
        let mut text = String::new();
        let whole: &'a str = self.rest;
        let mut characters = whole.char_indices();
        while let Some((at, character)) = characters.next() {
            match character {
                '\\' => match characters.next() {
                    Some((_, escaped)) => escape(escaped, &mut characters, &mut text),
                    None => break,
                },
                _ if character == quote => {
                    self.rest = &whole[at + 1..];
                    return text;
                }
                _ => text.push(character),
            }
        }
        let closed = text.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '}' | ']'));
        // Brackets that the string itself opened belong to it.
        let opened = closed.matches(['{', '[']).count();
        let kept = text[closed.len()..].char_indices().filter(|(_, c)| matches!(c, '}' | ']')).nth(opened);
        let end = kept.map_or_else(|| text.trim_end().len(), |(at, _)| closed.len() + at);
        self.rest = "";
        text[..end].trim_end().to_owned()
    }

    /// A number or a literal, JSON's or Python's.
    fn word(&mut self) -> Option<Value> {
        let end = self.rest.find(|c: char| c.is_whitespace() || matches!(c, ',' | ':' | '}' | ']' | '{' | '['));
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        let value = match word {
            "true" | "True" => Value::Bool(true),
            "false" | "False" => Value::Bool(false),
            "null" | "None" => Value::Null,
            number => Value::Number(serde_json::from_str(number).ok()?),
        };
        self.rest = rest;
        Some(value)
    }
}

/// What follows a backslash. An escape that JSON does not know stands for itself, backslash included.
fn escape(escaped: char, characters: &mut std::str::CharIndices<'_>, text: &mut String) {
    match escaped {
        'n' => text.push('\n'),
        't' => text.push('\t'),
        'r' => text.push('\r'),
        'b' => text.push('\u{8}'),
        'f' => text.push('\u{c}'),
        '"' | '\'' | '\\' | '/' => text.push(escaped),
        'u' => {
            let rest = characters.as_str();
            let code = |from: usize| {
                let digits = rest.get(from..from + 4)?;
                u16::from_str_radix(digits, 16).ok().filter(|_| digits.bytes().all(|b| b.is_ascii_hexdigit()))
            };
            let Some(first) = code(0) else {
                text.push_str("\\u");
                return;
            };
            let second = if rest.get(4..6) == Some("\\u") { code(6) } else { None };
            let pair = second.and_then(|second| char::decode_utf16([first, second]).next()?.ok());
            let (character, length) = match (pair, char::from_u32(first.into())) {
                (_, Some(single)) => (single, 4),
                (Some(pair), None) => (pair, 10),
                (None, None) => (char::REPLACEMENT_CHARACTER, 4),
            };
            text.push(character);
            for _ in 0..length {
                characters.next();
            }
        }
        _ => text.extend(['\\', escaped]),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_models_get_wrong_is_mended() {
        let cases = [
            (r#"{'city': 'Hangzhou', "days": 3}"#, json!({"city": "Hangzhou", "days": 3})),
            (r#"{city: "Hangzhou", }"#, json!({"city": "Hangzhou"})),
            (r#"{"a": True, "b": False, "c": None}"#, json!({"a": true, "b": false, "c": null})),
            (r#"{"a": [1, 2.5, -3e2,], "b": {"c": []"#, json!({"a": [1, 2.5, -3e2], "b": {"c": []}})),
            (r#"{"city": "Hangzhou"#, json!({"city": "Hangzhou"})),
            (r#"{"city": "Hangzhou}"#, json!({"city": "Hangzhou"})),
            (r#"{"code": "f([1"#, json!({"code": "f([1"})),
            (r#"{"code": "a[1]}"#, json!({"code": "a[1]"})),
            (r#"{"a": 1, "b"#, json!({"a": 1})),
            (r#"{"a": 1, "b":"#, json!({"a": 1})),
            (r#"{"a": [1, 2}"#, json!({"a": [1, 2]})),
            ("{\"code\": \"a\nb\\tc\\d\"}", json!({"code": "a\nb\tc\\d"})),
            (r#"{"a": "\u6c49\ud83d\ude00\ud83d\uzzzz"}"#, json!({"a": "汉😀\u{fffd}\\uzzzz"})),
            (r#"{"a": 1} is what I would call."#, json!({"a": 1})),
            (r"{'a': 'it\'s'}", json!({"a": "it's"})),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_json_is_not_read() {
        for text in ["", "Hangzhou", "{1+1}", "{\"a\": Hangzhou}", "{\"a\" 1}", "NaN", &"[".repeat(100)] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_can_be_read(text in r#"[\[\]{}"',:a1\\u \n]{0,60}"#) {
            let _ = read(&text);
        }

        #[test]
        fn valid_json_is_read_as_it_is(text in "\\PC{0,10}", number in -1000_i64..1000, flag: bool) {
            let value = json!({text.clone(): [number, flag, {"nested": text}, null]});
            prop_assert_eq!(read(&value.to_string()), Some(value));
        }
    }
}
