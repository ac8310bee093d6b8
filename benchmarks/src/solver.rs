//! How a model or an agent has a go at a sample, and what of that is recorded.

use std::sync::Arc;

use futures_util::StreamExt as _;
use qianshou_agent::{
    Agent, AgentBuilder, Conversation, Event, Limits, Native, Observation, ReAct, RunError, TranscriptWriter,
};
use qianshou_chat::{ChatErrorKind, ChatModel, ChatRequest, Exchange, RecordBuffer, Sampling};
use qianshou_prompts::Prompts;
use serde::Serialize;

use crate::{Attempt, Fault, Solution};

/// How a model is asked to call tools.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CallFormat {
    /// Thought, action and observation, in one text.
    #[default]
    React,
    /// The model's native tool calls.
    Native,
}

/// What all solvers are set to.
#[derive(Clone, Debug, Serialize)]
pub struct SolverSettings {
    /// How tools are called.
    pub format: CallFormat,
    /// How tokens are chosen. A seed is raised by one from epoch to epoch.
    pub sampling: Sampling,
    /// The most tokens of a reply.
    pub reply_tokens: Option<usize>,
    /// The texts; the header of a log has their hash.
    #[serde(skip)]
    pub prompts: Prompts,
}

impl Default for SolverSettings {
    fn default() -> Self {
        Self {
            format: CallFormat::React,
            sampling: Sampling::greedy(),
            reply_tokens: None,
            prompts: Prompts::embedded(),
        }
    }
}

impl SolverSettings {
    /// The sampling of an epoch.
    pub(crate) fn sampling(&self, epoch: u32) -> Sampling {
        let seed = self.sampling.seed.map(|seed| seed.wrapping_add(u64::from(epoch) - 1));
        Sampling { seed, ..self.sampling }
    }

    /// An agent that is set so, without tools.
    pub(crate) fn agent(&self, attempt: &Attempt, limits: Limits) -> AgentBuilder {
        let builder = Agent::builder(Arc::clone(&attempt.model))
            .prompts(self.prompts.clone())
            .sampling(self.sampling(attempt.epoch))
            .limits(limits);
        let builder = match self.reply_tokens {
            Some(tokens) => builder.max_reply_tokens(tokens),
            None => builder,
        };
        match self.format {
            CallFormat::React => builder.protocol(self.react()),
            CallFormat::Native => builder.protocol(self.native()),
        }
    }

    /// The protocol of text.
    pub(crate) fn react(&self) -> ReAct {
        ReAct::new(self.prompts.clone())
    }

    /// The protocol of native calls.
    pub(crate) fn native(&self) -> Native {
        Native::new(self.prompts.clone())
    }
}

/// Asks a model once.
///
/// # Errors
/// When the model cannot be reached or refuses everything. That it refuses this request is a solution.
pub(crate) async fn ask(model: &dyn ChatModel, request: ChatRequest) -> Result<Solution, Fault> {
    let mut exchange = Exchange { model: model.info(), request: request.clone(), events: Vec::new(), error: None };
    let failed = match model.stream(request).await {
        Ok(mut stream) => loop {
            match stream.next().await {
                Some(Ok(event)) => exchange.events.push(event),
                Some(Err(error)) => break Some(error),
                None => break None,
            }
        },
        Err(error) => Some(error),
    };
    if let Some(error) = failed {
        if !is_of_the_request(error.kind()) {
            return Err(Fault::from(&error));
        }
        exchange.error = Some((&error).into());
    }
    Ok(Solution::Reply(exchange))
}

/// Has an agent answer, and gives the transcript. The run is over early when `is_over` says so of an observation.
///
/// # Errors
/// When the model cannot be reached or refuses everything.
pub(crate) async fn run(
    agent: &Agent,
    question: impl Into<Conversation>,
    is_over: impl Fn(&Observation) -> bool + Send,
) -> Result<Solution, Fault> {
    let records = RecordBuffer::default();
    let mut events = agent.stream(question).recorded(TranscriptWriter::in_memory(records.clone()));
    while let Some(event) = events.next().await {
        match event {
            // Calls beside it that have ended are heard first.
            Ok(Event::Observation { observation, .. }) if is_over(&observation) => events.cancellation().cancel(),
            Ok(_) => {}
            Err(RunError::Model { source, .. }) if is_of_the_request(source.kind()) => break,
            Err(RunError::Model { source, .. }) => return Err(Fault::from(&source)),
            Err(error) => return Err(Fault::of(&error, false)),
        }
    }
    drop(events);
    let solution = Solution::of_records(&records).map_err(|error| Fault::of(&error, false))?;
    solution.ok_or_else(|| Fault::passing("the transcript of the run is empty"))
}

/// Whether a failure tells of the request, which another attempt would not change.
fn is_of_the_request(kind: ChatErrorKind) -> bool {
    matches!(kind, ChatErrorKind::ContextExceeded | ChatErrorKind::InvalidRequest)
}
