//! How a model or an agent has a go at a sample, and what of that is recorded.

use std::sync::Arc;

use futures_util::StreamExt as _;
use qianshou_agent::{
    Agent, AgentBuilder, Conversation, Event, Input, Limits, Native, Observation, ReAct, ReActConstraint, RunError,
    StepRecord, TranscriptWriter,
};
use qianshou_chat::{
    ChatErrorKind, ChatEvent, ChatModel, ChatRequest, Delta, End, Exchange, FinishReason, RecordBuffer, Sampling, Usage,
};
use qianshou_prompts::{Prompt, Prompts};
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
    /// Whether a model that can be held to the grammar of ReAct is held to it. Logs that do not state it are of
    /// runs that did so. Nothing holds native calls, and replies to whole prompts.
    pub constrained: bool,
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
            constrained: true,
            prompts: Prompts::embedded(),
        }
    }
}

/// What the grammar of ReAct has a model write.
const KEYWORDS: [&str; 4] = ["Thought:", "Action:", "Action Input:", "Final Answer:"];

impl SolverSettings {
    /// What is in force where these prompts ask the questions: a grammar would force its own keywords on a model
    /// that is told to write others.
    pub(crate) fn in_force(self, questions: &[Prompt]) -> Self {
        let teaches = |question: &Prompt| {
            let text = self.prompts.text(*question);
            KEYWORDS.iter().all(|keyword| text.contains(keyword))
        };
        let constrained = self.constrained && questions.iter().all(teaches);
        Self { constrained, ..self }
    }

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
        let constraint = if self.constrained { ReActConstraint::default() } else { ReActConstraint::Nothing };
        ReAct::new(self.prompts.clone()).constrained(constraint)
    }

    /// The protocol of native calls.
    pub(crate) fn native(&self) -> Native {
        Native::new(self.prompts.clone())
    }
}

/// Asks a model once.
///
/// # Errors
/// When the model cannot be reached or refuses what it is asked. That the prompt is too long is a solution.
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
        // A request that is refused for anything else tells of a wrong name or address, not of the model.
        if error.kind() != ChatErrorKind::ContextExceeded {
            return Err(Fault::from(&error));
        }
        exchange.error = Some((&error).into());
    }
    Ok(Solution::Reply(exchange))
}

/// Has an agent answer, and gives the transcript. The run is over early when `is_over` says so of an observation;
/// calls of the same reply that have none yet are closed as cancelled.
///
/// # Errors
/// When the model cannot be reached or refuses what it is asked.
pub(crate) async fn run(
    agent: &Agent,
    question: impl Into<Conversation>,
    mut is_over: impl FnMut(&Observation) -> bool + Send,
) -> Result<Solution, Fault> {
    let records = RecordBuffer::default();
    let mut events = agent.stream(question).recorded(TranscriptWriter::in_memory(records.clone()));
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Observation { observation, .. }) if is_over(&observation) => events.cancellation().cancel(),
            Ok(_) => {}
            Err(RunError::Model { source, .. }) => return Err(Fault::from(&source)),
            Err(error) => return Err(Fault::of(&error, false)),
        }
    }
    drop(events);
    let solution = Solution::of_records(&records).map_err(|error| Fault::of(&error, false))?;
    solution.ok_or_else(|| Fault::passing("the transcript of the run is empty"))
}

/// What an agent reads in a reply: the first step of a run with it. Nobody asks the model.
pub(crate) fn read(agent: &Agent, reply: &str) -> StepRecord {
    let Ok(mut run) = agent.start("?") else {
        return StepRecord::begun();
    };
    run.feed(Input::Model(ChatEvent::Delta(Delta { text: reply.to_owned(), ids: Vec::new() })));
    run.feed(Input::Model(ChatEvent::End(End { finish: FinishReason::EndOfTurn, usage: Usage::default() })));
    run.state().steps().first().map_or_else(StepRecord::begun, |step| step.record.clone())
}
