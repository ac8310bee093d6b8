//! The published files of the leaderboard.

use std::collections::HashMap;
use std::path::Path;

use qianshou_agent::ToolSpec;
use qianshou_chat::{Message, Role};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{DataError, DataFile, JsonLines, Sample};

/// The categories that are read, in the order of the leaderboard.
pub const CATEGORIES: [&str; 11] = [
    "simple_python",
    "multiple",
    "parallel",
    "parallel_multiple",
    "irrelevance",
    "live_simple",
    "live_multiple",
    "live_parallel",
    "live_parallel_multiple",
    "live_irrelevance",
    "live_relevance",
];

/// A question with functions.
#[derive(Clone, Debug, PartialEq)]
pub struct BfclSample {
    /// Its id.
    pub id: String,
    /// One of [`CATEGORIES`].
    pub category: String,
    /// The conversation, which ends with the question.
    pub conversation: Vec<Message>,
    /// The functions as the data describe them.
    pub functions: Vec<Value>,
    /// The calls that are accepted: each an object of a name, with the accepted values of each parameter.
    pub answers: Vec<Value>,
    question: String,
}

#[derive(Deserialize)]
struct Question {
    id: String,
    question: Vec<Vec<Turn>>,
    function: Vec<Value>,
}

#[derive(Deserialize)]
struct Turn {
    role: Role,
    content: String,
}

#[derive(Deserialize)]
struct Answer {
    id: String,
    ground_truth: Vec<Value>,
}

/// Reads categories from the package's folder `data`.
///
/// # Errors
/// When a file is missing or something in it does not fit, with line and field.
pub fn read(folder: &Path, categories: &[&str]) -> Result<(Vec<BfclSample>, Vec<DataFile>), DataError> {
    let (mut samples, mut files) = (Vec::new(), Vec::new());
    for category in categories {
        let name = format!("BFCL_v4_{category}.json");
        let questions = JsonLines::<Question>::read(folder.join(&name))?;
        questions.unique("id", |question| &question.id)?;
        let mut answers = HashMap::new();
        // Where no call is right, or any, there is no list of answers.
        let is_answered = !category.contains("relevance");
        if is_answered {
            let lines = JsonLines::<Answer>::read(folder.join("possible_answer").join(&name))?;
            files.push(DataFile { name: format!("possible_answer/{name}"), ..lines.file });
            answers.extend(lines.lines.into_iter().map(|(_, answer)| (answer.id, answer.ground_truth)));
        }
        for (number, line) in &questions.lines {
            let conversation: Vec<_> = line.question.first().into_iter().flatten().map(message).collect();
            let asked = conversation.last().filter(|last| last.role == Role::User).map(Message::text);
            let Some(question) = asked else {
                return Err(questions.error(*number, "question", "it does not end with a message of the user"));
            };
            let answers = match answers.remove(&line.id) {
                None if is_answered => {
                    return Err(questions.error(*number, "id", "it has no answer in `possible_answer`"));
                }
                answers => answers.unwrap_or_default(),
            };
            samples.push(BfclSample {
                id: line.id.clone(),
                category: (*category).to_owned(),
                conversation,
                functions: line.function.clone(),
                answers,
                question,
            });
        }
        files.push(questions.file);
    }
    Ok((samples, files))
}

fn message(turn: &Turn) -> Message {
    Message::new(turn.role, turn.content.as_str())
}

impl BfclSample {
    /// The functions as tools. Arguments are not checked before they are scored.
    pub(super) fn tools(&self, underscored: bool) -> Vec<ToolSpec> {
        let mut tools: Vec<ToolSpec> = Vec::new();
        for function in &self.functions {
            let name = function.get("name").and_then(Value::as_str).unwrap_or_default();
            let name = if underscored { name.replace('.', "_") } else { name.to_owned() };
            if tools.iter().any(|other| other.name == name) {
                continue;
            }
            let description = function.get("description").and_then(Value::as_str).unwrap_or_default();
            let mut spec = ToolSpec::from_schema(name, json!({"type": "object"})).description(description);
            spec.parameters = shown(function.get("parameters").unwrap_or(&Value::Null));
            tools.push(spec);
        }
        tools
    }
}

/// A description of parameters with the type names of JSON schema, as the package shows them to models.
fn shown(parameters: &Value) -> Value {
    match parameters {
        Value::Object(entries) => {
            let entry = |(name, value): (&String, &Value)| match (name.as_str(), value) {
                ("type", Value::String(kind)) => (name.clone(), json_type(kind).into()),
                _ => (name.clone(), shown(value)),
            };
            Value::Object(entries.iter().map(entry).collect())
        }
        Value::Array(items) => items.iter().map(shown).collect(),
        other => other.clone(),
    }
}

fn json_type(kind: &str) -> &str {
    match kind {
        "dict" => "object",
        "float" => "number",
        "tuple" | "list" => "array",
        "any" => "string",
        "bool" => "boolean",
        other => other,
    }
}

impl Sample for BfclSample {
    fn id(&self) -> &str {
        &self.id
    }

    fn category(&self) -> &str {
        &self.category
    }

    fn question(&self) -> &str {
        &self.question
    }

    fn expected(&self) -> String {
        match self.category.as_str() {
            category if category.contains("irrelevance") => "no call".to_owned(),
            category if category.contains("relevance") => "a call".to_owned(),
            _ => self.answers.iter().map(Value::to_string).collect::<Vec<_>>().join(" and "),
        }
    }
}
