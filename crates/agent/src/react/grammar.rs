//! The grammar of a ReAct step, for models that can be held to one.

use qianshou_chat::Constraint;
use qianshou_prompts::{Prompt, Prompts};
use serde_json::{Value, json};

use super::Position;
use crate::{ArgumentsFormat, ToolSpec};

/// What a model is held to when it [can be](qianshou_chat::Capabilities::constraints).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReActConstraint {
    /// Nothing; what it gets wrong is repaired.
    Nothing,
    /// To the form of a step and the names of the tools.
    Names,
    /// To these, and to the schema of each tool's input.
    #[default]
    NamesAndInputs,
}

/// The grammar of a step that begins at `position`, in the Lark dialect of llguidance.
pub(super) fn react_grammar(tools: &[ToolSpec], position: Position, inputs: bool, prompts: &Prompts) -> Constraint {
    let start = match position {
        Position::MessageStart => "\"Thought:\" step",
        Position::AfterThought => "step",
    };
    let calls: Vec<_> = tools.iter().map(|tool| call(tool, inputs)).collect();
    let values = [("start", start), ("calls", &calls.join("\n    | "))];
    Constraint::Grammar(prompts.fill(Prompt::ReactGrammar, &values))
}

/// A name, and the input that follows it.
fn call(tool: &ToolSpec, inputs: bool) -> String {
    // A string of the grammar is written as one of JSON.
    let head = Value::from(format!("{}\nAction Input: ", tool.name));
    match tool.arguments_format {
        _ if !inputs => format!("{head} TEXT"),
        ArgumentsFormat::Code => format!("{head} CODE"),
        ArgumentsFormat::Json => format!("{head} %json {}", lenient(&tool.schema)),
    }
}

/// The schema, with the leave to pass over what a grammar cannot express: arguments are checked against all
/// of it anyhow.
fn lenient(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Value::Object(map) = &mut schema {
        map.insert("x-guidance".to_owned(), json!({"lenient": true}));
    }
    schema
}
