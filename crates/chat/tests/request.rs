//! Which requests are refused, and as whose fault.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use qianshou_chat::{
    Capabilities, ChatErrorKind, ChatRequest, Constraint, Image, Message, NativeCall, NativeTool, Part, Role, Sampling,
};

const EVERYTHING: Capabilities =
    Capabilities { continue_last: true, constraints: true, native_tools: true, images: true };

fn request() -> ChatRequest {
    ChatRequest::new([Message::system("s"), Message::user("q")])
}

/// A request that asks for everything a model can offer.
fn demanding() -> ChatRequest {
    let image = Part::Image(Image { media_type: "image/png".to_owned(), bytes: vec![1] });
    ChatRequest {
        continue_last: true,
        stop: vec!["Observation:".to_owned()],
        max_tokens: Some(1),
        sampling: Sampling {
            temperature: Some(0.0),
            top_p: Some(1.0),
            top_k: Some(0),
            repetition_penalty: Some(1.0),
            seed: Some(0),
        },
        constraint: Some(Constraint::Regex("a+".to_owned())),
        tools: vec![NativeTool { name: "t".to_owned(), description: String::new(), parameters: true.into() }],
        messages: vec![Message { role: Role::User, content: vec![image] }, Message::assistant("a")],
    }
}

#[track_caller]
fn refused(request: &ChatRequest, kind: ChatErrorKind, message: &str) {
    let error = request.validate(&EVERYTHING).unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (kind, message));
}

#[test]
fn sensible_requests_pass() {
    request().validate(&Capabilities::default()).unwrap();
    demanding().validate(&EVERYTHING).unwrap();
    let greedy = ChatRequest { sampling: Sampling::greedy(), ..request() };
    greedy.validate(&Capabilities::default()).unwrap();
}

#[test]
fn contradictions_are_invalid() {
    let invalid = ChatErrorKind::InvalidRequest;
    refused(&ChatRequest::default(), invalid, "the request has no message");
    refused(
        &ChatRequest { continue_last: true, ..request() },
        invalid,
        "`continue_last` needs an assistant's message at the end",
    );
    refused(&ChatRequest { stop: vec!["x".to_owned(), String::new()], ..request() }, invalid, "a stop string is empty");
    refused(
        &ChatRequest { max_tokens: Some(0), ..request() },
        invalid,
        "`max_tokens` is 0; the smallest useful value is 1",
    );
}

#[test]
fn native_calls_have_their_places() {
    let invalid = ChatErrorKind::InvalidRequest;
    let call = NativeCall { id: "c1".to_owned(), name: "f".to_owned(), arguments: "{}".to_owned() };
    let calling = |role| Message { role, content: vec![Part::Text("So:".to_owned()), Part::Call(call.clone())] };
    let asked = |messages: &[Message]| ChatRequest::new(messages.iter().cloned());
    let whole = [Message::user("q"), calling(Role::Assistant), Message::result("c1", "3")];
    asked(&whole).validate(&Capabilities::default()).unwrap();
    assert_eq!(whole.each_ref().map(|message| message.text()), ["q", "So:", "3"]);
    assert_eq!(whole[1].calls().collect::<Vec<_>>(), [&call]);

    refused(&asked(&[calling(Role::User)]), invalid, "a native tool call is in a message that is not the assistant's");
    let misplaced = Message { role: Role::User, ..Message::result("c1", "3") };
    refused(&asked(&[misplaced]), invalid, "the result of a native tool call is in a message that is not a tool's");
    refused(
        &ChatRequest { continue_last: true, ..asked(&whole[..2]) },
        invalid,
        "`continue_last` cannot go on behind a native tool call; give the results of the calls",
    );
}

#[test]
fn sampling_out_of_range_is_invalid() {
    let sampled = |sampling| ChatRequest { sampling, ..request() };
    for value in [-0.1, f32::NAN, f32::INFINITY] {
        let sampling = Sampling { temperature: Some(value), ..Sampling::default() };
        refused(&sampled(sampling), ChatErrorKind::InvalidRequest, "`temperature` must be 0 or more");
    }
    for value in [0.0, -1.0, 1.1, f32::NAN] {
        let sampling = Sampling { top_p: Some(value), ..Sampling::default() };
        refused(&sampled(sampling), ChatErrorKind::InvalidRequest, "`top_p` must be above 0 and at most 1");
    }
    for value in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        let sampling = Sampling { repetition_penalty: Some(value), ..Sampling::default() };
        refused(&sampled(sampling), ChatErrorKind::InvalidRequest, "`repetition_penalty` must be above 0");
    }
}

#[test]
fn what_a_model_lacks_is_unsupported() {
    for (lacking, what) in [
        (Capabilities { continue_last: false, ..EVERYTHING }, "continuing an assistant's message"),
        (Capabilities { constraints: false, ..EVERYTHING }, "constrained replies"),
        (Capabilities { native_tools: false, ..EVERYTHING }, "native tool calls"),
        (Capabilities { images: false, ..EVERYTHING }, "images"),
    ] {
        let error = demanding().validate(&lacking).unwrap_err();
        assert_eq!(error.kind(), ChatErrorKind::Unsupported);
        assert_eq!(error.to_string(), format!("this model does not support {what}"));
    }
}

#[test]
fn messages_join_parts_of_one_kind() {
    let mut message = Message { role: Role::Assistant, content: vec![] };
    message.push_text("");
    assert!(message.content.is_empty());
    message.push_text("a");
    message.push(Part::Text("b".to_owned()));
    message.push_generated("c", &[1]);
    message.push_generated("d", &[2, 3]);
    message.push_text("e");
    assert_eq!(message.text(), "abcde");
    assert_eq!(message.content.len(), 3);
    assert!(matches!(&message.content[1], Part::Generated(part) if part.text == "cd" && part.ids == [1, 2, 3]));
    // The record of a conversation comes back as it was written.
    let written = serde_json::to_string(&message).unwrap();
    assert_eq!(serde_json::from_str::<Message>(&written).unwrap(), message);
}
