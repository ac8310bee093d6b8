//! What several tests are made of.

use futures_util::StreamExt as _;
use proptest::prelude::*;
use qianshou_agent::{Agent, Event, StepEvent, StepRecord, Turn};
use qianshou_chat::{Capabilities, FinishReason, Message, Role, Usage};

/// A model that can do everything.
pub(crate) const EVERYTHING: Capabilities =
    Capabilities { continue_last: true, constraints: true, native_tools: true, images: true };

/// A turn without tools and steps.
pub(crate) fn turn(conversation: &[Message]) -> Turn<'_> {
    let system = conversation.iter().take_while(|message| message.role == Role::System).count();
    Turn {
        system: &conversation[..system],
        conversation: &conversation[system..],
        steps: &[],
        steps_left_out: 0,
        tools: &[],
        capabilities: EVERYTHING,
    }
}

/// A step in which nothing was read.
pub(crate) fn empty_record() -> StepRecord {
    StepRecord {
        thought: String::new(),
        answer: None,
        calls: Vec::new(),
        no_action: None,
        warnings: Vec::new(),
        usage: Usage::default(),
        finish: FinishReason::EndOfTurn,
    }
}

/// Every event of a run.
pub(crate) async fn events(agent: &Agent, question: &str) -> Vec<Event> {
    agent.stream(question).map(Result::unwrap).collect().await
}

/// The events with deltas of one kind joined.
pub(crate) fn joined(events: impl IntoIterator<Item = StepEvent>) -> Vec<StepEvent> {
    let mut all: Vec<StepEvent> = Vec::new();
    for event in events {
        match (all.last_mut(), event) {
            (Some(StepEvent::Thought(text)), StepEvent::Thought(more))
            | (Some(StepEvent::Arguments(text)), StepEvent::Arguments(more))
            | (Some(StepEvent::Answer(text)), StepEvent::Answer(more)) => text.push_str(&more),
            (_, event) => all.push(event),
        }
    }
    all
}

/// All ends that a reply may have.
pub(crate) fn finishes() -> impl Strategy<Value = FinishReason> {
    prop_oneof![
        Just(FinishReason::EndOfTurn),
        Just(FinishReason::Stop("Observation:".to_owned())),
        Just(FinishReason::Length),
        Just(FinishReason::Cancelled),
    ]
}

/// A text in pieces, cut between characters.
pub(crate) fn split<'a>(text: &'a str, cuts: &[prop::sample::Index]) -> Vec<&'a str> {
    let borders: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| borders[cut.index(borders.len())]).collect();
    cuts.extend([0, text.len()]);
    cuts.sort_unstable();
    cuts.windows(2).map(|window| &text[window[0]..window[1]]).collect()
}
