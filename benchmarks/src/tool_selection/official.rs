//! The data of Qwen's plugin exam, versions 20230803 and 20231206.
//!
//! Each line has a `prompt` (a whole ReAct prompt) and a `response` (the golden reply); other fields are
//! passed over. The files are not ours to give away; `bench fetch` says where they are.

use std::path::Path;

use qianshou_agent::ToolSpec;
use serde::Deserialize;
use serde_json::{Value, json};

use super::reading::{offered, step};
use super::{ExpectedCall, ToolQuestion, ToolSample, upstream};
use crate::{DataError, DataFile, JsonLines};

#[derive(Deserialize)]
struct Line {
    prompt: String,
    response: String,
}

/// Which samples a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// Those that need a call.
    Positive,
    /// Those that need none.
    Negative,
    /// Both: a sample needs a call if its golden reply makes one.
    Both,
}

/// Reads a file of the exam.
///
/// # Errors
/// When it cannot be read, with line and field.
pub fn read(path: &Path, holds: Holds) -> Result<(Vec<ToolSample>, DataFile), DataError> {
    let lines = JsonLines::<Line>::read(path)?;
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let mut samples = Vec::new();
    for (number, Line { prompt, response }) in &lines.lines {
        let golden = upstream::read(response);
        let needs_call = match holds {
            Holds::Positive => true,
            Holds::Negative => false,
            Holds::Both => golden.counts_as_call,
        };
        if needs_call && !golden.counts_as_call {
            let problem = "the golden reply makes no call, and this file holds those that need one; name it second";
            return Err(lines.error(*number, "response", problem));
        }
        let tools = tools(prompt);
        let calls = if needs_call { expected(response, &tools) } else { Vec::new() };
        samples.push(ToolSample {
            id: format!("{stem}-{number:04}"),
            category: if needs_call { "needs a call" } else { "needs no call" }.to_owned(),
            question: ToolQuestion::Prompt(prompt.clone()),
            tools,
            calls,
            needs_call,
            golden: response.clone(),
        });
    }
    Ok((samples, lines.file))
}

/// The call of the golden reply.
fn expected(golden: &str, tools: &[ToolSpec]) -> Vec<ExpectedCall> {
    let calls = step(golden, tools).map(|step| step.calls).unwrap_or_default();
    let call = |call: qianshou_agent::CallRecord| {
        let read = call.arguments.or_else(|| json5::from_str(&call.input).ok());
        let arguments = match read {
            Some(Value::Object(arguments)) => arguments,
            _ => serde_json::Map::new(),
        };
        ExpectedCall { name: call.name, arguments, accepted: Default::default() }
    };
    calls.into_iter().map(call).collect()
}

/// The tools that a prompt presents.
fn tools(prompt: &str) -> Vec<ToolSpec> {
    const HEAD: &str = ": Call this tool to interact with the ";
    let presented = prompt.split("\n\nUse the following format:").next().unwrap_or_default();
    let spec = |block: &str| {
        let (name, rest) = block.trim().split_once(HEAD)?;
        let (people, rest) = rest.split_once(" API. ")?;
        let (_, rest) = rest.split_once(" API useful for? ")?;
        let (description, rest) = rest.rsplit_once(" Parameters: ")?;
        let mut parameters = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        ToolSpec::from_plugin(&json!({
            "name_for_model": name.rsplit('\n').next().unwrap_or(name).trim(),
            "name_for_human": people,
            "description_for_model": description,
            "parameters": parameters.next()?.ok()?,
        }))
        .ok()
    };
    let read: Vec<_> = presented.split("\n\n").filter(|block| block.contains(HEAD)).filter_map(spec).collect();
    let names =
        prompt.split_once("should be one of [").and_then(|(_, rest)| rest.split_once(']')).map(|(names, _)| names);
    let named = names.unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty());
    // A tool whose line is in no known form still has its name.
    let unread = named.filter(|name| read.iter().all(|spec| spec.name != *name));
    let unread: Vec<_> = unread.map(|name| ToolSpec::from_schema(name, json!({"type": "object"}))).collect();
    offered(read.into_iter().chain(unread).collect())
}
