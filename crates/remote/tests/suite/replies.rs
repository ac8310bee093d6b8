//! What is read in replies.

use futures_util::StreamExt as _;
use qianshou_chat::{ChatEvent, ChatModel as _, Delta, End, FinishReason, Usage};
use serde_json::{Value, json};

use crate::server::{
    Answer, HEAD, Server, all, answered, ask, ask_until, body, events, finish, reply, says, text, usage,
};

fn delta(text: &str) -> ChatEvent {
    ChatEvent::Delta(Delta { text: text.to_owned(), ids: Vec::new() })
}

fn end(finish: FinishReason, usage: Usage) -> ChatEvent {
    ChatEvent::End(End { finish, usage })
}

fn stopped(at: &str) -> FinishReason {
    FinishReason::Stop(at.to_owned())
}

#[tokio::test]
async fn text_comes_as_it_is_sent() {
    let role = json!({"choices": [{"delta": {"role": "assistant", "content": ""}, "finish_reason": null}]});
    let server = Server::start([reply(&[role, text("千"), text("手"), finish("stop"), usage(7, 2)])]).await;
    let (seen, error) = all(&server.model(), ask()).await;
    assert!(error.is_none());
    let usage = Usage { cached: 0, computed: 7, generated: 2 };
    assert_eq!(seen, [delta("千"), delta("手"), end(FinishReason::EndOfTurn, usage)]);
}

#[tokio::test]
async fn server_sent_events_have_many_forms() {
    for said in [
        // Line ends of all kinds, comments, fields of other uses, no space behind the colon.
        ": hello\r\n\r\nevent: message\r\nid: 1\r\ndata:A\r\nretry: 10\r\n\r\n:\r\n\r\ndata: B\r\n\r\ndata: [DONE]\r\n\r\n",
        "data: A\r\rdata: B\r\r",
        "\u{feff}data: A\n\n: ping - 2025\n\nevent: ping\n\nwhatever\n\ndata: B\n\ndata:  [DONE] \n\n",
        // One event on two lines, which JSON allows.
        "data: {\"choices\":[{\"delta\":\ndata: {\"content\":\"ab\"}}]}\n\ndata: B\n\n",
        // Nothing counts behind the end.
        "data: A\n\ndata: B\n\ndata: [DONE]\n\ndata: {\n\n",
    ] {
        let said = said.replace('A', &text("ab").to_string()).replace('B', &finish("stop").to_string());
        let reply = answered(body(&said), ask()).await.unwrap();
        assert_eq!((reply.text().as_str(), reply.finish), ("ab", FinishReason::EndOfTurn), "{said}");
    }
}

#[tokio::test]
async fn ends_are_told_apart() {
    for (reason, expected) in [
        ("stop", FinishReason::EndOfTurn),
        ("length", FinishReason::Length),
        ("tool_calls", FinishReason::EndOfTurn),
        ("function_call", FinishReason::EndOfTurn),
        ("abort", FinishReason::Cancelled),
    ] {
        let reply = answered(reply(&[text("a"), finish(reason)]), ask()).await.unwrap();
        assert_eq!(reply.finish, expected, "{reason}");
    }
}

#[tokio::test]
async fn usage_is_what_the_server_tells() {
    let details = json!({"choices": [{"delta": {}, "finish_reason": "stop"}], "usage":
        {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12, "prompt_tokens_details": {"cached_tokens": 5}}});
    for (last, expected) in [
        (vec![details], Usage { cached: 5, computed: 4, generated: 3 }),
        (vec![finish("stop"), usage(9, 3)], Usage { cached: 0, computed: 9, generated: 3 }),
        (vec![finish("stop")], Usage::default()),
        (vec![json!({"choices": [], "usage": null}), finish("stop")], Usage::default()),
    ] {
        let reply = answered(reply(&[&[text("a")], &last[..]].concat()), ask()).await.unwrap();
        assert_eq!(reply.usage, expected);
    }
}

#[tokio::test]
async fn no_part_of_a_stop_string_is_emitted() {
    let said = [text("so.\nObserv"), text("ation"), text(": 3")];
    let request = ask_until(&["never", "Observation:"]);
    // The server stops there, tells how many tokens it took, and emits the stop string all the same.
    let server = Server::start([reply(&[&said[..], &[finish("stop"), usage(2, 5)]].concat())]).await;
    let (seen, _) = all(&server.model(), request.clone()).await;
    let usage = Usage { cached: 0, computed: 2, generated: 5 };
    assert_eq!(seen, [delta("so.\n"), end(stopped("Observation:"), usage)]);

    // It does not know stop strings and would go on: the connection is closed.
    let server = Server::start([Answer::Open((HEAD.to_owned() + &events(&said) + &events(&[text("4")])).into())]).await;
    let (seen, _) = all(&server.model(), request.clone()).await;
    assert_eq!(seen, [delta("so.\n"), end(stopped("Observation:"), Usage::default())]);
    server.closed().await;

    // The connection breaks behind the stop string; nothing is missing.
    let (seen, error) = all(&Server::start([body(&events(&said))]).await.model(), request).await;
    assert!(error.is_none());
    assert_eq!(seen, [delta("so.\n"), end(stopped("Observation:"), Usage::default())]);
}

#[tokio::test]
async fn half_a_stop_string_is_text_when_the_turn_ends() {
    let request = ask_until(&["Observation:"]);
    let reply = answered(says("so.\nObserv"), request).await.unwrap();
    assert_eq!((reply.text().as_str(), reply.finish), ("so.\nObserv", FinishReason::EndOfTurn));
}

#[tokio::test]
async fn servers_tell_where_they_stopped() {
    let stopped_by = |field: &str, value: Value| {
        let mut last = finish("stop");
        last["choices"][0][field] = value;
        reply(&[text("so.\n"), last])
    };
    for (answer, expected) in [
        (stopped_by("stop_reason", "Observation:".into()), stopped("Observation:")),
        (stopped_by("matched_stop", "Observation:".into()), stopped("Observation:")),
        // A token that ends turns; a stop string that was not asked for.
        (stopped_by("stop_reason", 151_645.into()), FinishReason::EndOfTurn),
        (stopped_by("stop_reason", "</s>".into()), FinishReason::EndOfTurn),
    ] {
        let reply = answered(answer, ask_until(&["Observation:"])).await.unwrap();
        assert_eq!((reply.text().as_str(), reply.finish), ("so.\n", expected));
    }
}

#[tokio::test]
async fn thinking_stands_before_the_answer() {
    let thinks = |field: &str, text: &str| json!({"choices": [{"delta": {field: text, "content": null}}]});
    let both = json!({"choices": [{"delta": {"reasoning": "Hm.", "reasoning_content": "Hm."}}]});
    let expected = "<think>\nHm.\n</think>\n\nYes.";
    for said in [
        vec![thinks("reasoning_content", "H"), thinks("reasoning_content", "m."), text("Yes."), finish("stop")],
        vec![thinks("reasoning", "Hm."), thinks("reasoning", ""), text("Yes."), finish("stop")],
        vec![both, text("Yes."), finish("stop")],
    ] {
        assert_eq!(answered(reply(&said), ask()).await.unwrap().text(), expected);
    }
    // It is closed where the reply ends before an answer, and stop strings count in it.
    let said = reply(&[thinks("reasoning", "Hm."), finish("length")]);
    assert_eq!(answered(said, ask()).await.unwrap().text(), "<think>\nHm.\n</think>\n\n");
    let said = reply(&[thinks("reasoning", "H"), thinks("reasoning", "m.")]);
    assert_eq!(answered(said, ask_until(&["m."])).await.unwrap().text(), "<think>\nH");
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let head = HEAD.replace("connection: close", "transfer-encoding: chunked");
    let said = events(&[text("a"), finish("stop")]) + "data: [DONE]\n\n";
    let whole = format!("{head}{:x}\r\n{said}\r\n0\r\n\r\n", said.len());
    let server = Server::start((0..3).map(|_| Answer::Kept(whole.clone().into_bytes()))).await;
    let model = server.model();
    for _ in 0..3 {
        assert_eq!(model.complete(ask()).await.unwrap().text(), "a");
    }
    assert_eq!((server.requests().len(), server.connections()), (3, 1));
}

#[tokio::test]
async fn dropping_a_stream_closes_the_connection() {
    let server = Server::start([Answer::Open((HEAD.to_owned() + &events(&[text("a")])).into_bytes())]).await;
    let model = server.model();
    let mut stream = model.stream(ask()).await.unwrap();
    assert_eq!(stream.next().await.unwrap().unwrap(), delta("a"));
    drop(stream);
    server.closed().await;
}

#[tokio::test]
async fn dropping_a_request_closes_the_connection() {
    let server = Server::start([Answer::Open(Vec::new())]).await;
    let model = server.model();
    tokio::select! {
        biased;
        _ = model.stream(ask()) => unreachable!("the server does not answer"),
        () = async { while server.requests().is_empty() { tokio::task::yield_now().await } } => {}
    }
    server.closed().await;
}
