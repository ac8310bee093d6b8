//! The content of a `<tool_call>` block: `{"name": …, "arguments": {…}}`, as models write it.

use serde_json::Value;

use crate::repair;

/// A call that was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) name: String,
    /// The input, to be read like that of any call.
    pub(super) input: String,
}

/// Names of the arguments, the right one first.
const ARGUMENTS: [&str; 3] = ["arguments", "parameters", "args"];

/// Reads a block. What is not strict JSON is mended as far as its name can be read; its arguments are then
/// left as they are written, to be mended like others.
pub(super) fn read(text: &str) -> Option<Call> {
    let text = text.trim();
    let strict = serde_json::from_str::<Value>(text).ok();
    let value = strict.clone().or_else(|| repair::read(text))?;
    let name = value.get("name")?.as_str()?.to_owned();
    let arguments = ARGUMENTS.iter().find_map(|key| Some((*key, value.get(key)?)));
    let input = match arguments {
        None | Some((_, Value::Null)) => String::new(),
        // As the API writes them: JSON in a string.
        Some((_, Value::String(text))) => text.clone(),
        Some((_, arguments)) if strict.is_some() => arguments.to_string(),
        Some((key, _)) => written(text, key).to_owned(),
    };
    Some(Call { name, input })
}

/// Whether a whole text is a call without its tags.
pub(super) fn looks_like_call(text: &str) -> bool {
    let bare = text.trim().trim_start_matches("```json").trim_matches('`').trim();
    let value = serde_json::from_str::<Value>(bare).ok();
    let has = |key: &str| value.as_ref().is_some_and(|value| value.get(key).is_some());
    has("name") && ARGUMENTS.iter().any(|key| has(key))
}

/// What is written after a key, less the bracket that closes the block.
fn written<'a>(text: &'a str, key: &str) -> &'a str {
    let after = text.split_once(key).map_or("", |(_, after)| after);
    let value = after.split_once(':').map_or("", |(_, value)| value).trim();
    value.strip_suffix('}').unwrap_or(value).trim()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn blocks_are_read_as_models_write_them() {
        let cases = [
            (r#"{"name": "add", "arguments": {"a": 1, "b": "x"}}"#, "add", r#"{"a":1,"b":"x"}"#),
            (r#"{"arguments": {"name": 1}, "name": "add"}"#, "add", r#"{"name":1}"#),
            (r#"{"name": "add", "parameters": {}}"#, "add", "{}"),
            (r#"{"name": "add", "arguments": "{\"a\": 1}"}"#, "add", r#"{"a": 1}"#),
            (r#"{"name": "add", "arguments": null}"#, "add", ""),
            (r#"{"name": "add"}"#, "add", ""),
            (r#"{'name': 'add', 'arguments': {'a': True}}"#, "add", "{'a': True}"),
            (r#"{"name": "add", "arguments": {"a": 1}"#, "add", r#"{"a": 1"#),
            ("{\"name\": \"py\", \"arguments\": {\"code\": \"a\nb\"}}", "py", "{\"code\": \"a\nb\"}"),
        ];
        for (text, name, input) in cases {
            assert_eq!(read(text), Some(Call { name: name.to_owned(), input: input.to_owned() }), "{text}");
        }
        for text in ["", "add", "{}", "[1]", r#"{"name": 1}"#] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_call_without_tags_is_seen() {
        assert!(looks_like_call("```json\n{\"name\": \"add\", \"arguments\": {}}\n```"));
        assert!(!looks_like_call(r#"{"name": "Ada", "age": 36}"#));
        assert!(!looks_like_call("Call me."));
    }

    proptest! {
        #[test]
        fn any_block_can_be_read(text in r#"[\[\]{}"':,name a1\\\n]{0,60}"#) {
            let _ = read(&text);
        }
    }
}
