//! Against a server that runs: `QIANSHOU_REMOTE=NAME@URL cargo test -p qianshou-remote --test live`. Only when named
//! does this target run.
//!
//! `benchmarks/compat/llama_cpp_server.sh` starts one and runs these. They ask for what any model can do, and
//! need no good one.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use futures_util::TryStreamExt as _;
use qianshou_chat::{
    ChatErrorKind, ChatEvent, ChatModel as _, ChatRequest, Constraint, FinishReason, Message, NativeTool, Sampling,
};
use qianshou_remote::{RemoteModel, RemoteSpec};
use serde_json::{Value, json};

fn model() -> RemoteModel {
    let spec = std::env::var("QIANSHOU_REMOTE").ok();
    assert!(spec.is_some(), "set QIANSHOU_REMOTE=NAME@URL, or run benchmarks/compat/llama_cpp_server.sh");
    spec.unwrap().parse::<RemoteSpec>().unwrap().builder().build().unwrap()
}

/// The same answer each time.
fn ask(question: &str) -> ChatRequest {
    let sampling = Sampling { temperature: Some(0.0), seed: Some(1), ..Sampling::default() };
    ChatRequest { sampling, max_tokens: Some(24), ..ChatRequest::new([Message::user(question)]) }
}

#[tokio::test]
async fn text_is_streamed() {
    let model = model();
    let events: Vec<_> = model.stream(ask("Count to ten.")).await.unwrap().try_collect().await.unwrap();
    let deltas = events.iter().filter(|event| matches!(event, ChatEvent::Delta(_))).count();
    assert!(deltas > 1 && matches!(events.last(), Some(ChatEvent::End(_))), "{events:?}");
    let reply = model.complete(ChatRequest { max_tokens: Some(2), ..ask("Count to ten.") }).await.unwrap();
    assert_eq!(reply.finish, FinishReason::Length);
}

#[tokio::test]
async fn a_stop_string_ends_the_reply() {
    let model = model();
    let whole = model.complete(ask("What is the capital of France?")).await.unwrap().text();
    let stop: String = whole.chars().skip(whole.chars().count() / 2).take(5).collect();
    let request = ChatRequest { stop: vec![stop.clone()], ..ask("What is the capital of France?") };
    let cut = model.complete(request).await.unwrap();
    assert_eq!(cut.text(), whole.split_once(&stop).unwrap().0);
    assert_ne!(cut.finish, FinishReason::Length);
}

#[tokio::test]
async fn native_calls_go_there_and_back() {
    let model = model();
    let city = json!({"type": "string", "maxLength": 20});
    let parameters = json!({"type": "object", "properties": {"city": city}, "required": ["city"]});
    let description = "Tells the weather of a city.".to_owned();
    let tools = vec![NativeTool { name: "weather".to_owned(), description, parameters }];
    let request = ChatRequest { tools, ..ask("What is the weather in Paris? Use the weather function.") };
    let reply = model.complete(request.clone()).await.unwrap();
    let call = reply.message.calls().next().cloned().unwrap();
    assert_eq!(call.name, "weather");
    assert!(serde_json::from_str::<Value>(&call.arguments).unwrap()["city"].is_string(), "{call:?}");
    let mut messages = request.messages.clone();
    messages.extend([reply.message, Message::result(call.id, "21 °C, clear")]);
    model.complete(ChatRequest { messages, ..request }).await.unwrap();
}

#[tokio::test]
async fn a_schema_is_kept_to() {
    let schema = json!({"type": "object", "properties": {"even": {"type": "boolean"}}, "required": ["even"]});
    let constraint = Some(Constraint::JsonSchema(schema));
    let reply = model().complete(ChatRequest { constraint, ..ask("Is 4 even? Answer in JSON.") }).await.unwrap();
    assert!(serde_json::from_str::<Value>(&reply.text()).unwrap()["even"].is_boolean(), "{}", reply.text());
}

#[tokio::test]
async fn a_dropped_stream_frees_the_server() {
    let model = model();
    let endless = ChatRequest { max_tokens: None, ..ask("Write a long story.") };
    for _ in 0..3 {
        let mut stream = model.stream(endless.clone()).await.unwrap();
        stream.try_next().await.unwrap();
    }
    assert!(!model.complete(ask("Hello!")).await.unwrap().text().is_empty());
}

#[tokio::test]
async fn an_unknown_path_is_an_error() {
    let spec: RemoteSpec = std::env::var("QIANSHOU_REMOTE").unwrap().parse().unwrap();
    let url = format!("{}/nowhere", spec.urls()[0]);
    let error = RemoteModel::builder(spec.name()).endpoint(url).build().unwrap().complete(ask("Hi")).await.unwrap_err();
    assert_eq!(error.kind(), ChatErrorKind::InvalidRequest, "{error}");
}
