//! The native interface for tool calls: tools in the request, calls in the reply, results in the history.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A tool offered through the model's native interface for tool calls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NativeTool {
    /// The name that the model calls.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// JSON schema of the arguments object.
    pub parameters: Value,
}

/// A tool call that came through the native interface: a part of an assistant's message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NativeCall {
    /// Its id, unique within the conversation; the [result](NativeResult) names it.
    pub id: String,
    /// The name of the tool, as the model wrote it.
    pub name: String,
    /// The arguments, as the model wrote them: JSON if all went well.
    pub arguments: String,
}

impl NativeCall {
    /// The arguments as an object, which is what servers and chat templates make of a call in the history,
    /// and some refuse a conversation over anything else. No text at all is no arguments; text that is no
    /// JSON object becomes the one field `invalid_arguments`.
    ///
    /// ```
    /// use qianshou_chat::NativeCall;
    /// use serde_json::json;
    ///
    /// let call = NativeCall { id: "1".into(), name: "add".into(), arguments: r#"{"a": 1"#.into() };
    /// assert_eq!(json!(call.object()), json!({"invalid_arguments": r#"{"a": 1"#}));
    /// ```
    pub fn object(&self) -> Map<String, Value> {
        match serde_json::from_str(&self.arguments) {
            Ok(object) => object,
            Err(_) if self.arguments.trim().is_empty() => Map::new(),
            Err(_) => Map::from_iter([("invalid_arguments".to_owned(), self.arguments.as_str().into())]),
        }
    }
}

/// What came back for a [call](NativeCall): a part of a tool's message, one result in each message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NativeResult {
    /// The id of the call.
    pub call: String,
    /// What the model reads.
    pub text: String,
}
