//! Driving a run: the thin layer that waits for models, tools and clocks.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use futures_core::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt as _};
use qianshou_chat::ChatErrorKind;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::{Span, info_span};

use crate::work::{Done, Work};
use crate::{Agent, AgentRun, Answer, Decision, Event, Input, Interruption, RunError, RunState, Step};

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
    /// how a run that was suspended goes on. Further events are to be polled then.
    pub fn decide(&mut self, call: impl Into<String>, decision: Decision) {
        self.suspended = false;
        self.feed(Input::Decision { call: call.into(), decision });
    }

    /// Cancels the run; its last events are still to be polled.
    pub fn cancel(&self) {
        self.token.cancel();
    }

    fn feed(&mut self, input: Input) {
        self.events.extend(self.run.feed(input));
    }

    fn interrupt(&mut self, interruption: Interruption) {
        self.work = Work::None;
        self.feed(Input::Interrupt(interruption));
    }

    /// Begins what the run asks for.
    fn begin(&mut self) {
        match self.run.next() {
            Step::Model(request) => self.work = Work::ask(&self.agent.inner, *request),
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
            Done::Event(event) => self.feed(Input::Model(event)),
            Done::Failed(error) if error.kind() == ChatErrorKind::ContextExceeded => self.feed(Input::ContextExceeded),
            // Before the reply began, the model has tried again already, if that was of use.
            Done::Failed(error)
                if error.kind() == ChatErrorKind::Unavailable
                    && self.run.is_replying()
                    && self.run.may_lose_reply() =>
            {
                self.feed(Input::ReplyLost { reason: error.to_string() });
            }
            Done::Failed(source) => {
                let step = self.run.state().steps().len() + 1;
                self.error = Some(RunError::Model { step, source });
            }
            Done::Decision(call, Some(decision)) => self.feed(Input::Decision { call, decision }),
            Done::Decision(_, None) => {
                self.suspended = true;
                let calls = self.run.state().awaiting_decision().filter_map(|call| call.to_call()).collect();
                self.events.push_back(Event::Suspended { calls });
            }
            Done::Outcome(call, outcome) => self.feed(Input::Tool { call, outcome }),
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
