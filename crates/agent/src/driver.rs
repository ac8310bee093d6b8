//! Driving a run: the thin layer that waits for models, tools and clocks.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use futures_core::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt as _};
use qianshou_chat::{ChatError, ChatErrorKind, Message, RecordingError};
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::{Span, info_span};

use crate::transcript::Log;
use crate::work::{Done, Work};
use crate::{
    Agent, AgentRun, Answer, CallOutcome, DecidedCall, Decision, Event, Input, Interruption, Record, RunError,
    RunState, Step, TranscriptWriter,
};

/// The events of a run, as they happen. The last one is [`Event::Finished`], [`Event::Suspended`] or an
/// error.
///
/// Dropping it cancels the run: the model stops, tools are told and dropped. What the run is by then can
/// be had before, with [`state`](Self::state).
pub struct EventStream {
    agent: Agent,
    run: AgentRun,
    token: CancellationToken,
    _cancel_when_dropped: DropGuard,
    /// Fires when the run has to end. It begins with the first poll, inside a runtime.
    interruption: Option<BoxFuture<'static, Interruption>>,
    deadline: Option<Instant>,
    work: Work,
    events: VecDeque<Event>,
    /// Nobody could decide about a call.
    suspended: bool,
    /// Where the run is written down.
    log: Option<Log>,
    /// What is told instead of events.
    error: Option<RunError>,
    over: bool,
    span: Span,
}

impl fmt::Debug for EventStream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("EventStream").field("run", &self.run).field("over", &self.over).finish_non_exhaustive()
    }
}

impl EventStream {
    pub(crate) fn new(agent: Agent, run: AgentRun, cancellation: &CancellationToken) -> Self {
        let token = cancellation.child_token();
        Self {
            agent,
            run,
            _cancel_when_dropped: token.clone().drop_guard(),
            token,
            interruption: None,
            deadline: None,
            work: Work::None,
            events: VecDeque::new(),
            suspended: false,
            log: None,
            error: None,
            over: false,
            span: info_span!("invoke_agent", gen_ai.operation.name = "invoke_agent"),
        }
    }

    /// Tells nothing but an error.
    pub(crate) fn failed(agent: Agent, error: RunError) -> Self {
        let run = AgentRun::new(agent.inner.setup.clone(), Vec::new());
        Self { error: Some(error), ..Self::new(agent, run, &CancellationToken::new()) }
    }

    /// Waits for the end of the run.
    ///
    /// # Errors
    /// Those that the stream yields, and [`RunError::Suspended`].
    pub async fn answer(mut self) -> Result<Answer, RunError> {
        while let Some(event) = self.next().await {
            if let Event::Finished { answer } = event? {
                return Ok(*answer);
            }
        }
        Err(RunError::Suspended { state: Box::new(self.run.state().clone()) })
    }

    /// The run as it is now, to be saved. A reply that is still coming is not part of it.
    pub fn state(&self) -> &RunState {
        self.run.state()
    }

    /// Decides about a call that waits for it, in the place of the agent's [`Approval`](crate::Approval):
    /// how a run that was suspended goes on. Further events are to be polled then. A decision about a call
    /// that does not wait for it changes nothing.
    pub fn decide(&mut self, call: impl Into<String>, decision: Decision) {
        let call = call.into();
        if !self.state().awaiting_decision().any(|waiting| waiting.id == call) {
            return;
        }
        // Whoever was asked about it might never answer.
        if self.work.is_deciding(&call) {
            self.work = Work::None;
        }
        self.suspended = false;
        self.take(Done::Decision(call, Some(decision)));
    }

    /// Cancels the run when it is told to; the last events are still to be polled then.
    pub fn cancellation(&self) -> &CancellationToken {
        &self.token
    }

    /// Writes the run down as it goes on. When that fails, the run ends with an error: nothing happens
    /// unrecorded. A run that has begun already, as one that was [resumed](Agent::resume) has, ends with
    /// [`RunError::BegunUnrecorded`].
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use futures_util::StreamExt as _;
    /// use qianshou_agent::{Agent, Event, TranscriptWriter};
    /// use qianshou_chat::{ChatModel, ScriptedModel};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("run.jsonl");
    /// let model: Arc<dyn ChatModel> = Arc::new(ScriptedModel::new(["Final Answer: Paris.", "Final Answer: Paris."]));
    /// let agent = Agent::builder(model).build()?;
    /// let mut events = agent.stream("Capital of France?").recorded(TranscriptWriter::create(&path)?);
    /// // The process is killed in the middle of the reply …
    /// while !matches!(events.next().await, Some(Ok(Event::AnswerDelta { .. }))) {}
    /// drop(events);
    ///
    /// // … and another one goes on.
    /// let answer = agent.resume_transcript(&path)?.answer().await?;
    /// assert_eq!(answer.text(), "Paris.");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn recorded(self, transcript: TranscriptWriter) -> Self {
        let stream = if self.run.has_begun() {
            let state = Box::new(self.run.state().clone());
            Self::failed(self.agent, RunError::BegunUnrecorded { state })
        } else {
            self
        };
        stream.with_log(Log::new(transcript))
    }

    pub(crate) fn with_log(self, log: Log) -> Self {
        Self { log: Some(log), ..self }
    }

    /// Where the run is recorded, for what follows it.
    pub(crate) fn take_log(&mut self) -> Option<Log> {
        self.log.take()
    }

    /// Whether nobody could decide about a call, so that the run waits.
    pub(crate) fn is_suspended(&self) -> bool {
        self.suspended
    }

    /// Ends the run, unless it is over or suspended, and gives the conversation that it made if the model
    /// said anything.
    pub(crate) fn end(&mut self) -> Option<Vec<Message>> {
        if self.suspended || self.state().conversation().is_empty() {
            return None;
        }
        if self.state().stop_reason().is_none() {
            self.interrupt(Interruption::Cancelled);
        }
        match self.run.next() {
            Step::Finished(answer) => Some(answer.messages).filter(|all| all.len() > self.state().conversation().len()),
            _ => None,
        }
    }

    /// Writes something down, if the run is recorded.
    fn log(&mut self, write: impl FnOnce(&mut Log, &RunState) -> Result<(), RecordingError>) {
        let Some(log) = &mut self.log else {
            return;
        };
        let state = self.run.state();
        let header = || self.agent.header(state);
        if let Err(source) = log.begin(header).and_then(|()| write(log, state)) {
            self.error = Some(RunError::Transcript { source });
            self.work = Work::None;
        }
    }

    fn feed(&mut self, input: Input) {
        self.events.extend(self.run.feed(input));
        self.log(Log::catch_up);
    }

    fn interrupt(&mut self, interruption: Interruption) {
        self.work = Work::None;
        self.log(|log, _| log.interrupt(interruption));
        self.feed(Input::Interrupt(interruption));
    }

    /// Begins what the run asks for.
    fn begin(&mut self) {
        self.log(Log::catch_up);
        match self.run.next() {
            Step::Model(request) => {
                let model = &self.agent.inner.model;
                if let Some(log) = &mut self.log {
                    log.ask(model.info(), (*request).clone());
                }
                self.work = Work::ask(&self.agent.inner, *request);
            }
            Step::Approval(calls) => {
                if let Some(call) = calls.into_iter().next() {
                    self.work = Work::decide(&self.agent.inner, call);
                }
            }
            Step::Tools(calls) => self.work = Work::call(&self.agent.inner, calls, &self.token, self.deadline),
            Step::Finished(answer) => self.events.push_back(Event::Finished { answer }),
        }
    }

    /// Takes what came of the work.
    fn take(&mut self, done: Done) {
        match done {
            Done::Nothing => self.begin(),
            Done::Replying => {}
            Done::Event(event) => {
                self.log(|log, _| log.hear(&event));
                self.feed(Input::Model(event));
            }
            Done::Failed(error) => {
                self.log(|log, _| log.end_exchange(Some(&error)));
                self.fail(error);
            }
            Done::Decision(id, Some(decision)) => {
                let decided = DecidedCall { id: id.clone(), decision: decision.clone() };
                self.log(|log, _| log.write(Record::Decision(decided)));
                self.feed(Input::Decision { call: id, decision });
            }
            Done::Decision(_, None) => {
                self.suspended = true;
                let calls = self.run.state().awaiting_decision().filter_map(|call| call.to_call()).collect();
                self.events.push_back(Event::Suspended { calls });
            }
            Done::Outcome(id, outcome) => {
                let ended = CallOutcome { id: id.clone(), outcome: outcome.clone() };
                self.log(|log, _| log.write(Record::Call(ended)));
                self.feed(Input::Tool { call: id, outcome });
            }
        }
    }

    /// The model failed.
    fn fail(&mut self, error: ChatError) {
        // Before the reply began, the model has tried again already, if that was of use.
        let broke_off = error.kind() == ChatErrorKind::Unavailable && self.run.is_replying();
        if error.kind() == ChatErrorKind::ContextExceeded {
            self.feed(Input::ContextExceeded);
        } else if broke_off && self.run.may_lose_reply() {
            self.feed(Input::ReplyLost { reason: error.to_string() });
        } else {
            let step = self.run.state().steps().len() + 1;
            self.error.get_or_insert(RunError::Model { step, source: error });
        }
    }

    fn poll_interruption(&mut self, context: &mut Context<'_>) -> Poll<Interruption> {
        let interruption = self.interruption.get_or_insert_with(|| {
            let limit = self.agent.inner.setup.limits.wall_clock;
            self.deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
            interruption(self.token.clone(), self.deadline).boxed()
        });
        interruption.poll_unpin(context)
    }
}

async fn interruption(token: CancellationToken, deadline: Option<Instant>) -> Interruption {
    let out_of_time = async {
        match deadline {
            Some(deadline) => tokio::time::sleep_until(deadline).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        () = token.cancelled() => Interruption::Cancelled,
        () = out_of_time => Interruption::WallClock,
    }
}

impl Stream for EventStream {
    type Item = Result<Event, RunError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let stream = self.get_mut();
        let span = stream.span.clone();
        let _entered = span.enter();
        loop {
            if let Some(error) = stream.error.take() {
                stream.over = true;
                return Poll::Ready(Some(Err(error)));
            }
            if let Some(event) = stream.events.pop_front() {
                stream.over |= matches!(event, Event::Finished { .. });
                return Poll::Ready(Some(Ok(event)));
            }
            if stream.over || stream.suspended {
                return Poll::Ready(None);
            }
            // A run that is over already needs no interruption.
            if stream.run.state().stop_reason().is_none()
                && let Poll::Ready(interruption) = stream.poll_interruption(context)
            {
                stream.interrupt(interruption);
                continue;
            }
            let done = ready!(stream.work.poll(context));
            stream.take(done);
        }
    }
}
