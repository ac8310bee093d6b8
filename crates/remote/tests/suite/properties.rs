//! What holds for any reply, however it is cut.

use proptest::prelude::*;
use proptest::sample::Index;
use qianshou_chat::{ChatEvent, FinishReason};
use serde_json::{Value, json};

use crate::server::{Answer, HEAD, Server, all, ask_until, finish, text, usage};

/// Something that a server could send.
fn event() -> impl Strategy<Value = Value> {
    let said = prop_oneof!["[ab:\n]{0,5}", any::<String>()];
    let call = (0..3_usize, any::<bool>(), "[{}\"a1:]{0,5}").prop_map(|(index, named, arguments)| {
        let name = if named { json!("f") } else { Value::Null };
        let call =
            json!({"index": index, "id": format!("c{index}"), "function": {"name": name, "arguments": arguments}});
        json!({"choices": [{"delta": {"tool_calls": [call]}}]})
    });
    prop_oneof![
        4 => said.clone().prop_map(|said| text(&said)),
        1 => said.prop_map(|said| json!({"choices": [{"delta": {"reasoning_content": said}}]})),
        2 => call,
        1 => (0..9_usize, 0..9_usize).prop_map(|(prompt, generated)| usage(prompt, generated)),
        1 => Just(json!({"choices": [], "error": null})),
    ]
}

/// The body of a reply, in any of the forms that server-sent events have.
fn body() -> impl Strategy<Value = String> {
    let line_end = prop::sample::select(vec!["\n", "\r\n", "\r"]);
    let events = prop::collection::vec((event(), line_end, any::<bool>()), 0..8);
    let reason = prop::sample::select(vec!["stop", "length", "tool_calls", "content_filter", ""]);
    (events, reason, any::<bool>()).prop_map(|(events, reason, done)| {
        let last = (finish(reason), "\n", false);
        let lines = events.into_iter().chain([last]).map(|(event, end, commented)| {
            let comment = if commented { ": 千\n\n" } else { "" };
            format!("{comment}data: {event}{end}{end}")
        });
        lines.collect::<String>() + if done { "data: [DONE]\n\n" } else { "" }
    })
}

/// A reply with this body in chunks that end at these places. Each chunk reaches the client on its own,
/// whatever the network makes of it.
fn chunked(body: &[u8], places: &[Index]) -> Answer {
    let mut borders: Vec<_> = places.iter().map(|place| place.index(body.len() + 1)).collect();
    borders.extend([0, body.len()]);
    borders.sort_unstable();
    borders.dedup();
    let mut answer = HEAD.replace("connection", "transfer-encoding: chunked\r\nconnection").into_bytes();
    for pair in borders.windows(2) {
        let chunk = &body[pair[0]..pair[1]];
        answer.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        answer.extend_from_slice(chunk);
        answer.extend_from_slice(b"\r\n");
    }
    answer.extend_from_slice(b"0\r\n\r\n");
    Answer::Bytes(answer)
}

/// All events, and the error if there is one, without the address of the server.
fn read(answer: Answer) -> (Vec<ChatEvent>, Option<String>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let server = Server::start([answer]).await;
        let model = server.builder().retries(qianshou_remote::Retries { attempts: 1, ..Default::default() });
        let (events, error) = all(&model.build().unwrap(), ask_until(&["ab:", "b\n", "千手"])).await;
        (events, error.map(|error| error.to_string().replace(&server.address.to_string(), "SERVER")))
    })
}

fn said(events: &[ChatEvent]) -> String {
    let texts = events.iter().map(|event| match event {
        ChatEvent::Delta(delta) => delta.text.as_str(),
        _ => "",
    });
    texts.collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn any_split_gives_the_same_events(body in body(), places in prop::collection::vec(any::<Index>(), 0..40)) {
        let whole = read(chunked(body.as_bytes(), &[]));
        prop_assert_eq!(&read(chunked(body.as_bytes(), &places)), &whole);
        let (events, error) = whole;
        let ends = events.iter().filter(|event| matches!(event, ChatEvent::End(_))).count();
        prop_assert_eq!(ends, usize::from(error.is_none()));
        // No part of a stop string is emitted that the reply ended with.
        let text = said(&events);
        prop_assert!(!["ab:", "b\n", "千手"].iter().any(|stop| text.contains(stop)), "{:?}", text);
        if let Some(ChatEvent::End(end)) = events.last() {
            prop_assert!(!matches!(end.finish, FinishReason::Cancelled));
        }
    }

    /// Nothing that a server sends makes the client panic or hang.
    #[test]
    fn any_bytes_can_be_read(
        body in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            "(data: ?[\\[\\]{}\":a-z0-9,]{0,20}\r?\n?){0,9}".prop_map(String::into_bytes),
        ],
        places in prop::collection::vec(any::<Index>(), 0..5),
    ) {
        let whole = read(chunked(&body, &[]));
        prop_assert_eq!(read(chunked(&body, &places)), whole);
    }
}
