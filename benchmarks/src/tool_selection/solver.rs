//! Having a model choose a tool.

use async_trait::async_trait;
use qianshou_agent::{Limits, Observation, ObservationKind};
use qianshou_chat::{ChatRequest, Message};
use qianshou_prompts::Prompt;
use serde_json::{Value, json};

use super::{ToolQuestion, ToolSample};
use crate::solver::{ask, run};
use crate::stub::stubs;
use crate::{Attempt, CallFormat, Fault, Solution, Solver, SolverSettings};

/// Gives a whole prompt to the model and takes its whole reply, as the official script does; has an agent
/// answer a bare question until it has made the calls that it wants, or answers.
#[derive(Debug)]
pub struct ToolSelectionSolver {
    settings: SolverSettings,
}

impl ToolSelectionSolver {
    /// A solver that is set so.
    pub fn new(settings: SolverSettings) -> Self {
        Self { settings: settings.in_force(&[Prompt::ReactQuestion]) }
    }
}

#[async_trait]
impl Solver<ToolSample> for ToolSelectionSolver {
    fn settings(&self) -> Value {
        json!(self.settings)
    }

    async fn solve(&self, sample: &ToolSample, attempt: &Attempt) -> Result<Solution, Fault> {
        match &sample.question {
            ToolQuestion::Prompt(prompt) => {
                let system = Message::system(self.settings.prompts.text(Prompt::System));
                let request = ChatRequest {
                    sampling: self.settings.sampling(attempt.epoch),
                    max_tokens: self.settings.reply_tokens,
                    ..ChatRequest::new([system, Message::user(prompt.as_str())])
                };
                ask(&*attempt.model, request).await
            }
            ToolQuestion::Question(question) => {
                let agent = self.settings.agent(attempt, Limits::default()).any_tools(stubs(&sample.tools));
                let agent = agent.build().map_err(|error| Fault::of(&error, true))?;
                // In ReAct a step has one call; a question that needs several takes several steps.
                let one_step = self.settings.format == CallFormat::Native || sample.calls.len() <= 1;
                let is_over = move |seen: &Observation| one_step && seen.kind == ObservationKind::Output;
                run(&agent, question.as_str(), is_over).await
            }
        }
    }
}
