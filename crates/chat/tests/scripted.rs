//! The scripted model, and through it what holds for every reply.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use futures_util::TryStreamExt as _;
use qianshou_chat::{
    Capabilities, ChatError, ChatErrorKind, ChatEvent, ChatModel, ChatRequest, Delta, End, FinishReason, Message,
    NativeCall, ScriptedModel, ScriptedReply, Usage,
};

fn request(stop: &[&str]) -> ChatRequest {
    ChatRequest {
        stop: stop.iter().map(|&stop| stop.to_owned()).collect(),
        ..ChatRequest::new([Message::user("Why?")])
    }
}

#[tokio::test]
async fn replies_come_in_order_until_none_is_left() {
    let model = ScriptedModel::new(["One.", "Two."]);
    for expected in ["One.", "Two."] {
        let reply = model.complete(request(&[])).await.unwrap();
        assert_eq!(reply.text(), expected);
        assert_eq!(reply.message, Message::assistant(expected));
        assert_eq!(reply.finish, FinishReason::EndOfTurn);
        assert_eq!(reply.usage, Usage { cached: 0, computed: 4, generated: 4 });
    }
    let error = model.complete(request(&[])).await.unwrap_err();
    assert_eq!(error.kind(), ChatErrorKind::Unavailable);
    assert_eq!(error.to_string(), "the script has no reply left");
    assert_eq!(model.requests().len(), 3);
}

#[tokio::test]
async fn a_stream_is_deltas_and_then_one_end() {
    let model = ScriptedModel::new(["千手"]);
    let events: Vec<_> = model.stream(request(&[])).await.unwrap().try_collect().await.unwrap();
    let delta = |text: &str| ChatEvent::Delta(Delta { text: text.to_owned(), ids: vec![] });
    let usage = Usage { cached: 0, computed: 4, generated: 2 };
    assert_eq!(events, [delta("千"), delta("手"), ChatEvent::End(End { finish: FinishReason::EndOfTurn, usage })]);
}

#[tokio::test]
async fn a_stop_string_ends_the_reply_before_it() {
    let model = ScriptedModel::new(["Thought: go\nObservation: 3", "Observ", "End."]);
    let reply = model.complete(request(&["never", "Observation:"])).await.unwrap();
    assert_eq!(reply.text(), "Thought: go\n");
    assert_eq!(reply.finish, FinishReason::Stop("Observation:".to_owned()));
    // What was generated counts, though it is not shown.
    assert_eq!(reply.usage.generated, "Thought: go\nObservation:".len());
    // Half a stop string is text when the turn ends there.
    let reply = model.complete(request(&["Observation:"])).await.unwrap();
    assert_eq!((reply.text().as_str(), reply.finish), ("Observ", FinishReason::EndOfTurn));
}

#[tokio::test]
async fn the_limit_of_tokens_holds() {
    let model = ScriptedModel::new(["abc", "abc"]);
    let limited = |max_tokens| ChatRequest { max_tokens: Some(max_tokens), ..request(&[]) };
    let reply = model.complete(limited(2)).await.unwrap();
    assert_eq!((reply.text().as_str(), reply.finish, reply.usage.generated), ("ab", FinishReason::Length, 2));
    let reply = model.complete(limited(3)).await.unwrap();
    assert_eq!((reply.text().as_str(), reply.finish), ("abc", FinishReason::EndOfTurn));
}

#[tokio::test]
async fn native_calls_come_after_the_text() {
    let call = |id: &str, arguments: &str| NativeCall {
        id: id.to_owned(),
        name: "add".to_owned(),
        arguments: arguments.to_owned(),
    };
    let calls = vec![call("a", "{}"), call("b", "[1]")];
    let script = || ScriptedReply::Calls("So".to_owned(), calls.clone());
    let model = ScriptedModel::new([script(), script(), script()]);
    let reply = model.complete(request(&[])).await.unwrap();
    assert_eq!((reply.text().as_str(), reply.finish, reply.usage.generated), ("So", FinishReason::EndOfTurn, 9));
    assert_eq!(reply.message.calls().cloned().collect::<Vec<_>>(), calls);
    let reply = model.complete(ChatRequest { max_tokens: Some(7), ..request(&[]) }).await.unwrap();
    assert_eq!((reply.finish, reply.usage.generated), (FinishReason::Length, 7));
    let cut = [call("a", "{}"), call("b", "[")];
    assert_eq!(reply.message.calls().cloned().collect::<Vec<_>>(), cut);
    let reply = model.complete(request(&["o"])).await.unwrap();
    assert_eq!(reply.message, Message::assistant("S"));
}

#[tokio::test]
async fn a_scripted_error_is_the_answer_to_one_request() {
    let error = ChatError::new(ChatErrorKind::Failed, "out of memory").with_hint("use a smaller model");
    let model = ScriptedModel::new([ScriptedReply::Error(error), "fine".into(), "also".to_owned().into()]);
    let error = model.complete(request(&[])).await.unwrap_err();
    assert_eq!((error.kind(), error.hint()), (ChatErrorKind::Failed, Some("use a smaller model")));
    assert_eq!(model.complete(request(&[])).await.unwrap().text(), "fine");
}

#[tokio::test]
async fn refused_requests_use_up_no_reply_but_are_remembered() {
    let model = ScriptedModel::new(["fine"]).with_capabilities(Capabilities::default());
    let refused = ChatRequest { continue_last: true, ..ChatRequest::new([Message::assistant("So")]) };
    assert_eq!(model.complete(refused.clone()).await.unwrap_err().kind(), ChatErrorKind::Unsupported);
    assert_eq!(model.complete(request(&[])).await.unwrap().text(), "fine");
    assert_eq!(model.requests(), [refused, request(&[])]);
    assert_eq!(model.info().name, "scripted");
    assert_eq!(model.info().capabilities, Capabilities::default());
}
