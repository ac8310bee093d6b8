//! What a run waits for: models, tools, and people who decide.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_core::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt as _};
use qianshou_chat::{ChatError, ChatErrorKind, ChatEvent, ChatRequest, ChatStream};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, Span, info_span};

use crate::agent::Inner;
use crate::{Decision, ToolCall, ToolError, ToolOutcome, ToolOutput};

/// What a run waits for. Dropping it stops it.
pub(crate) enum Work {
    None,
    Asking(BoxFuture<'static, Result<ChatStream, ChatError>>, Span),
    Reading(ChatStream, Span),
    /// What somebody is asked about, by the id of the call.
    Deciding(String, BoxFuture<'static, Option<Decision>>),
    Calling(JoinSet<(String, ToolOutcome)>),
}

/// What came of it.
pub(crate) enum Done {
    /// The model begins to reply.
    Replying,
    Event(ChatEvent),
    /// The model failed.
    Failed(ChatError),
    Decision(String, Option<Decision>),
    Outcome(String, ToolOutcome),
    /// There is nothing more to wait for.
    Nothing,
}

impl Work {
    /// Asks the model.
    pub(crate) fn ask(agent: &Inner, request: ChatRequest) -> Self {
        let model = agent.model.clone();
        let span = info_span!(
            "chat",
            gen_ai.operation.name = "chat",
            gen_ai.request.model = model.info().name,
            gen_ai.usage.input_tokens = tracing::field::Empty,
            gen_ai.usage.output_tokens = tracing::field::Empty,
        );
        Self::Asking(async move { model.stream(request).await }.instrument(span.clone()).boxed(), span)
    }

    /// Has somebody decide about a call. Without anybody nobody can.
    pub(crate) fn decide(agent: &Inner, call: ToolCall) -> Self {
        let approval = agent.approval.clone();
        let id = call.id.clone();
        let deciding = async move {
            match approval {
                Some(approval) => approval.decide(&call).await,
                None => None,
            }
        };
        Self::Deciding(id, deciding.boxed())
    }

    /// Whether somebody is asked about this call.
    pub(crate) fn is_deciding(&self, call: &str) -> bool {
        matches!(self, Self::Deciding(id, _) if id == call)
    }

    /// Runs tools, each in a task of its own.
    pub(crate) fn call(
        agent: &Inner,
        calls: Vec<ToolCall>,
        cancellation: &CancellationToken,
        deadline: Option<Instant>,
    ) -> Self {
        let mut tasks = JoinSet::new();
        for call in calls {
            tasks.spawn(run_tool(agent, call, cancellation, deadline));
        }
        Self::Calling(tasks)
    }

    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Done> {
        match self {
            Self::None => Poll::Ready(Done::Nothing),
            Self::Asking(asking, span) => {
                let stream = ready!(asking.poll_unpin(context));
                let span = span.clone();
                Poll::Ready(match stream {
                    Ok(stream) => {
                        *self = Self::Reading(stream, span);
                        Done::Replying
                    }
                    Err(error) => self.over(Done::Failed(error)),
                })
            }
            Self::Reading(stream, span) => {
                let event = span.in_scope(|| stream.poll_next_unpin(context));
                Poll::Ready(match ready!(event) {
                    Some(Ok(ChatEvent::End(end))) => {
                        span.record("gen_ai.usage.input_tokens", end.usage.prompt());
                        span.record("gen_ai.usage.output_tokens", end.usage.generated);
                        self.over(Done::Event(ChatEvent::End(end)))
                    }
                    Some(Ok(event)) => Done::Event(event),
                    Some(Err(error)) => self.over(Done::Failed(error)),
                    None => {
                        let broke_off = "the reply broke off before its end";
                        self.over(Done::Failed(ChatError::new(ChatErrorKind::Unavailable, broke_off)))
                    }
                })
            }
            Self::Deciding(call, deciding) => {
                let decision = ready!(deciding.poll_unpin(context));
                let call = std::mem::take(call);
                Poll::Ready(self.over(Done::Decision(call, decision)))
            }
            Self::Calling(tasks) => Poll::Ready(match ready!(tasks.poll_join_next(context)) {
                Some(Ok((call, outcome))) => Done::Outcome(call, outcome),
                // Tasks catch the panics of their tools, so that only a runtime that ends can end one early.
                Some(Err(_)) | None => self.over(Done::Nothing),
            }),
        }
    }

    fn over(&mut self, done: Done) -> Done {
        *self = Self::None;
        done
    }
}

/// Runs one tool. Whatever happens in it is an outcome.
fn run_tool(
    agent: &Inner,
    ToolCall { id, name, arguments }: ToolCall,
    cancellation: &CancellationToken,
    deadline: Option<Instant>,
) -> impl Future<Output = (String, ToolOutcome)> + Send + 'static {
    let span = info_span!(
        "execute_tool",
        gen_ai.operation.name = "execute_tool",
        gen_ai.tool.name = name,
        gen_ai.tool.call.id = id,
    );
    let registered = agent.setup.toolbox.get(&name).map(|(_, registered)| registered.clone());
    let limit = agent.tool_timeout;
    let own_deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
    let mut context = agent.context.clone();
    context.call.clone_from(&id);
    context.cancellation = cancellation.child_token();
    context.deadline = own_deadline.into_iter().chain(deadline).min().map(Instant::into_std);
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
        (id, outcome)
    };
    running.instrument(span)
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
