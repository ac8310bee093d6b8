//! Having a model call functions.

use async_trait::async_trait;
use qianshou_agent::{Limits, ObservationKind};
use qianshou_prompts::Prompt;
use serde_json::{Value, json};

use super::BfclSample;
use crate::solver::run;
use crate::stub::stubs;
use crate::{Attempt, CallFormat, Fault, Solution, Solver, SolverSettings};

/// Has an agent call functions that answer `ok`. In ReAct, where a step has one call, a question that needs
/// several is gone on with until the model answers; everywhere else its first step with a call is the last.
#[derive(Debug)]
pub struct BfclSolver {
    settings: SolverSettings,
}

impl BfclSolver {
    /// A solver that is set so.
    pub fn new(settings: SolverSettings) -> Self {
        Self { settings: settings.in_force(&[Prompt::ReactQuestion]) }
    }
}

#[async_trait]
impl Solver<BfclSample> for BfclSolver {
    fn settings(&self) -> Value {
        json!(self.settings)
    }

    async fn solve(&self, sample: &BfclSample, attempt: &Attempt) -> Result<Solution, Fault> {
        let native = self.settings.format == CallFormat::Native;
        let tools = stubs(&sample.tools(native));
        let agent = self.settings.agent(attempt, Limits::default()).any_tools(tools).max_repairs(0).build();
        let agent = agent.map_err(|error| Fault::of(&error, true))?;
        let one_step = native || !sample.category.contains("parallel");
        let is_over =
            move |observation: &qianshou_agent::Observation| one_step && observation.kind == ObservationKind::Output;
        run(&agent, sample.conversation.clone(), is_over).await
    }
}
