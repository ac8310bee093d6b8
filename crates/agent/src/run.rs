//! The loop: a state machine without I/O.
//!
//! [`AgentRun::next`] says what to do: ask the model, decide about calls, run tools, or nothing more.
//! Whoever drives the run does it and feeds back what happened, piece by piece, as [`Input`]s;
//! [`AgentRun::feed`] returns the events that follow from it. The run itself never waits, never reads a
//! clock and never fails: what a model or a tool gets wrong becomes an observation for the model, within
//! limits. Its [`RunState`] can be saved between any two inputs and resumed; a reply that was not complete
//! is then asked for again.
//!
//! One step is one reply of the model and the calls in it. A prompt is made of the conversation and the
//! steps, always in the same way, so that the tokens of a step are a prefix of the next one's. Only when
//! the context window is full does the prefix move: the oldest turn, else the oldest step is left out.

use std::sync::Arc;

use qianshou_chat::{Capabilities, ChatEvent, ChatRequest, End, FinishReason, Message, Sampling, Usage};
use qianshou_prompts::{Prompt, Prompts};
use serde_json::Value;

use crate::budget::{Budget, Fit};
use crate::reply::Reply;
use crate::toolbox::Toolbox;
use crate::{
    Answer, CallRecord, Decision, Event, Input, Interruption, Limits, Observation, ObservationKind, Protocol,
    RunHeader, RunState, Step, StopReason, TakenStep, ToolCall, ToolOutcome, Turn, Warning, arguments, nearest,
    observation, python_json,
};

/// What all runs of an agent share.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) protocol: Arc<dyn Protocol>,
    pub(crate) toolbox: Toolbox,
    pub(crate) prompts: Prompts,
    pub(crate) sampling: Sampling,
    pub(crate) limits: Limits,
    pub(crate) capabilities: Capabilities,
    pub(crate) budget: Budget,
    /// Whether somebody is asked before calls run.
    pub(crate) approval: bool,
}

impl Setup {
    /// What is wrong with arguments for the tool of this name, if anything is.
    fn faults(&self, name: &str, arguments: &Value) -> Option<String> {
        let (spec, registered) = self.toolbox.get(name)?;
        arguments::check(arguments, spec, &registered.validator, &self.prompts)
    }
}

/// One run of an agent: the loop, as a state machine without I/O.
///
/// Drivers of your own ask [`next`](Self::next) what to do, do it, and [`feed`](Self::feed) what
/// happened. [`Agent::drive`](crate::Agent::drive) is one, with time limits and cancellation.
///
/// ```
/// use std::sync::Arc;
///
/// use qianshou_agent::{Agent, Decision, Input, Step, ToolOutcome};
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
///         Step::Approval(calls) => {
///             for call in calls {
///                 run.feed(Input::Decision { call: call.id, decision: Decision::Allow });
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
    /// Whether calls need approval: by this agent, or by the one that began the run.
    approval: bool,
    /// What happened before is fed again. Then the record says what was left out of prompts.
    retracing: bool,
}

impl AgentRun {
    pub(crate) fn new(setup: Arc<Setup>, conversation: Vec<Message>) -> Self {
        Self::resume(setup, RunState::new(conversation))
    }

    pub(crate) fn resume(setup: Arc<Setup>, state: RunState) -> Self {
        let approval = setup.approval;
        let mut run = Self { setup, state, reply: None, approval, retracing: false };
        run.go_on();
        run
    }

    /// A run into which what happened in an earlier one is fed, until it [goes on](Self::go_on) from there.
    pub(crate) fn retrace(setup: Arc<Setup>, header: &RunHeader) -> Self {
        let state = RunState::new(header.conversation.clone());
        let approval = setup.approval || header.approval;
        Self { setup, state, reply: None, approval, retracing: true }
    }

    /// The record of a run ends here because its next prompt did not fit. Whether it does is not judged again:
    /// the model that counted may not be there.
    pub(crate) fn retrace_context_full(&mut self) -> Vec<Event> {
        if self.state.finished.is_some() || !self.state.waits_for_model() {
            return Vec::new();
        }
        let stop_reason = StopReason::ContextFull;
        self.state.finished = Some(stop_reason);
        vec![Event::Finished { answer: Box::new(self.answer(stop_reason)) }]
    }

    /// Checks the limits before anything is asked for.
    pub(crate) fn go_on(&mut self) {
        self.retracing = false;
        if self.state.waits_for_model() {
            self.check_limits();
        }
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
        let awaiting: Vec<_> = self.state.awaiting_decision().filter_map(CallRecord::to_call).collect();
        if !awaiting.is_empty() {
            return Step::Approval(awaiting);
        }
        let calls: Vec<_> = self.state.open_calls().filter_map(CallRecord::to_call).collect();
        if calls.is_empty() { Step::Model(Box::new(self.request())) } else { Step::Tools(calls) }
    }

    /// Takes what happened and returns what follows from it. An input that the run does not wait for
    /// changes nothing.
    pub fn feed(&mut self, input: Input) -> Vec<Event> {
        let mut events = Vec::new();
        if self.state.finished.is_some() {
            return events;
        }
        let waits_for_model = self.state.waits_for_model();
        match input {
            Input::Model(ChatEvent::End(end)) if waits_for_model => self.end_reply(end, &mut events),
            Input::Model(event) if waits_for_model => self.reply(&mut events).push(event, &mut events),
            Input::ReplyLost { reason } if waits_for_model => self.lose_reply(reason),
            Input::ContextExceeded if waits_for_model => self.exceed_context(&mut events),
            Input::Model(_) | Input::ReplyLost { .. } | Input::ContextExceeded => {}
            Input::Decision { call, decision } => self.decide(&call, decision, &mut events),
            Input::Tool { call, outcome } => self.observe(&call, outcome, &mut events),
            Input::Interrupt(interruption) => self.interrupt(interruption, &mut events),
        }
        if let Some(stop_reason) = self.state.finished {
            events.push(Event::Finished { answer: Box::new(self.answer(stop_reason)) });
        }
        events
    }

    /// Whether a reply that breaks off now may be asked for again.
    pub fn may_lose_reply(&self) -> bool {
        self.state.lost_replies < self.setup.limits.lost_replies
    }

    /// Whether a reply has begun.
    pub(crate) fn is_replying(&self) -> bool {
        self.reply.is_some()
    }

    /// Whether something came of the run already, be it only a reply that was lost.
    pub(crate) fn has_begun(&self) -> bool {
        self.is_replying() || !self.state.steps.is_empty() || self.state.lost_replies > 0
    }

    /// Leaves out the oldest turn or step; false if there is none that may be.
    pub(crate) fn leave_out_oldest(&mut self) -> bool {
        self.state.leave_out_oldest()
    }

    fn turn(&self) -> Turn<'_> {
        self.state.turn(self.setup.toolbox.specs(), self.setup.capabilities)
    }

    /// Asks the model for the next step.
    fn request(&self) -> ChatRequest {
        let Limits { tokens, reply_tokens, .. } = self.setup.limits;
        let left = tokens.map(|limit| limit.saturating_sub(spent(&self.state.usage())));
        ChatRequest {
            sampling: self.setup.sampling,
            max_tokens: reply_tokens.into_iter().chain(left).min(),
            ..self.setup.protocol.request(&self.turn())
        }
    }

    /// The reply that is coming; it begins with the first thing heard of it.
    fn reply(&mut self, events: &mut Vec<Event>) -> &mut Reply {
        let reply = self.reply.take().unwrap_or_else(|| {
            events.extend(self.state.warnings.iter().map(|warning| Event::Warning { warning: warning.clone() }));
            events.push(Event::StepStarted { step: self.state.steps.len() + 1 });
            Reply::new(self.setup.protocol.reader(&self.turn()), self.state.calls_before())
        });
        self.reply.insert(reply)
    }

    /// The reply is over: it becomes a step, and its calls are checked.
    fn end_reply(&mut self, End { finish, usage }: End, events: &mut Vec<Event>) {
        let step = self.state.steps.len() + 1;
        self.reply(events).finish(finish.clone(), usage, events);
        events.push(Event::StepUsage { step, usage, finish });
        self.take_step();
        self.judge(events);
    }

    fn take_step(&mut self) {
        if let Some(reply) = self.reply.take() {
            self.state.steps.push(reply.into_step(std::mem::take(&mut self.state.warnings)));
        }
    }

    fn lose_reply(&mut self, reason: String) {
        self.reply = None;
        self.state.warnings.push(Warning::ReplyLost { reason });
        self.state.lost_replies += 1;
    }

    /// What the last reply means for the run.
    fn judge(&mut self, events: &mut Vec<Event>) {
        let Some(TakenStep { record, .. }) = self.state.steps.last() else {
            return;
        };
        let cut_off = match record.finish {
            FinishReason::Length if self.tokens_are_spent() => Some(StopReason::Tokens),
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
            if !record.warnings.contains(&Warning::StoppedInThinking) {
                self.tell_no_action(events);
            }
            return self.end_step(events);
        }
        for index in 0..record.calls.len() {
            self.check_call(index, events);
        }
        if self.state.repeats() >= self.setup.limits.repeated_actions {
            return self.finish(StopReason::RepeatedAction, events);
        }
        if self.approval {
            for call in self.state.calls_mut().filter(|call| call.is_open()) {
                call.needs_approval = true;
                if let Some(ToolCall { id, name, arguments }) = call.to_call() {
                    events.push(Event::ApprovalNeeded { call: id, name, arguments });
                }
            }
        }
        self.start_calls(events);
        self.end_step(events);
    }

    fn tell_no_action(&mut self, events: &mut Vec<Event>) {
        let observation = Observation::plain(ObservationKind::NoAction, self.setup.protocol.no_action().to_owned());
        events.push(Event::Observation { call: None, observation: observation.clone() });
        if let Some(step) = self.state.steps.last_mut() {
            step.record.no_action = Some(observation);
        }
    }

    /// Finds the tool of a call and reads its arguments; what is wrong with them becomes its observation.
    fn check_call(&mut self, index: usize, events: &mut Vec<Event>) {
        let Setup { toolbox, prompts, .. } = &*self.setup;
        let Some(call) = self.state.steps.last_mut().and_then(|step| step.record.calls.get_mut(index)) else {
            return;
        };
        let fault = match toolbox.resolve(&call.name) {
            None => {
                let near = nearest(&call.name, toolbox.names());
                let suggestion = near.map(|name| prompts.fill(Prompt::Suggestion, &[("nearest", name)]));
                let names = toolbox.names().collect::<Vec<_>>().join(", ");
                let suggestion = suggestion.unwrap_or_default();
                let values = [("name", call.name.as_str()), ("suggestion", &suggestion), ("names", &names)];
                Observation::plain(ObservationKind::UnknownTool, prompts.fill(Prompt::UnknownTool, &values))
            }
            Some((spec, registered)) => {
                call.name.clone_from(&spec.name);
                match arguments::read(&call.input, spec, &registered.validator, prompts) {
                    Ok((arguments, stage)) => {
                        call.arguments = Some(arguments);
                        call.stage = Some(stage);
                        return;
                    }
                    Err(text) => Observation::plain(ObservationKind::WrongArguments, text),
                }
            }
        };
        let id = call.id.clone();
        self.close(&id, fault, events);
    }

    /// When all decisions are there: the calls that are still open run.
    fn start_calls(&self, events: &mut Vec<Event>) {
        if self.state.awaiting_decision().next().is_some() {
            return;
        }
        for call in self.state.open_calls() {
            if let (Some(ToolCall { id, name, arguments }), Some(stage)) = (call.to_call(), call.stage) {
                events.push(Event::ToolStarted { call: id, name, arguments, stage });
            }
        }
    }

    fn decide(&mut self, id: &str, decision: Decision, events: &mut Vec<Event>) {
        let setup = Arc::clone(&self.setup);
        let Some(call) = self.state.calls_mut().find(|call| call.id == id && call.awaits_decision()) else {
            return;
        };
        call.decision = Some(decision.clone());
        let mut denied = None;
        match &decision {
            Decision::Allow => {}
            Decision::Deny { reason } => denied = Some(reason.clone()),
            Decision::Edit { arguments } => match setup.faults(&call.name, arguments) {
                None => call.arguments = Some(arguments.clone()),
                Some(fault) => denied = Some(fault),
            },
        }
        let name = call.name.clone();
        let edited = matches!(decision, Decision::Edit { .. });
        events.push(Event::Decided { call: id.to_owned(), decision });
        if let Some(reason) = denied {
            if edited {
                self.warn(Warning::EditDoesNotFit { call: id.to_owned(), fault: reason.clone() }, events);
            }
            let text = setup.prompts.fill(Prompt::Denied, &[("name", &name), ("reason", &reason)]);
            self.close(id, Observation::plain(ObservationKind::Denied, text), events);
        }
        self.start_calls(events);
        self.end_step(events);
    }

    fn observe(&mut self, id: &str, outcome: ToolOutcome, events: &mut Vec<Event>) {
        let Some(call) = self.state.open_calls().find(|call| call.id == id && !call.awaits_decision()) else {
            return;
        };
        let prompts = &self.setup.prompts;
        let limit = self.setup.limits.observation_characters;
        let mut observation = observation::of(outcome, &call.name, prompts);
        let characters = observation::cut(&mut observation.text, limit, prompts);
        if let Some(Decision::Edit { arguments }) = &call.decision {
            let values = [("arguments", python_json(arguments)), ("result", observation.text)];
            observation.text =
                prompts.fill(Prompt::Edited, &values.each_ref().map(|(name, value)| (*name, value.as_str())));
        }
        if characters > 0 {
            self.warn(Warning::ObservationCut { characters }, events);
        }
        self.close(id, observation, events);
        self.end_step(events);
    }

    /// Tells something odd about the last step.
    fn warn(&mut self, warning: Warning, events: &mut Vec<Event>) {
        events.push(Event::Warning { warning: warning.clone() });
        if let Some(step) = self.state.steps.last_mut() {
            step.record.warnings.push(warning);
        }
    }

    /// Gives a call its observation.
    fn close(&mut self, id: &str, observation: Observation, events: &mut Vec<Event>) {
        for call in self.state.calls_mut().filter(|call| call.id == id) {
            call.observation = Some(observation.clone());
        }
        events.push(Event::Observation { call: Some(id.to_owned()), observation });
    }

    /// When the last step has no open call: the model's turn comes if the limits allow.
    fn end_step(&mut self, events: &mut Vec<Event>) {
        if !self.state.waits_for_model() {
            return;
        }
        let observations = self.state.steps.last().into_iter().flat_map(|step| step.record.observations());
        let faults = observations.filter(|observation| observation.kind.is_repair()).count();
        if self.state.repairs + faults > self.setup.limits.repairs {
            return self.finish(StopReason::Repairs, events);
        }
        self.state.repairs += faults;
        self.check_limits();
    }

    /// Ends the run when a limit is reached, and makes room for the next prompt when it is not.
    fn check_limits(&mut self) {
        let Limits { steps, cost, .. } = self.setup.limits;
        if self.state.finished.is_some() {
        } else if self.state.steps.len() >= steps {
            self.state.finished = Some(StopReason::Steps);
        } else if self.tokens_are_spent() {
            self.state.finished = Some(StopReason::Tokens);
        } else if cost.is_some_and(|limit| limit.prices.of(&self.state.usage()) >= limit.most) {
            self.state.finished = Some(StopReason::Cost);
        } else if !self.make_room() {
            self.state.finished = Some(StopReason::ContextFull);
        }
    }

    /// Leaves out the oldest turns, then the oldest steps, until the next prompt fits. The question and
    /// the last step stay; false if even they are too long.
    fn make_room(&mut self) -> bool {
        if self.retracing {
            return true;
        }
        let mut moved = false;
        loop {
            // Once something is left out, what the last prompt took says nothing any more.
            let last = self.state.steps.last().filter(|_| !moved);
            match self.setup.budget.fit(&self.request(), last) {
                Fit::Fits => return true,
                fit if !self.state.leave_out_oldest() => return fit == Fit::Doubtful,
                _ => moved = true,
            }
        }
    }

    /// The model refused the prompt, whatever the count was.
    fn exceed_context(&mut self, events: &mut Vec<Event>) {
        self.reply = None;
        if !self.state.leave_out_oldest() {
            self.finish(StopReason::ContextFull, events);
        }
    }

    fn interrupt(&mut self, interruption: Interruption, events: &mut Vec<Event>) {
        self.take_step();
        let stop_reason = match interruption {
            Interruption::Cancelled => StopReason::Cancelled,
            Interruption::WallClock => StopReason::WallClock,
        };
        self.finish(stop_reason, events);
    }

    /// Ends the run. Open calls are closed, so that the conversation stays whole.
    fn finish(&mut self, stop_reason: StopReason, events: &mut Vec<Event>) {
        let open: Vec<_> = self.state.open_calls().map(|call| call.id.clone()).collect();
        for id in &open {
            let text = self.setup.prompts.text(Prompt::Cancelled).to_owned();
            self.close(id, Observation::plain(ObservationKind::Cancelled, text), events);
        }
        self.state.finished = Some(stop_reason);
    }

    fn tokens_are_spent(&self) -> bool {
        self.setup.limits.tokens.is_some_and(|limit| spent(&self.state.usage()) >= limit)
    }

    fn answer(&self, stop_reason: StopReason) -> Answer {
        let RunState { conversation, steps, .. } = &self.state;
        Answer {
            text: self.state.answer().to_owned(),
            stop_reason,
            steps: steps.iter().map(|step| step.record.clone()).collect(),
            usage: self.state.usage(),
            repairs: self.state.repairs,
            messages: conversation.iter().cloned().chain(self.setup.protocol.history(steps)).collect(),
        }
    }
}

fn spent(usage: &Usage) -> usize {
    usage.computed + usage.generated
}
