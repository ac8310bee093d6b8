//! A request as the protocol, and the server's own additions to it, have it.

use qianshou_chat::{ChatError, ChatErrorKind, ChatRequest, Constraint, NativeTool};
use serde_json::{Map, Value, json};

use crate::model::Settings;
use crate::{Flavour, messages};

/// OpenAI refuses more stop strings. All are looked for here in any case.
const OPENAI_STOPS: usize = 4;

/// A top-k that keeps all tokens, for DashScope, where it is off above 100.
const DASHSCOPE_ALL: u32 = 101;

/// The JSON text of a request.
pub(crate) fn encode(request: &ChatRequest, settings: &Settings) -> Result<Vec<u8>, ChatError> {
    let flavour = settings.flavour;
    let mut body = Fields(Map::new());
    body.set("model", settings.info.name.as_str());
    body.set("messages", messages(request, settings)?);
    let streams = request.tools.is_empty() || flavour != Flavour::LlamaCppPython;
    body.set("stream", streams);
    body.set_some("stream_options", streams.then(|| stream_options(flavour)));
    if flavour == Flavour::Vllm && request.continue_last {
        body.set("continue_final_message", true);
        body.set("add_generation_prompt", false);
    }
    let stops = if flavour == Flavour::OpenAi { OPENAI_STOPS } else { usize::MAX };
    let stops: Vec<_> = request.stop.iter().take(stops).map(String::as_str).collect();
    body.set_some("stop", Some(stops).filter(|stops| !stops.is_empty()));
    let limit = if flavour == Flavour::OpenAi { "max_completion_tokens" } else { "max_tokens" };
    body.set_some(limit, request.max_tokens);
    sampling(request, flavour, &mut body)?;
    if !request.tools.is_empty() {
        body.set("tools", request.tools.iter().map(tool).collect::<Vec<_>>());
        // The default, but the server of llama-cpp-python passes over the tools without it.
        body.set("tool_choice", "auto");
        // Elsewhere it is the default.
        body.set_some("parallel_tool_calls", (flavour == Flavour::DashScope).then_some(true));
    }
    if let Some(constraint) = &request.constraint {
        let (field, value) = constrain(constraint, flavour)?;
        body.set(field, value);
    }
    Ok(Value::Object(body.0).to_string().into_bytes())
}

/// The fields of a JSON object.
struct Fields(Map<String, Value>);

impl Fields {
    fn set(&mut self, field: &str, value: impl Into<Value>) {
        self.0.insert(field.to_owned(), value.into());
    }

    fn set_some(&mut self, field: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.set(field, value);
        }
    }
}

fn messages(request: &ChatRequest, settings: &Settings) -> Result<Vec<Value>, ChatError> {
    let mut messages = messages::encode(&request.messages, settings.image_bytes)?;
    if let Some(last) = messages.last_mut()
        && settings.flavour == Flavour::DashScope
        && request.continue_last
    {
        last["partial"] = true.into();
    }
    Ok(messages)
}

/// vLLM tells the usage with every piece, so that it is known even when we stop early.
fn stream_options(flavour: Flavour) -> Value {
    match flavour {
        Flavour::Vllm => json!({"include_usage": true, "continuous_usage_stats": true}),
        _ => json!({"include_usage": true}),
    }
}

fn tool(tool: &NativeTool) -> Value {
    json!({"type": "function", "function": tool})
}

fn sampling(request: &ChatRequest, flavour: Flavour, body: &mut Fields) -> Result<(), ChatError> {
    let sampling = request.sampling;
    body.set_some("temperature", sampling.temperature.map(shortest));
    body.set_some("top_p", sampling.top_p.map(shortest));
    body.set_some("seed", sampling.seed);
    match (flavour, sampling.top_k) {
        (_, None) | (Flavour::Generic | Flavour::OpenAi | Flavour::Ollama, Some(0)) => {}
        (Flavour::DashScope, Some(0)) => body.set("top_k", DASHSCOPE_ALL),
        (Flavour::Generic | Flavour::OpenAi | Flavour::Ollama, Some(_)) => {
            return unsupported("top-k sampling", flavour);
        }
        (_, Some(top_k)) => body.set("top_k", top_k),
    }
    match (flavour, sampling.repetition_penalty) {
        (_, None) => {}
        (Flavour::Vllm, Some(penalty)) => body.set("repetition_penalty", shortest(penalty)),
        (Flavour::LlamaCpp | Flavour::LlamaCppPython, Some(penalty)) => body.set("repeat_penalty", shortest(penalty)),
        (_, Some(1.0)) => {}
        (flavour, Some(_)) => return unsupported("a repetition penalty", flavour),
    }
    Ok(())
}

fn constrain(constraint: &Constraint, flavour: Flavour) -> Result<(&'static str, Value), ChatError> {
    match (constraint, flavour) {
        (Constraint::JsonSchema(schema), Flavour::OpenAi | Flavour::Vllm | Flavour::Ollama) => {
            let schema = json!({"name": "reply", "strict": true, "schema": schema});
            Ok(("response_format", json!({"type": "json_schema", "json_schema": schema})))
        }
        (Constraint::JsonSchema(schema), Flavour::LlamaCpp | Flavour::LlamaCppPython) => {
            Ok(("response_format", json!({"type": "json_object", "schema": schema})))
        }
        (Constraint::Regex(regex), Flavour::Vllm) => Ok(("structured_outputs", json!({"regex": regex}))),
        (Constraint::Grammar(grammar), Flavour::Vllm) => Ok(("structured_outputs", json!({"grammar": grammar}))),
        (Constraint::JsonSchema(_), _) => unsupported("replies that fit a JSON schema", flavour),
        (Constraint::Regex(_), _) => unsupported("replies that fit a regular expression", flavour),
        (Constraint::Grammar(_), _) => unsupported("replies that fit a grammar", flavour),
    }
}

/// The number with as few digits as tell it from others of its type: 0.7, not 0.699999988.
fn shortest(number: f32) -> Value {
    number.to_string().parse::<f64>().map_or(Value::Null, Value::from)
}

fn unsupported<T>(what: &str, flavour: Flavour) -> Result<T, ChatError> {
    let message = format!("servers of the kind `{flavour}` are not known to support {what}");
    let hint = "leave it out, or name the kind of the server if it is another one";
    Err(ChatError::new(ChatErrorKind::Unsupported, message).with_hint(hint))
}
