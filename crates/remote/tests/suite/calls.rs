//! Native calls in replies, in the forms that servers send them.

use qianshou_chat::{ChatEvent, ChatModel as _, ChatRequest, Message, NativeCall, NativeTool, Part, Role, Usage};
use qianshou_remote::Flavour;
use serde_json::{Value, json};

use crate::server::{Server, all, answered, ask, finish, reply, status, text};

/// A piece of the calls of a reply.
fn piece(calls: Value) -> Value {
    json!({"choices": [{"delta": {"content": null, "tool_calls": calls}}]})
}

fn call(id: &str, name: &str, arguments: &str) -> NativeCall {
    NativeCall { id: id.to_owned(), name: name.to_owned(), arguments: arguments.to_owned() }
}

async fn calls(pieces: &[Value]) -> Vec<NativeCall> {
    let reply = answered(reply(&[pieces, &[finish("tool_calls")]].concat()), ask()).await.unwrap();
    reply.message.calls().cloned().collect()
}

fn function(name: &str, arguments: impl Into<Value>) -> Value {
    json!({"name": name, "arguments": arguments.into()})
}

#[tokio::test]
async fn calls_that_come_mixed_are_put_together() {
    let pieces = [
        text("Two."),
        piece(json!([{"index": 0, "id": "a", "type": "function", "function": {"name": "add", "arguments": ""}}])),
        piece(json!([{"index": 0, "function": {"arguments": "{\"x\""}}])),
        piece(
            json!([{"index": 1, "id": "b", "function": {"name": "now"}}, {"index": 0, "function": {"arguments": ":1"}}]),
        ),
        piece(json!([{"index": 1, "function": {"arguments": "{}"}}, {"index": 0, "function": {"arguments": "}"}}])),
        finish("tool_calls"),
    ];
    let server = Server::start([reply(&pieces)]).await;
    let (seen, error) = all(&server.model(), ask()).await;
    assert!(error.is_none());
    let arguments = |text: &str| ChatEvent::Arguments(text.to_owned());
    // The first call is told as it comes, the second one when the first is known to be complete.
    assert_eq!(seen[1], ChatEvent::Call(call("a", "add", "")));
    assert_eq!(seen[2..5], [arguments("{\"x\""), arguments(":1"), arguments("}")]);
    assert_eq!(seen[5], ChatEvent::Call(call("b", "now", "{}")));
    assert!(matches!(seen[6], ChatEvent::End(_)) && seen.len() == 7, "{seen:?}");
}

#[tokio::test]
async fn whole_calls_in_one_piece() {
    let expected = [call("a", "add", "{\"x\":1}"), call("b", "add", "{\"x\":2}")];
    let numbered = |second: Value| {
        let mut calls = json!([
            {"index": 0, "id": "a", "function": function("add", "{\"x\":1}")},
            {"index": 1, "id": "b", "function": function("add", "{\"x\":2}")},
        ]);
        calls[1]["index"] = second;
        calls
    };
    assert_eq!(calls(&[piece(numbered(1.into()))]).await, expected);
    // All have the number 0.
    assert_eq!(calls(&[piece(numbered(0.into()))]).await, expected);
    // None has a number, and the arguments are no text.
    let bare = json!([
        {"id": "a", "function": function("add", json!({"x": 1}))},
        {"id": "b", "function": function("add", json!({"x": 2}))},
    ]);
    assert_eq!(calls(&[piece(bare)]).await, expected);
}

/// As the server of llama-cpp-python answers, which cannot stream calls.
#[tokio::test]
async fn a_reply_in_one_piece() {
    let said = json!({"object": "chat.completion", "choices": [{
        "message": {"role": "assistant", "content": null, "tool_calls": [
            {"id": "a", "type": "function", "function": function("add", "{}")},
            {"id": "b", "type": "function", "function": function("now", "{}")},
        ]},
        "finish_reason": "tool_calls",
    }], "usage": {"prompt_tokens": 9, "completion_tokens": 3}});
    let server = Server::start([status("200 OK", "content-type: application/json\r\n", &said.to_string())]).await;
    let tool = NativeTool { name: "add".to_owned(), description: String::new(), parameters: json!({}) };
    let request = ChatRequest { tools: vec![tool], ..ask() };
    let model = server.builder().flavour(Flavour::LlamaCppPython).build().unwrap();
    let reply = model.complete(request).await.unwrap();
    assert_eq!(reply.message.calls().collect::<Vec<_>>(), [&call("a", "add", "{}"), &call("b", "now", "{}")]);
    assert_eq!(reply.usage, Usage { cached: 0, computed: 9, generated: 3 });
    let body = server.request().body;
    assert_eq!((&body["stream"], body.get("stream_options")), (&false.into(), None));
}

#[tokio::test]
async fn pieces_may_repeat_what_is_known() {
    let first = json!([{"index": 0, "id": "a", "function": function("add", "{")}]);
    let again = json!([{"index": 0, "id": "a", "function": function("add", "}")}]);
    let nothing = json!([{"index": 0, "id": "", "function": {"name": "", "arguments": null}}]);
    assert_eq!(calls(&[piece(first), piece(nothing), piece(again)]).await, [call("a", "add", "{}")]);
}

#[tokio::test]
async fn a_call_without_an_id_gets_one_that_is_new() {
    let pieces = [piece(
        json!([{"index": 0, "function": function("add", "{}")}, {"index": 1, "function": function("now", "")}]),
    )];
    assert_eq!(calls(&pieces).await, [call("call_1", "add", "{}"), call("call_2", "now", "")]);

    let history = [
        Message { role: Role::Assistant, content: vec![Part::Call(call("call_1", "add", "{}"))] },
        Message::result("call_1", "3"),
    ];
    let answer = reply(&[&pieces[..], &[finish("stop")]].concat());
    let reply = answered(answer, ChatRequest::new(history)).await.unwrap();
    assert_eq!(reply.message.calls().next().unwrap().id, "call_2");
}

#[tokio::test]
async fn a_call_that_is_cut_off_is_told_as_far_as_it_came() {
    let pieces = [piece(json!([{"index": 0, "id": "a", "function": function("add", "{\"x\": ")}])), finish("length")];
    let reply = answered(reply(&pieces), ask()).await.unwrap();
    assert_eq!(reply.message.calls().collect::<Vec<_>>(), [&call("a", "add", "{\"x\": ")]);
    assert_eq!(reply.finish, qianshou_chat::FinishReason::Length);
}
