//! Scoring a choice of tools, both ways.

use std::sync::Arc;

use async_trait::async_trait;
use qianshou_agent::{ArgumentStage, CallRecord};
use serde_json::{Value, json};

use super::reading::Calls;
use super::{Pieces, ToolSample, strict, upstream};
use crate::{Fault, Measure, Scorer, Solution, Verdict};

/// Scores with the official rules and with strict ones.
#[derive(Debug)]
pub struct ToolSelectionScorer {
    pieces: Option<Arc<Pieces>>,
}

impl ToolSelectionScorer {
    /// A scorer. Without the pieces of Qwen's vocabulary there is no score of inputs by the official rules.
    pub fn new(pieces: Option<Arc<Pieces>>) -> Self {
        Self { pieces }
    }
}

#[async_trait]
impl Scorer<ToolSample> for ToolSelectionScorer {
    fn settings(&self) -> Value {
        match &self.pieces {
            Some(pieces) => json!({"vocabulary": pieces.sha256()}),
            None => json!({"vocabulary": "none: the Rouge-L of inputs is not computed; name it with `--vocabulary`"}),
        }
    }

    fn measures(&self) -> Vec<Measure> {
        let input = Measure::new("upstream.input", "Tool input (Rouge-L)");
        [Measure::new("upstream.selection", "Tool selection")]
            .into_iter()
            .chain(self.pieces.is_some().then_some(input))
            .chain([
                Measure::new("upstream.false_positive", "False positives").less_is_better(),
                Measure::new("strict.correct", "Strictly correct"),
                Measure::new("strict.selection", "Strict tool selection"),
                Measure::new("strict.false_positive", "Strict false positives").less_is_better(),
                Measure::new("strict.false_negative", "False negatives").less_is_better(),
                Measure::new("valid.first", "Valid at first parse"),
                Measure::new("valid.repaired", "Valid after repair"),
            ])
            .collect()
    }

    async fn score(&self, sample: &ToolSample, solution: &Solution) -> Result<Verdict, Fault> {
        let calls = Calls::of(solution, &sample.tools).map_err(|error| Fault::of(&error, true))?;
        let reply = upstream_reply(solution, &calls.first);
        let mut verdict = Verdict::default();

        let selected = strict::selects_the_same(&sample.calls, &calls.last);
        let upstream_right = if sample.needs_call {
            let right = upstream::selects_the_same(&reply, &sample.golden);
            verdict.score("upstream.selection", f64::from(u8::from(right)));
            if let Some(pieces) = &self.pieces {
                verdict.score("upstream.input", upstream::input_likeness(&reply, &sample.golden, pieces));
            }
            verdict.score("strict.selection", f64::from(u8::from(selected)));
            verdict.score("strict.false_negative", f64::from(u8::from(calls.last.is_empty())));
            right
        } else {
            let called = upstream::read(&reply).counts_as_call;
            verdict.score("upstream.false_positive", f64::from(u8::from(called)));
            verdict.score("strict.false_positive", f64::from(u8::from(!calls.last.is_empty())));
            !called
        };
        if upstream_right != selected {
            let who = if upstream_right { "only the official script" } else { "only the strict reader" };
            verdict.label("disagreement", format!("{who} takes the choice for right"));
        }

        let faults = strict::faults(&sample.calls, &calls.last, &sample.tools);
        verdict.score("strict.correct", f64::from(u8::from(faults.is_empty())));
        faults.into_iter().for_each(|fault| verdict.because(fault));
        if !calls.first.is_empty() {
            let first =
                calls.first.iter().all(|call| call.arguments.is_some() && call.stage != Some(ArgumentStage::Repaired));
            verdict.score("valid.first", f64::from(u8::from(first)));
            let repaired = calls.last.iter().all(|call| call.arguments.is_some());
            verdict.score("valid.repaired", f64::from(u8::from(repaired)));
        }
        let expected: Vec<_> = sample.calls.iter().map(|call| call.name.as_str()).collect();
        let called: Vec<_> = calls.last.iter().map(|call| call.name.as_str()).collect();
        verdict.label("expected tool", names(expected));
        verdict.label("called tool", names(called));
        Ok(verdict)
    }
}

/// The tools in a word, for the confusion matrix.
fn names(mut names: Vec<&str>) -> String {
    names.sort_unstable();
    if names.is_empty() { "none".to_owned() } else { names.join(" + ") }
}

/// What the official script is given: the reply; for calls that are no text of the reply's, that text with
/// the first call in ReAct's form.
fn upstream_reply(solution: &Solution, calls: &[CallRecord]) -> String {
    let reply = solution.first_reply();
    let is_react = match solution {
        Solution::Reply(_) => true,
        Solution::Run(run) => run.header.protocol == "react",
    };
    match calls.first() {
        Some(call) if !is_react => {
            format!("Thought: \nAction: {}\nAction Input: {}\nObservation: ", call.name, call.input)
        }
        _ => reply,
    }
}
