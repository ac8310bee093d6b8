//! What the tests share.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::{env, fs};

use async_trait::async_trait;
use qianshou_bench::tool_selection::{Pieces, ToolSample, own};
use qianshou_chat::{
    Capabilities, ChatError, ChatEvent, ChatModel, ChatRequest, ChatStream, Delta, End, FinishReason, ModelInfo, Usage,
};
use serde_json::{Value, json};

/// The pieces of the official vocabulary, read once.
pub(crate) fn pieces() -> Arc<Pieces> {
    static PIECES: OnceLock<Arc<Pieces>> = OnceLock::new();
    PIECES.get_or_init(|| Arc::new(read_pieces())).clone()
}

fn read_pieces() -> Pieces {
    let path = env::var_os("QIANSHOU_QWEN_VOCAB").map(PathBuf::from);
    assert!(path.is_some(), "run cargo xtask test, which fetches the vocabulary, or set QIANSHOU_QWEN_VOCAB=FILE");
    let path = path.unwrap();
    let path = if path.is_dir() { path.join("qwen.tiktoken") } else { path };
    Pieces::from_file(path).unwrap()
}

/// A golden file, a JSON value a line.
pub(crate) fn golden(name: &str) -> Vec<Value> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/goldens").join(name);
    fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Samples of our own format.
pub(crate) fn samples(lines: &[Value]) -> Vec<ToolSample> {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let tools = ("tools.jsonl".as_ref(), tools().into_bytes());
    own::read((tools.0, &tools.1), ("samples.jsonl".as_ref(), text.as_bytes())).unwrap().0
}

pub(crate) fn tools() -> String {
    let city = json!({"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}, "required": ["city"]});
    let expression =
        json!({"type": "object", "properties": {"expression": {"type": "string"}}, "required": ["expression"]});
    let weather =
        json!({"name": "weather", "name_for_human": "Weather", "description": "Forecast.", "parameters": city});
    let calculator =
        json!({"name": "calculator", "name_for_human": "Calculator", "description": "Sums.", "parameters": expression});
    format!("{weather}\n{calculator}\n")
}

/// A sample that needs the weather of a city.
pub(crate) fn weather(id: &str, city: &str) -> Value {
    json!({"id": id, "lang": "en", "query": format!("Weather in {city}?"), "tools": ["weather", "calculator"],
           "calls": [{"name": "weather", "arguments": {"city": city}}]})
}

/// Answers each request by what is asked, at once.
pub(crate) struct Instant<F>(pub(crate) F);

impl<F: Fn(&str) -> Result<String, ChatError> + Send + Sync + 'static> Instant<F> {
    pub(crate) fn model(answer: F) -> Arc<dyn ChatModel> {
        Arc::new(Self(answer))
    }
}

#[async_trait]
impl<F: Fn(&str) -> Result<String, ChatError> + Send + Sync> ChatModel for Instant<F> {
    fn info(&self) -> ModelInfo {
        let capabilities = Capabilities { continue_last: true, ..Capabilities::default() };
        ModelInfo { name: "instant".to_owned(), context_window: None, capabilities }
    }

    async fn stream(&self, request: ChatRequest) -> Result<ChatStream, ChatError> {
        let asked = request.messages.iter().map(|message| message.text()).collect::<Vec<_>>().join("\n");
        let text = (self.0)(&asked)?;
        let usage = Usage { cached: 0, computed: asked.len(), generated: text.len() };
        let end = ChatEvent::End(End { finish: FinishReason::EndOfTurn, usage });
        let events = [ChatEvent::Delta(Delta { text, ids: Vec::new() }), end];
        Ok(Box::pin(futures_util::stream::iter(events.map(Ok))))
    }
}

/// Calls the weather tool with the city that is asked about.
pub(crate) fn weather_model() -> Arc<dyn ChatModel> {
    Instant::model(|asked| {
        let city = asked.rsplit_once("Weather in ").and_then(|(_, rest)| rest.split_once('?')).map(|(city, _)| city);
        let input = json!({"city": city});
        Ok(format!("Thought: I look.\nAction: weather\nAction Input: {input}\nObservation:"))
    })
}
