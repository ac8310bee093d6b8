//! Native tool calls and their results, in the fields where templates look for them.

use qianshou_chat::{Message, NativeCall, Part};
use serde_json::{Map, Value, json};

use super::marks::{Marks, Mode};

/// Adds `tool_calls` to an assistant's message that makes calls, and `tool_call_id` to one that holds a
/// result.
pub(super) fn insert(fields: &mut Map<String, Value>, message: &Message, marks: &Marks, mode: Mode) {
    let call = |call: &NativeCall| {
        json!({"type": "function", "id": marks.mark(&call.id, mode), "function": {
            "name": marks.mark(&call.name, mode),
            "arguments": marks.mark_value(&call.object().into(), mode),
        }})
    };
    let calls: Vec<_> = message.calls().map(call).collect();
    if !calls.is_empty() {
        fields.insert("tool_calls".to_owned(), calls.into());
    }
    if let Some(Part::Result(result)) = message.content.iter().find(|part| matches!(part, Part::Result(_))) {
        fields.insert("tool_call_id".to_owned(), marks.mark(&result.call, mode).into());
    }
}

/// All texts of the part that a template may write.
pub(super) fn texts(part: &Part) -> Vec<String> {
    match part {
        Part::Call(call) => vec![call.id.clone(), call.name.clone(), Value::Object(call.object()).to_string()],
        Part::Result(result) => vec![result.call.clone(), result.text.clone()],
        part => vec![part.text().to_owned()],
    }
}
