//! Reading a reply as an agent does.

use std::sync::Arc;

use qianshou_agent::{Agent, BuildError, CallRecord, ObservationKind, StepRecord, StopReason, ToolSpec};
use qianshou_chat::Replay;
use serde_json::json;

use crate::Solution;
use crate::solver::read;
use crate::stub::stubs;

/// The first step of a run whose model gives this reply.
///
/// # Errors
/// When the tools cannot be offered by an agent.
pub(super) fn step(reply: &str, tools: &[ToolSpec]) -> Result<StepRecord, BuildError> {
    let model = Arc::new(Replay::new([]));
    let agent = Agent::builder(model).any_tools(stubs(tools)).max_repairs(0).build()?;
    Ok(read(&agent, reply))
}

/// The calls of a solution: those of its first step, and those that could run or, if there are none, that were
/// tried last.
pub(super) struct Calls {
    pub(super) first: Vec<CallRecord>,
    pub(super) last: Vec<CallRecord>,
}

impl Calls {
    /// # Errors
    /// When the tools cannot be offered by an agent.
    pub(super) fn of(solution: &Solution, tools: &[ToolSpec]) -> Result<Self, BuildError> {
        if let Solution::Reply(_) = solution {
            let calls = step(&solution.first_reply(), tools)?.calls;
            return Ok(Self { first: calls.clone(), last: calls });
        }
        let steps = solution.steps();
        let first = steps.first().map(|step| step.calls.clone()).unwrap_or_default();
        let all = steps.iter().flat_map(|step| &step.calls);
        // The task ends a run at the first result, when other calls of the same reply may not have theirs.
        let ended_by_task = match solution {
            Solution::Run(run) => run.end().is_some_and(|end| end.stop_reason == StopReason::Cancelled),
            Solution::Reply(_) => false,
        };
        let could_run = |call: &&CallRecord| match call.observation.as_ref().map(|seen| seen.kind) {
            Some(ObservationKind::Output) => true,
            Some(ObservationKind::Cancelled) => ended_by_task && call.arguments.is_some(),
            _ => false,
        };
        let mut last: Vec<_> = all.filter(could_run).cloned().collect();
        if last.is_empty() {
            let tried = steps.iter().rev().find(|step| !step.calls.is_empty());
            last = tried.map(|step| step.calls.clone()).unwrap_or_default();
        }
        Ok(Self { first, last })
    }
}

/// The tools that an agent can offer: a schema that cannot be checked is replaced by one that takes
/// everything, and a second tool of the same name is left out.
pub(super) fn offered(specs: Vec<ToolSpec>) -> Vec<ToolSpec> {
    let mut tools: Vec<ToolSpec> = Vec::new();
    for spec in specs {
        if tools.iter().any(|other| other.name == spec.name) {
            continue;
        }
        let mut open = ToolSpec::from_schema(&spec.name, json!({"type": "object"}))
            .named_for_people(&spec.name_for_people)
            .description(&spec.description);
        open.parameters = spec.parameters.clone();
        tools.extend([spec, open].into_iter().find(|spec| step("", std::slice::from_ref(spec)).is_ok()));
    }
    tools
}
