//! A reply in the ReAct format gives the same events however it is cut; a NUL in the input is a cut.

#![no_main]

use libfuzzer_sys::fuzz_target;
use qianshou_agent::{Protocol as _, ReAct, StepEvent, StepRecord, TakenStep, Turn};
use qianshou_chat::{Capabilities, FinishReason, Message};

fuzz_target!(|text: &str| {
    let whole = text.replace('\0', "");
    // The first step of a turn, and a later one, which goes on behind `Thought:`.
    let later = TakenStep { reply: Vec::new(), record: StepRecord::begun() };
    for steps in [&[][..], &[later]] {
        let (events, kept) = read([whole.as_str()], steps);
        assert_eq!(read(text.split('\0'), steps), (events, kept));
        assert!(kept.is_none_or(|kept| whole.is_char_boundary(kept)));
    }
});

/// The events with deltas of one kind joined, and how much of the text is kept.
fn read<'a>(pieces: impl IntoIterator<Item = &'a str>, steps: &[TakenStep]) -> (Vec<StepEvent>, Option<usize>) {
    let mut reader = ReAct::default().reader(&Turn {
        system: &[],
        conversation: &[Message::user("?")],
        steps,
        steps_left_out: 0,
        tools: &[],
        capabilities: Capabilities { continue_last: true, ..Capabilities::default() },
    });
    let mut events: Vec<StepEvent> = pieces.into_iter().flat_map(|piece| reader.push(piece)).collect();
    events.extend(reader.finish(&FinishReason::EndOfTurn));
    let mut joined: Vec<StepEvent> = Vec::new();
    for event in events {
        match (joined.last_mut(), event) {
            (Some(StepEvent::Thought(text)), StepEvent::Thought(more))
            | (Some(StepEvent::Arguments(text)), StepEvent::Arguments(more))
            | (Some(StepEvent::Answer(text)), StepEvent::Answer(more)) => text.push_str(&more),
            (_, event) => joined.push(event),
        }
    }
    (joined, reader.kept())
}
