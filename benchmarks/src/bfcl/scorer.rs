//! Scoring calls by the leaderboard's rules.

use async_trait::async_trait;
use qianshou_agent::CallRecord;
use serde_json::{Value, json};

use super::BfclSample;
use super::check::{Call, ErrorType, check};
use crate::{Fault, Measure, Scorer, Solution, Verdict};

/// The package's word for an output of which it cannot read the calls.
const UNREADABLE: ErrorType = "ast_decoder:decoder_failed";

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
        let calls: Vec<&CallRecord> = steps.iter().flat_map(|step| &step.calls).collect();
        let checked = match calls.iter().map(|call| read(call)).collect::<Option<Vec<Call>>>() {
            Some(calls) => check(&sample.functions, &calls, &sample.answers, &sample.category, underscored),
            // The package takes an output that it cannot read for no call where it only asks whether there is one.
            None if sample.category.contains("relevance") => {
                check(&sample.functions, &[], &sample.answers, &sample.category, underscored)
            }
            None => Err(UNREADABLE),
        };
        let mut verdict = Verdict::default();
        verdict.score("ast.correct", f64::from(u8::from(checked.is_ok())));
        if let Err(error) = checked {
            verdict.label("error", error);
            let calls: Vec<_> = calls.into_iter().map(shown).collect();
            verdict.because(format!("{error}: {}", calls.join(" and ")));
        }
        Ok(verdict)
    }
}

/// A call with its arguments, if they can be read.
fn read(call: &CallRecord) -> Option<Call> {
    match call.arguments.clone().or_else(|| serde_json::from_str(&call.input).ok()) {
        Some(Value::Object(arguments)) => Some((call.name.clone(), arguments)),
        _ => None,
    }
}

/// A call for people: with what is written where its arguments cannot be read.
fn shown(call: &CallRecord) -> String {
    let arguments = read(call).map(|(_, arguments)| Value::Object(arguments).to_string());
    format!("{}({})", call.name, arguments.unwrap_or_else(|| call.input.trim().to_owned()))
}
