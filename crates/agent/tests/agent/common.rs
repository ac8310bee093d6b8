//! What several tests are made of.

use async_trait::async_trait;
use futures_util::StreamExt as _;
use proptest::prelude::*;
use qianshou_agent::{Agent, Answer, Event, ObservationKind, StepEvent, StepRecord, Turn};
use qianshou_chat::{
    Capabilities, ChatError, ChatModel, ChatRequest, ChatStream, FinishReason, Message, ModelInfo, Role, ScriptedModel,
};

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
    StepRecord { finish: FinishReason::EndOfTurn, ..StepRecord::begun() }
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

/// A reply of ReAct that calls a tool.
pub(crate) fn call(tool: &str, input: &str) -> String {
    format!("Thought: I use {tool}.\nAction: {tool}\nAction Input: {input}\nObservation:")
}

/// A reply of ReAct that answers.
pub(crate) fn answer(text: &str) -> String {
    format!(" I now know the final answer\nFinal Answer: {text}")
}

/// What came back, over all steps.
pub(crate) fn observations(answer: &Answer) -> Vec<(ObservationKind, &str)> {
    let observations = answer.steps.iter().flat_map(StepRecord::observations);
    observations.map(|observation| (observation.kind, observation.text.as_str())).collect()
}

/// A model that answers by how many observations the prompt ends with, so that a run that is resumed
/// elsewhere gets the same replies.
#[derive(Debug)]
pub(crate) struct ByStep {
    pub(crate) replies: Vec<String>,
    pub(crate) context_window: Option<usize>,
    /// Whether it counts tokens, each a character.
    pub(crate) counts: bool,
}

impl ByStep {
    pub(crate) fn new(replies: impl IntoIterator<Item = String>) -> Self {
        Self { replies: replies.into_iter().collect(), context_window: None, counts: false }
    }
}

/// The characters of all messages.
pub(crate) fn characters(request: &ChatRequest) -> usize {
    request.messages.iter().map(|message| message.text().chars().count()).sum()
}

#[async_trait]
impl ChatModel for ByStep {
    fn info(&self) -> ModelInfo {
        ModelInfo {
            name: "by step".to_owned(),
            context_window: self.context_window,
            capabilities: Capabilities { constraints: false, ..EVERYTHING },
        }
    }

    fn count_tokens(&self, request: &ChatRequest) -> Option<usize> {
        self.counts.then(|| characters(request))
    }

    async fn stream(&self, request: ChatRequest) -> Result<ChatStream, ChatError> {
        let last = request.messages.last().filter(|message| message.role == Role::Assistant);
        let step = last.map_or(0, |message| message.text().matches("\nObservation: ").count());
        ScriptedModel::new(self.replies.get(step).cloned()).stream(request).await
    }
}
