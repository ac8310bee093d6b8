//! Driving a run: the thin layer that waits for models, tools and clocks.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::time::{Duration, Instant};

use futures_core::Stream;
use futures_core::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use qianshou_chat::{ChatError, ChatErrorKind, ChatEvent, ChatStream};
use tokio::time::sleep_until;
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::{Instrument as _, Span, info_span};

use crate::{
    Agent, AgentRun, Event, Input, Interruption, RunError, Step, ToolCall, ToolError, ToolOutcome, ToolOutput,
};

/// The events of a run. Dropping it cancels the run.
pub type EventStream = Pin<Box<dyn Stream<Item = Result<Event, RunError>> + Send>>;

pub(crate) fn failed(error: RunError) -> EventStream {
    Box::pin(stream::iter([Err(error)]))
}

pub(crate) fn drive(agent: Agent, run: AgentRun, cancellation: CancellationToken) -> EventStream {
    let token = cancellation.child_token();
    let driver = Driver {
        deadline: agent.inner.timeout.and_then(|timeout| Instant::now().checked_add(timeout)),
        span: info_span!("invoke_agent", gen_ai.operation.name = "invoke_agent"),
        _cancel_when_dropped: token.clone().drop_guard(),
        token,
        agent,
        run,
        work: Work::None,
        events: VecDeque::new(),
        over: false,
    };
    Box::pin(stream::unfold(driver, |mut driver| async move {
        let event = driver.next_event().await?;
        Some((event, driver))
    }))
}

/// What a run waits for.
enum Work {
    None,
    Model(ChatStream, Span),
    Tools(FuturesUnordered<BoxFuture<'static, Input>>),
}

struct Driver {
    agent: Agent,
    run: AgentRun,
    token: CancellationToken,
    _cancel_when_dropped: DropGuard,
    deadline: Option<Instant>,
    span: Span,
    work: Work,
    events: VecDeque<Event>,
    over: bool,
}

impl Driver {
    async fn next_event(&mut self) -> Option<Result<Event, RunError>> {
        loop {
            if let Some(event) = self.events.pop_front() {
                self.over |= matches!(event, Event::Finished { .. });
                return Some(Ok(event));
            }
            if self.over {
                return None;
            }
            if let Err(source) = self.advance().await {
                self.over = true;
                self.work = Work::None;
                let step = self.run.state().steps().len() + 1;
                return Some(Err(RunError::Model { step, source }));
            }
        }
    }

    /// Starts what the run asks for, or waits for more of what was started.
    async fn advance(&mut self) -> Result<(), ChatError> {
        let input = match self.or_interrupted().await {
            Ok(done) => done?,
            Err(interruption) => Some(Input::Interrupt(interruption)),
        };
        if let Some(input) = input {
            let ends_work = matches!(input, Input::Model(ChatEvent::End(_)) | Input::Interrupt(_));
            self.events.extend(self.run.feed(input));
            if ends_work {
                self.work = Work::None;
            }
        }
        Ok(())
    }

    /// [`work`](Self::work), unless the run is cancelled or out of time before.
    async fn or_interrupted(&mut self) -> Result<Result<Option<Input>, ChatError>, Interruption> {
        let token = self.token.clone();
        let deadline = self.deadline;
        let span = self.span.clone();
        let out_of_time = async {
            match deadline {
                Some(deadline) => sleep_until(deadline.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = token.cancelled() => Err(Interruption::Cancelled),
            () = out_of_time => Err(Interruption::WallClock),
            done = self.work().instrument(span) => Ok(done),
        }
    }

    async fn work(&mut self) -> Result<Option<Input>, ChatError> {
        match &mut self.work {
            Work::None => self.start().await.map(|()| None),
            Work::Model(events, span) => match events.next().instrument(span.clone()).await {
                Some(event) => {
                    let event = event?;
                    if let ChatEvent::End(end) = &event {
                        span.record("gen_ai.usage.input_tokens", end.usage.prompt());
                        span.record("gen_ai.usage.output_tokens", end.usage.generated);
                    }
                    Ok(Some(Input::Model(event)))
                }
                None => Err(ChatError::new(ChatErrorKind::Failed, "the reply broke off before its end")),
            },
            Work::Tools(calls) => match calls.next().await {
                Some(input) => Ok(Some(input)),
                None => {
                    self.work = Work::None;
                    Ok(None)
                }
            },
        }
    }

    async fn start(&mut self) -> Result<(), ChatError> {
        match self.run.next() {
            Step::Model(request) => {
                let span = info_span!(
                    "chat",
                    gen_ai.operation.name = "chat",
                    gen_ai.request.model = self.agent.inner.model.info().name,
                    gen_ai.usage.input_tokens = tracing::field::Empty,
                    gen_ai.usage.output_tokens = tracing::field::Empty,
                );
                let events = self.agent.inner.model.stream(*request).instrument(span.clone()).await?;
                self.work = Work::Model(events, span);
            }
            Step::Tools(calls) => self.work = Work::Tools(calls.into_iter().map(|call| self.call(call)).collect()),
            Step::Finished(answer) => self.events.push_back(Event::Finished { answer }),
        }
        Ok(())
    }

    /// Runs one tool. Whatever happens in it is an input for the run.
    fn call(&self, ToolCall { id, name, arguments }: ToolCall) -> BoxFuture<'static, Input> {
        let span = info_span!(
            "execute_tool",
            gen_ai.operation.name = "execute_tool",
            gen_ai.tool.name = name,
            gen_ai.tool.call.id = id,
        );
        let registered = self.agent.inner.setup.toolbox.get(&name).map(|(_, registered)| registered.clone());
        let limit = self.agent.inner.tool_timeout;
        let own_deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
        let mut context = self.agent.inner.context.clone();
        context.call.clone_from(&id);
        context.cancellation = self.token.child_token();
        context.deadline = own_deadline.into_iter().chain(self.deadline).min();
        let done = context.cancellation.clone().drop_guard();
        let running = async move {
            let outcome = match registered {
                Some(registered) => {
                    let calling = async move { registered.tool.call(arguments, &context).await };
                    in_time(AssertUnwindSafe(calling).catch_unwind(), limit).await
                }
                // Only a resumed run can ask for a tool that this agent does not have.
                None => Err(ToolError::new("it is not available any more")).into(),
            };
            drop(done);
            Input::Tool { call: id, outcome }
        };
        running.instrument(span).boxed()
    }
}

async fn in_time(
    running: impl Future<Output = std::thread::Result<Result<ToolOutput, ToolError>>>,
    limit: Option<Duration>,
) -> ToolOutcome {
    let finished = match limit {
        Some(after) => match tokio::time::timeout(after, running).await {
            Ok(finished) => finished,
            Err(_) => return ToolOutcome::TimedOut { after },
        },
        None => running.await,
    };
    match finished {
        Ok(result) => result.into(),
        Err(panic) => ToolOutcome::Panicked { message: panic_message(&*panic) },
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic without a message".to_owned())
}
