//! What holds for any exchange.

use std::fs;

use futures_util::{FutureExt as _, StreamExt as _};
use proptest::prelude::*;
use qianshou_chat::{
    ChatError, ChatErrorKind, ChatEvent, ChatModel as _, ChatRequest, Constraint, End, Exchange, FinishReason,
    Generated, Image, Message, NativeCall, NativeResult, NativeTool, Part, Recorder, Recording, Replay, Role, Sampling,
    Usage,
};
use serde_json::{Value, json};

use crate::{Canned, Item, ask, delta, file, items};

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z\"\\\\\n]{0,8}", any::<String>()]
}

fn call() -> impl Strategy<Value = NativeCall> {
    [text(), text(), text()].prop_map(|[id, name, arguments]| NativeCall { id, name, arguments })
}

fn event() -> impl Strategy<Value = ChatEvent> {
    prop_oneof![
        (text(), prop::collection::vec(any::<u32>(), 0..4)).prop_map(|(text, ids)| delta(&text, &ids)),
        call().prop_map(ChatEvent::Call),
        text().prop_map(ChatEvent::Arguments),
    ]
}

fn end() -> impl Strategy<Value = ChatEvent> {
    let finish = prop_oneof![
        Just(FinishReason::EndOfTurn),
        Just(FinishReason::Length),
        Just(FinishReason::Cancelled),
        text().prop_map(FinishReason::Stop),
    ];
    (finish, any::<[u32; 3]>()).prop_map(|(finish, [cached, computed, generated])| {
        let usage = Usage { cached: cached as usize, computed: computed as usize, generated: generated as usize };
        ChatEvent::End(End { finish, usage })
    })
}

/// How a reply ends: well, with an error, or not at all.
#[derive(Clone, Debug)]
enum Ending {
    End(ChatEvent),
    Error(String, Option<String>),
    None,
}

fn reply() -> impl Strategy<Value = (Vec<ChatEvent>, Ending)> {
    let ending = prop_oneof![
        end().prop_map(Ending::End),
        (text(), prop::option::of(text())).prop_map(|(message, hint)| Ending::Error(message, hint)),
        Just(Ending::None),
    ];
    (prop::collection::vec(event(), 0..6), ending)
}

fn reply_items((events, ending): (Vec<ChatEvent>, Ending)) -> Vec<Item> {
    let last = match ending {
        Ending::End(end) => Some(Ok(end)),
        Ending::Error(message, hint) => {
            let error = ChatError::new(ChatErrorKind::Failed, message).with_source("a cause");
            Some(Err(match hint {
                Some(hint) => error.with_hint(hint),
                None => error,
            }))
        }
        Ending::None => None,
    };
    events.into_iter().map(Ok).chain(last).collect()
}

fn part() -> impl Strategy<Value = Part> {
    let bytes = prop::collection::vec(any::<u8>(), 0..9);
    prop_oneof![
        text().prop_map(Part::Text),
        (text(), prop::collection::vec(any::<u32>(), 0..4))
            .prop_map(|(text, ids)| Part::Generated(Generated { text, ids })),
        (text(), bytes).prop_map(|(media_type, bytes)| Part::Image(Image { media_type, bytes })),
        call().prop_map(Part::Call),
        [text(), text()].prop_map(|[call, text]| Part::Result(NativeResult { call, text })),
    ]
}

fn request() -> impl Strategy<Value = ChatRequest> {
    let role = prop::sample::select(vec![Role::System, Role::User, Role::Assistant, Role::Tool]);
    let message = (role, prop::collection::vec(part(), 0..3)).prop_map(|(role, content)| Message { role, content });
    let sampling = any::<(Option<f32>, Option<f32>, Option<u32>, Option<f32>, Option<u64>)>().prop_map(
        |(temperature, top_p, top_k, repetition_penalty, seed)| Sampling {
            temperature,
            top_p,
            top_k,
            repetition_penalty,
            seed,
        },
    );
    let schema = || (text(), any::<f64>()).prop_map(|(name, bound)| json!({"const": name, "maximum": bound}));
    let constraint = prop_oneof![
        text().prop_map(Constraint::Regex),
        text().prop_map(Constraint::Grammar),
        schema().prop_map(Constraint::JsonSchema),
    ];
    let tool = (text(), text(), schema()).prop_map(|(name, description, parameters)| NativeTool {
        name,
        description,
        parameters,
    });
    (
        prop::collection::vec(message, 0..3),
        any::<bool>(),
        prop::collection::vec(text(), 0..3),
        sampling,
        any::<Option<u32>>(),
        prop::option::of(constraint),
        prop::collection::vec(tool, 0..2),
    )
        .prop_map(|(messages, continue_last, stop, sampling, max_tokens, constraint, tools)| ChatRequest {
            messages,
            continue_last,
            stop,
            sampling,
            max_tokens: max_tokens.map(|tokens| tokens as usize),
            constraint,
            tools,
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn what_was_recorded_is_replayed(calls in prop::collection::vec((request(), reply()), 1..5)) {
        let (_folder, path) = file();
        let (requests, replies): (Vec<_>, Vec<_>) = calls.into_iter().unzip();
        let model = Recorder::create(Canned::new(replies.into_iter().map(reply_items)), &path).unwrap();
        let said: Vec<_> = requests.iter().map(|request| items(&model, request.clone())).collect();
        let replay = Replay::open(&path).unwrap();
        let replayed: Vec<_> = requests.iter().map(|request| items(&replay, request.clone())).collect();
        prop_assert_eq!(replayed, said);
        // What is read and written again is the same line.
        for line in fs::read_to_string(&path).unwrap().lines() {
            let value: Value = serde_json::from_str(line).unwrap();
            let exchange: Exchange = serde_json::from_value(value["exchange"].clone()).unwrap();
            let again = serde_json::to_string(&exchange).unwrap() + "}";
            prop_assert!(line.ends_with(&again), "{}", line);
        }
    }

    #[test]
    fn a_dropped_stream_keeps_what_was_delivered(reply in reply(), taken in 0..7_usize) {
        let (_folder, path) = file();
        let model = Recorder::create(Canned::new([reply_items(reply)]), &path).unwrap();
        let stream = model.stream(ask("a")).now_or_never().unwrap().unwrap();
        let mut seen: Vec<_> = stream.take(taken).collect::<Vec<_>>().now_or_never().unwrap();
        let replayed = Recording::read(&path).unwrap().exchanges.remove(0).exchange;
        let failed = seen.last().is_some_and(Result::is_err);
        prop_assert_eq!(replayed.error.is_some(), failed);
        if failed {
            seen.pop();
        }
        let seen: Vec<_> = seen.into_iter().map(Result::unwrap).collect();
        prop_assert!(replayed.events.starts_with(&seen));
        match &replayed.events[seen.len()..] {
            [] => {}
            [ChatEvent::End(End { finish, .. })] => prop_assert_eq!(finish, &FinishReason::Cancelled),
            more => prop_assert!(false, "{:?}", more),
        }
    }

    /// No file makes the reader panic.
    #[test]
    fn any_bytes_can_be_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let (_folder, path) = file();
        fs::write(&path, bytes).unwrap();
        let _ = Recording::read(&path);
    }
}
