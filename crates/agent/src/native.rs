//! Native tool calls: the form that a model was trained to call tools in.
//!
//! The tools go with the request. A remote model answers with calls apart from its text; a local one, whose
//! chat template shows it the tools, writes them as text (`<tool_call>` blocks in Qwen 2.5 and 3). Both are
//! read, since servers without a parser for a model's calls give them as text too. A reply may hold several
//! calls; they run at once, and their results go back in their order, each in a message of its own.

mod block;
mod reader;

use qianshou_chat::{ChatRequest, Message, ModelInfo, NativeCall, NativeTool, Part, Role};
use qianshou_prompts::{Prompt, Prompts};
use serde_json::Value;

use self::reader::NativeReader;
use crate::{BuildError, Protocol, SchemaError, StepReader, TakenStep, ToolSpec, Turn};

/// The protocol of native tool calls, for models that [support](qianshou_chat::Capabilities::native_tools)
/// them.
///
/// ```
/// use std::sync::Arc;
///
/// use qianshou_agent::{Agent, Native, ToolContext, tool_fn};
/// use qianshou_chat::ScriptedModel;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let clock = tool_fn("clock", "Tells the time.", |_: (), _: ToolContext| async { Ok("12:30".into()) });
/// let model = ScriptedModel::new([
///     "<tool_call>\n{\"name\": \"clock\", \"arguments\": {}}\n</tool_call>",
///     "It is half past twelve.",
/// ]);
/// let agent = Agent::builder(Arc::new(model)).tool(clock).protocol(Native::default()).build()?;
/// assert_eq!(agent.run("How late is it?").await?.text(), "It is half past twelve.");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Native {
    prompts: Prompts,
}

impl Native {
    /// The protocol with these prompts.
    pub fn new(prompts: Prompts) -> Self {
        Self { prompts }
    }
}

impl Protocol for Native {
    fn name(&self) -> &str {
        "native"
    }

    fn check(&self, tools: &[ToolSpec], model: &ModelInfo) -> Result<(), BuildError> {
        if !tools.is_empty() && !model.capabilities.native_tools {
            return Err(BuildError::NoNativeTools { model: model.name.clone() });
        }
        for ToolSpec { name, schema, .. } in tools {
            let name = name.clone();
            if name.len() > 64 || name.contains(|c: char| !(c.is_ascii_alphanumeric() || "_-".contains(c))) {
                return Err(BuildError::ToolName { name, rule: "at most 64 letters, digits, `_` and `-`" });
            }
            if schema.get("type").is_none_or(|kind| kind != "object") {
                return Err(BuildError::ToolSchema { name, source: SchemaError::NotAnObject });
            }
        }
        Ok(())
    }

    fn request(&self, turn: &Turn<'_>) -> ChatRequest {
        let mut messages: Vec<_> = turn.system.iter().chain(turn.conversation).cloned().collect();
        turn.steps.iter().for_each(|step| push_step(&mut messages, step));
        let tools: Vec<_> = turn.tools.iter().map(native_tool).collect();
        // A model that goes on after its calls would invent their results.
        let stop = if tools.is_empty() { Vec::new() } else { vec!["<tool_response>".to_owned()] };
        ChatRequest { messages, tools, stop, ..ChatRequest::default() }
    }

    fn reader(&self, _: &Turn<'_>) -> Box<dyn StepReader> {
        Box::new(NativeReader::default())
    }

    fn no_action(&self) -> &str {
        self.prompts.text(Prompt::NativeNoAction)
    }

    fn history(&self, steps: &[TakenStep]) -> Vec<Message> {
        let mut messages = Vec::new();
        steps.iter().for_each(|step| push_step(&mut messages, step));
        messages
    }
}

fn native_tool(tool: &ToolSpec) -> NativeTool {
    let parameters = match &tool.parameters {
        Value::Object(_) => tool.parameters.clone(),
        // The list of a plugin manifest.
        _ => tool.schema.clone(),
    };
    NativeTool { name: tool.name.clone(), description: tool.description.clone(), parameters }
}

/// Appends a reply and what came back for it.
fn push_step(messages: &mut Vec<Message>, step: &TakenStep) {
    let content = reply(step);
    if !content.is_empty() {
        messages.push(Message { role: Role::Assistant, content });
    }
    let calls = &step.record.calls;
    let apart: Vec<_> = step.reply.iter().filter_map(native_call).map(|call| call.id.as_str()).collect();
    let own = calls.iter().map(|call| call.id.as_str());
    let ids = if apart.len() == calls.len() { apart } else { own.collect() };
    for (call, id) in calls.iter().zip(ids) {
        if let Some(observation) = &call.observation {
            messages.push(Message::result(id, observation.text.as_str()));
        }
    }
    messages.extend(step.record.no_action.iter().map(|told| Message::user(told.text.as_str())));
}

/// The reply as it stands in the conversation. Calls that a server gave as text become calls, because the
/// server wants to see one for each result, and with them those that it told apart; those of a local model stay
/// the tokens that they are.
fn reply(step: &TakenStep) -> Vec<Part> {
    let apart = step.reply.iter().filter_map(native_call).count();
    let has_ids = step.reply.iter().any(|part| matches!(part, Part::Generated(_)));
    if apart == step.record.calls.len() || (apart == 0 && has_ids) {
        return step.reply.clone();
    }
    let thought = (!step.record.thought.is_empty()).then(|| Part::Text(step.record.thought.clone()));
    let calls = step.record.calls.iter().map(|call| {
        Part::Call(NativeCall { id: call.id.clone(), name: call.name.clone(), arguments: call.input.clone() })
    });
    thought.into_iter().chain(calls).collect()
}

fn native_call(part: &Part) -> Option<&NativeCall> {
    match part {
        Part::Call(call) => Some(call),
        _ => None,
    }
}
