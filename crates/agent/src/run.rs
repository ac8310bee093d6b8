//! The loop: a state machine without I/O.
//!
//! [`AgentRun::next`] says what to do: ask the model, run tools, or nothing more. Whoever drives the run
//! does it and feeds back what happened, piece by piece, as [`Input`]s; [`AgentRun::feed`] returns the
//! events that follow from it. The run itself never waits, never reads a clock and never fails: what a
//! model or a tool gets wrong becomes an observation for the model, within limits. Its [`RunState`] can
//! be saved between any two inputs and resumed; a reply that was not complete is then asked for again.
//!
//! One step is one reply of the model and the calls in it. The messages only ever grow at their end, so
//! that the tokens of a step are a prefix of the next one's.

use std::sync::Arc;

use qianshou_chat::{ChatEvent, ChatRequest, Delta, End, FinishReason, Message, Role, Sampling, Usage};
use qianshou_prompts::{Prompt, Prompts};
use serde::{Deserialize, Serialize};

use crate::toolbox::Toolbox;
use crate::{
    Answer, CallRecord, Event, Input, Interruption, Limits, Observation, ObservationKind, Protocol, Step, StepEvent,
    StepReader, StepRecord, StopReason, ToolCall, ToolOutcome, ToolOutput, Warning, arguments, nearest, observation,
};

/// What all runs of an agent share.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) protocol: Arc<dyn Protocol>,
    pub(crate) toolbox: Toolbox,
    pub(crate) prompts: Prompts,
    pub(crate) sampling: Sampling,
    pub(crate) limits: Limits,
}

/// All that a run is made of, to be saved and resumed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunState {
    /// The conversation as the model sees it.
    messages: Vec<Message>,
    steps: Vec<StepRecord>,
    repairs: usize,
    finished: Option<StopReason>,
}

impl RunState {
    /// The conversation as the model sees it.
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// The steps so far.
    pub fn steps(&self) -> &[StepRecord] {
        &self.steps
    }
}

/// A reply while it comes.
#[derive(Debug)]
struct Reply {
    reader: Box<dyn StepReader>,
    deltas: Vec<Delta>,
    record: StepRecord,
}

/// One run of an agent: the loop, as a state machine without I/O.
///
/// Drivers of your own ask [`next`](Self::next) what to do, do it, and [`feed`](Self::feed) what
/// happened. [`Agent::drive`](crate::Agent::drive) is one, with time limits and cancellation.
///
/// ```
/// use std::sync::Arc;
///
/// use qianshou_agent::{Agent, Input, Step, ToolOutcome};
/// use qianshou_chat::{ChatModel, ScriptedModel};
/// use futures_util::StreamExt as _;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let model = Arc::new(ScriptedModel::new(["Final Answer: Paris."]));
/// let agent = Agent::builder(Arc::clone(&model) as Arc<dyn ChatModel>).build()?;
/// let mut run = agent.start("What is the capital of France?")?;
/// let answer = loop {
///     match run.next() {
///         Step::Model(request) => {
///             let mut events = model.stream(*request).await?;
///             while let Some(event) = events.next().await {
///                 run.feed(Input::Model(event?));
///             }
///         }
///         Step::Tools(calls) => {
///             for call in calls {
///                 let outcome = ToolOutcome::Output("no tools here".into());
///                 run.feed(Input::Tool { call: call.id, outcome });
///             }
///         }
///         Step::Finished(answer) => break answer,
///     }
/// };
/// assert_eq!(answer.text(), "Paris.");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct AgentRun {
    setup: Arc<Setup>,
    state: RunState,
    reply: Option<Reply>,
}

impl AgentRun {
    pub(crate) fn new(setup: Arc<Setup>, conversation: &[Message]) -> Self {
        let messages = setup.protocol.render(conversation, setup.toolbox.specs());
        let state = RunState { messages, steps: Vec::new(), repairs: 0, finished: None };
        Self::resume(setup, state)
    }

    pub(crate) fn resume(setup: Arc<Setup>, state: RunState) -> Self {
        let mut run = Self { setup, state, reply: None };
        if run.open_calls().next().is_none() {
            run.check_limits();
        }
        run
    }

    /// The state to save.
    pub fn state(&self) -> &RunState {
        &self.state
    }

    /// What is to be done next. Asking again without feeding anything gives the same.
    pub fn next(&self) -> Step {
        if let Some(stop_reason) = self.state.finished {
            return Step::Finished(Box::new(self.answer(stop_reason)));
        }
        let calls: Vec<_> = self.open_calls().filter_map(to_run).collect();
        if calls.is_empty() { Step::Model(Box::new(self.request())) } else { Step::Tools(calls) }
    }

    /// Takes what happened and returns what follows from it. An input that the run does not wait for
    /// changes nothing.
    pub fn feed(&mut self, input: Input) -> Vec<Event> {
        let mut events = Vec::new();
        if self.state.finished.is_some() {
            return events;
        }
        let waits_for_model = self.open_calls().next().is_none();
        match input {
            Input::Model(ChatEvent::Delta(delta)) if waits_for_model => self.read(delta, &mut events),
            Input::Model(ChatEvent::End(end)) if waits_for_model => self.end_reply(end, &mut events),
            Input::Model(_) => {}
            Input::Tool { call, outcome } => self.observe(&call, outcome, &mut events),
            Input::Interrupt(interruption) => self.interrupt(interruption, &mut events),
        }
        if let Some(stop_reason) = self.state.finished {
            events.push(Event::Finished { answer: Box::new(self.answer(stop_reason)) });
        }
        events
    }

    /// Asks the model for the next step.
    fn request(&self) -> ChatRequest {
        let Limits { tokens, reply_tokens, .. } = self.setup.limits;
        let left = tokens.map(|limit| limit.saturating_sub(spent(&self.usage())));
        ChatRequest {
            messages: self.state.messages.clone(),
            continue_last: self.state.messages.last().is_some_and(|message| message.role == Role::Assistant),
            stop: self.setup.protocol.stop_strings(),
            sampling: self.setup.sampling,
            max_tokens: reply_tokens.into_iter().chain(left).min(),
            ..ChatRequest::default()
        }
    }

    /// The reply that is coming; it begins with the first thing heard of it.
    fn reply(&mut self, events: &mut Vec<Event>) -> &mut Reply {
        let Self { setup, state, reply } = self;
        reply.get_or_insert_with(|| {
            events.push(Event::StepStarted { step: state.steps.len() + 1 });
            Reply { reader: setup.protocol.reader(&state.messages), deltas: Vec::new(), record: StepRecord::begun() }
        })
    }

    fn read(&mut self, delta: Delta, events: &mut Vec<Event>) {
        let calls_before: usize = self.state.steps.iter().map(|step| step.calls.len()).sum();
        let reply = self.reply(events);
        for event in reply.reader.push(&delta.text) {
            reply.take(event, calls_before, events);
        }
        reply.deltas.push(delta);
    }

    /// The reply is over: its text joins the conversation, and its calls are checked.
    fn end_reply(&mut self, End { finish, usage }: End, events: &mut Vec<Event>) {
        let calls_before: usize = self.state.steps.iter().map(|step| step.calls.len()).sum();
        let step = self.state.steps.len() + 1;
        let reply = self.reply(events);
        for event in reply.reader.finish(&finish) {
            reply.take(event, calls_before, events);
        }
        let Some(Reply { reader, deltas, mut record }) = self.reply.take() else {
            return;
        };
        keep(&mut self.state.messages, &deltas, reader.kept());
        events.push(Event::StepUsage { step, usage, finish: finish.clone() });
        record.usage = usage;
        record.finish = finish;
        self.state.steps.push(record);
        self.judge(events);
    }

    /// What the last reply means for the run.
    fn judge(&mut self, events: &mut Vec<Event>) {
        let Some(record) = self.state.steps.last() else {
            return;
        };
        let cut_off = match record.finish {
            FinishReason::Length => Some(StopReason::ReplyLength),
            FinishReason::Cancelled => Some(StopReason::Cancelled),
            FinishReason::EndOfTurn | FinishReason::Stop(_) => None,
        };
        if let Some(stop_reason) = cut_off {
            // Arguments that were cut off could mean anything.
            return self.finish(stop_reason, events);
        }
        if record.calls.is_empty() {
            if record.answer.is_some() {
                self.state.finished = Some(StopReason::Answered);
                return;
            }
            let observation = plain(ObservationKind::NoAction, self.setup.prompts.text(Prompt::NoAction).to_owned());
            events.push(Event::Observation { call: None, observation: observation.clone() });
            if let Some(record) = self.state.steps.last_mut() {
                record.no_action = Some(observation);
            }
            return self.end_step(events);
        }
        for index in 0..record.calls.len() {
            self.check_call(index, events);
        }
        if self.repeats() >= self.setup.limits.repeated_actions {
            return self.finish(StopReason::RepeatedAction, events);
        }
        let calls = self.state.steps.last().map(|step| step.calls.clone()).unwrap_or_default();
        for call in calls.iter().filter(|call| call.observation.is_none()) {
            if let (Some(ToolCall { id, name, arguments }), Some(stage)) = (to_run(call), call.stage) {
                events.push(Event::ToolStarted { call: id, name, arguments, stage });
            }
        }
        self.end_step(events);
    }

    /// Finds the tool of a call and reads its arguments; what is wrong with them becomes its observation.
    fn check_call(&mut self, index: usize, events: &mut Vec<Event>) {
        let Setup { toolbox, prompts, .. } = &*self.setup;
        let Some(call) = self.state.steps.last_mut().and_then(|step| step.calls.get_mut(index)) else {
            return;
        };
        let fault = match toolbox.resolve(&call.name) {
            None => {
                let near = nearest(&call.name, toolbox.names());
                let suggestion = near.map(|name| prompts.fill(Prompt::Suggestion, &[("nearest", name)]));
                let names = toolbox.names().collect::<Vec<_>>().join(", ");
                let suggestion = suggestion.unwrap_or_default();
                let values = [("name", call.name.as_str()), ("suggestion", &suggestion), ("names", &names)];
                plain(ObservationKind::UnknownTool, prompts.fill(Prompt::UnknownTool, &values))
            }
            Some((spec, registered)) => {
                call.name.clone_from(&spec.name);
                match arguments::read(&call.input, spec, &registered.validator, prompts) {
                    Ok((arguments, stage)) => {
                        call.arguments = Some(arguments);
                        call.stage = Some(stage);
                        return;
                    }
                    Err(text) => plain(ObservationKind::WrongArguments, text),
                }
            }
        };
        let id = call.id.clone();
        self.close(&id, fault, events);
    }

    fn observe(&mut self, id: &str, outcome: ToolOutcome, events: &mut Vec<Event>) {
        let Some(name) = self.open_calls().find(|call| call.id == id).map(|call| call.name.clone()) else {
            return;
        };
        let prompts = &self.setup.prompts;
        let name = name.as_str();
        let failed = |error: &str| prompts.fill(Prompt::ToolFailed, &[("name", name), ("error", error)]);
        let mut observation = match outcome {
            ToolOutcome::Output(ToolOutput { text, artifacts }) => {
                Observation { artifacts, ..plain(ObservationKind::Output, text) }
            }
            ToolOutcome::Error { text, invalid_arguments, diagnostics } => {
                let kind =
                    if invalid_arguments { ObservationKind::WrongArguments } else { ObservationKind::ToolFailed };
                Observation { diagnostics, ..plain(kind, failed(&text)) }
            }
            ToolOutcome::Panicked { message } => {
                let text = prompts.fill(Prompt::ToolPanicked, &[("name", name)]);
                Observation { diagnostics: Some(message), ..plain(ObservationKind::ToolPanicked, text) }
            }
            ToolOutcome::TimedOut { after } => {
                let values = [("name", name), ("seconds", &after.as_secs_f64().to_string())];
                plain(ObservationKind::ToolTimedOut, prompts.fill(Prompt::ToolTimedOut, &values))
            }
        };
        let limit = self.setup.limits.observation_characters;
        let characters = observation.text.chars().count().saturating_sub(limit);
        if characters > 0 {
            observation.text = observation::cut(&observation.text, limit, prompts);
            let warning = Warning::ObservationCut { characters };
            events.push(Event::Warning { warning: warning.clone() });
            self.state.steps.last_mut().into_iter().for_each(|step| step.warnings.push(warning.clone()));
        }
        self.close(id, observation, events);
        self.end_step(events);
    }

    /// Gives a call its observation.
    fn close(&mut self, id: &str, observation: Observation, events: &mut Vec<Event>) {
        let calls = self.state.steps.last_mut().into_iter().flat_map(|step| &mut step.calls);
        for call in calls.filter(|call| call.id == id) {
            call.observation = Some(observation.clone());
        }
        events.push(Event::Observation { call: Some(id.to_owned()), observation });
    }

    /// When the last step has no open call: its observations join the conversation, and the model's turn
    /// comes if the limits allow.
    fn end_step(&mut self, events: &mut Vec<Event>) {
        if self.open_calls().next().is_some() {
            return;
        }
        let Some(record) = self.state.steps.last() else {
            return;
        };
        let faults = record.observations().filter(|observation| observation.kind.is_repair()).count();
        let texts: Vec<_> = record.observations().map(|observation| observation.text.as_str()).collect();
        self.setup.protocol.observe(&mut self.state.messages, &texts);
        if self.state.repairs + faults > self.setup.limits.repairs {
            return self.finish(StopReason::Repairs, events);
        }
        self.state.repairs += faults;
        self.check_limits();
    }

    fn check_limits(&mut self) {
        let Limits { steps, tokens, .. } = self.setup.limits;
        if self.state.finished.is_some() {
        } else if self.state.steps.len() >= steps {
            self.state.finished = Some(StopReason::Steps);
        } else if tokens.is_some_and(|limit| spent(&self.usage()) >= limit) {
            self.state.finished = Some(StopReason::Tokens);
        }
    }

    fn interrupt(&mut self, interruption: Interruption, events: &mut Vec<Event>) {
        if let Some(Reply { reader, deltas, record }) = self.reply.take() {
            keep(&mut self.state.messages, &deltas, reader.kept());
            self.state.steps.push(record);
        }
        let stop_reason = match interruption {
            Interruption::Cancelled => StopReason::Cancelled,
            Interruption::WallClock => StopReason::WallClock,
        };
        self.finish(stop_reason, events);
    }

    /// Ends the run. Open calls are closed, so that the conversation stays whole.
    fn finish(&mut self, stop_reason: StopReason, events: &mut Vec<Event>) {
        let open: Vec<_> = self.open_calls().map(|call| call.id.clone()).collect();
        for id in &open {
            let text = self.setup.prompts.text(Prompt::Cancelled).to_owned();
            self.close(id, plain(ObservationKind::Cancelled, text), events);
        }
        self.state.finished = Some(stop_reason);
        if !open.is_empty() {
            let observations = self.state.steps.last().into_iter().flat_map(StepRecord::observations);
            let texts: Vec<_> = observations.map(|observation| observation.text.as_str()).collect();
            self.setup.protocol.observe(&mut self.state.messages, &texts);
        }
    }

    fn open_calls(&self) -> impl Iterator<Item = &CallRecord> {
        let calls = self.state.steps.last().into_iter().flat_map(|step| &step.calls);
        calls.filter(|call| call.observation.is_none())
    }

    /// How many steps in a row, the last included, made the same calls with the same arguments.
    fn repeats(&self) -> usize {
        let calls = |step: &StepRecord| {
            step.calls.iter().map(|call| (call.name.clone(), call.arguments.clone())).collect::<Vec<_>>()
        };
        let Some(last) = self.state.steps.last().map(calls) else {
            return 0;
        };
        if last.iter().any(|(_, arguments)| arguments.is_none()) {
            return 0;
        }
        self.state.steps.iter().rev().take_while(|step| calls(step) == last).count()
    }

    fn usage(&self) -> Usage {
        self.state.steps.iter().fold(Usage::default(), |mut sum, step| {
            sum += step.usage;
            sum
        })
    }

    fn answer(&self, stop_reason: StopReason) -> Answer {
        Answer {
            text: self.state.steps.last().and_then(|step| step.answer.clone()).unwrap_or_default(),
            stop_reason,
            steps: self.state.steps.clone(),
            usage: self.usage(),
            repairs: self.state.repairs,
            messages: self.state.messages.clone(),
        }
    }
}

impl Reply {
    /// Records what the reader found, and tells it.
    fn take(&mut self, event: StepEvent, calls_before: usize, events: &mut Vec<Event>) {
        let record = &mut self.record;
        events.push(match event {
            StepEvent::Thought(text) => {
                record.thought.push_str(&text);
                Event::ThoughtDelta { text }
            }
            StepEvent::Action(name) => {
                let id = format!("call-{}", calls_before + record.calls.len() + 1);
                record.calls.push(CallRecord {
                    id: id.clone(),
                    name: name.clone(),
                    input: String::new(),
                    arguments: None,
                    stage: None,
                    observation: None,
                });
                Event::Action { call: id, name }
            }
            StepEvent::Arguments(text) => {
                let Some(call) = record.calls.last_mut() else {
                    return;
                };
                call.input.push_str(&text);
                Event::ArgumentsDelta { call: call.id.clone(), text }
            }
            StepEvent::Answer(text) => {
                record.answer.get_or_insert_default().push_str(&text);
                Event::AnswerDelta { text }
            }
            StepEvent::Warning(warning) => {
                record.warnings.push(warning.clone());
                Event::Warning { warning }
            }
        });
    }
}

/// Appends a reply to the conversation, up to `kept` bytes of it. Ids stay as they are, except in a delta
/// that is cut, whose beginning is kept as text.
fn keep(messages: &mut Vec<Message>, deltas: &[Delta], kept: Option<usize>) {
    if messages.last().is_none_or(|message| message.role != Role::Assistant) {
        messages.push(Message { role: Role::Assistant, content: Vec::new() });
    }
    let Some(message) = messages.last_mut() else {
        return;
    };
    let mut left = kept.unwrap_or(usize::MAX);
    for delta in deltas {
        if delta.text.len() <= left {
            message.push_delta(delta);
        } else {
            message.push_text(delta.text.get(..left).unwrap_or_default());
        }
        left = left.saturating_sub(delta.text.len());
    }
}

fn to_run(call: &CallRecord) -> Option<ToolCall> {
    let arguments = call.arguments.clone()?;
    Some(ToolCall { id: call.id.clone(), name: call.name.clone(), arguments })
}

fn plain(kind: ObservationKind, text: String) -> Observation {
    Observation { kind, text, diagnostics: None, artifacts: Vec::new() }
}

fn spent(usage: &Usage) -> usize {
    usage.computed + usage.generated
}
