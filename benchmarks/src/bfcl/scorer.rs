//! Scoring calls by the leaderboard's rules.

use async_trait::async_trait;
use qianshou_agent::CallRecord;
use serde_json::{Map, Value, json};

use super::BfclSample;
use super::check::{Call, check};
use crate::{Fault, Measure, Scorer, Solution, Verdict};

/// Scores by the rules of the package's own checker.
#[derive(Clone, Copy, Debug)]
pub struct BfclScorer;

#[async_trait]
impl Scorer<BfclSample> for BfclScorer {
    fn settings(&self) -> Value {
        json!({"rules": "ast_checker of bfcl-eval 2026.3.23"})
    }

    fn measures(&self) -> Vec<Measure> {
        vec![Measure::new("ast.correct", "Correct (AST)")]
    }

    async fn score(&self, sample: &BfclSample, solution: &Solution) -> Result<Verdict, Fault> {
        let underscored = match solution {
            Solution::Run(run) => run.header.protocol == "native",
            Solution::Reply(_) => false,
        };
        let steps = solution.steps();
        let calls: Vec<Call> = steps.iter().flat_map(|step| &step.calls).map(call).collect();
        let checked = check(&sample.functions, &calls, &sample.answers, &sample.category, underscored);
        let mut verdict = Verdict::default();
        verdict.score("ast.correct", f64::from(u8::from(checked.is_ok())));
        if let Err(error) = checked {
            verdict.label("error", error);
            let calls = calls.iter().map(|(name, arguments)| format!("{name}({})", Value::Object(arguments.clone())));
            verdict.because(format!("{error}: {}", calls.collect::<Vec<_>>().join(" and ")));
        }
        Ok(verdict)
    }
}

fn call(call: &CallRecord) -> Call {
    let arguments = match call.arguments.clone().or_else(|| serde_json::from_str(&call.input).ok()) {
        Some(Value::Object(arguments)) => arguments,
        _ => Map::new(),
    };
    (call.name.clone(), arguments)
}
