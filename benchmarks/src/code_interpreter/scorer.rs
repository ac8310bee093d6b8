//! Scoring code and what it did.

use std::sync::Arc;

use async_trait::async_trait;
use qianshou_agent::{Artifact, CallRecord, ObservationKind};
use qianshou_chat::Image;
use serde_json::{Value, json};

use super::notebook::{CellClass, CellFacts};
use super::solver::is_error;
use super::{Answer, Category, CodeSample, Judge, Judgement, numbers};
use crate::{Fault, Measure, Scorer, Solution, Verdict};

/// How long code may take to count as executable by the rules of the official exam, in milliseconds.
const UPSTREAM_MILLISECONDS: u64 = 10_000;

/// Scores executability and correctness.
pub struct CodeInterpreterScorer {
    judge: Option<Arc<dyn Judge>>,
}

impl CodeInterpreterScorer {
    /// A scorer. Without a judge there is no score of plots by the official rules.
    pub fn new(judge: Option<Arc<dyn Judge>>) -> Self {
        Self { judge }
    }
}

impl std::fmt::Debug for CodeInterpreterScorer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let judge = self.judge.as_ref().map(|judge| judge.name());
        formatter.debug_struct("CodeInterpreterScorer").field("judge", &judge).finish()
    }
}

/// A call with what is known about its cell.
struct Ran<'a> {
    call: &'a CallRecord,
    facts: CellFacts,
}

impl Ran<'_> {
    fn artifacts(&self) -> &[Artifact] {
        self.call.observation.as_ref().map(|observation| observation.artifacts.as_slice()).unwrap_or_default()
    }

    fn text(&self) -> &str {
        self.call.observation.as_ref().map_or("", |observation| observation.text.as_str())
    }
}

#[async_trait]
impl Scorer<CodeSample> for CodeInterpreterScorer {
    fn settings(&self) -> Value {
        match &self.judge {
            Some(judge) => json!({"judge": judge.name()}),
            None => json!({"judge": "none: plots are judged by what their figures show; name one with `--judge`"}),
        }
    }

    fn measures(&self) -> Vec<Measure> {
        let judged = Measure::new("upstream.plot", "Plot right for the judge");
        [
            Measure::new("upstream.executable", "Executable"),
            Measure::new("upstream.math", "Math right"),
            Measure::new("upstream.math_both", "Math right in result and reply"),
        ]
        .into_iter()
        .chain(self.judge.is_some().then_some(judged))
        .chain([
            Measure::new("strict.correct", "Strictly correct"),
            Measure::new("strict.plot", "Plot shows what was asked"),
            Measure::new("strict.answer", "Answer right"),
        ])
        .collect()
    }

    async fn score(&self, sample: &CodeSample, solution: &Solution) -> Result<Verdict, Fault> {
        let mut verdict = Verdict::default();
        let steps = solution.steps();
        let calls = steps.iter().flat_map(|step| &step.calls);
        let ran: Vec<Ran<'_>> = calls
            .filter_map(|call| {
                let observation = call.observation.as_ref().filter(|seen| seen.kind == ObservationKind::Output)?;
                Some(Ran { call, facts: CellFacts::among(&observation.artifacts)? })
            })
            .collect();
        executable(sample, &ran, &mut verdict);
        let worst = ran.iter().map(|ran| ran.facts.class).find(|class| *class != CellClass::Ran);
        let class = if ran.len() == usize::from(sample.opening.is_some()) {
            "no code".to_owned()
        } else {
            name(worst.unwrap_or(CellClass::Ran))
        };
        verdict.label("sandbox", class);

        let answer = solution.answer();
        let mut right = Vec::new();
        if let Some(expected) = &sample.answer {
            right.push(check_answer(sample, expected, solution, &answer, &ran, &mut verdict));
        }
        if let Some(figure) = &sample.figure {
            let figures: Vec<_> = ran.iter().flat_map(|ran| ran.facts.figures.clone()).collect();
            let faults = figure.faults(&figures);
            verdict.score("strict.plot", f64::from(u8::from(faults.is_empty())));
            right.push(faults.is_empty());
            faults.into_iter().for_each(|fault| verdict.because(fault));
        }
        if !right.is_empty() {
            verdict.score("strict.correct", f64::from(u8::from(right.iter().all(|right| *right))));
        }
        if sample.category.is_visualization()
            && let Some(judge) = &self.judge
        {
            let judgement = match image(&ran) {
                Some(image) => Some(judge.judge(&sample.query, sample.is_chinese, &image).await?),
                None => None,
            };
            let right = judgement.as_ref().is_some_and(Judgement::is_right);
            verdict.score("upstream.plot", f64::from(u8::from(right)));
            verdict.label("judge", judgement.as_ref().map_or("no plot", Judgement::class));
            if let Some(Judgement { reply }) = judgement {
                verdict.because(format!("the judge says {reply:?}"));
            }
        }
        Ok(verdict)
    }
}

/// Whether the code runs: all of it for mathematics, else what is written first; the code that the question
/// already holds comes before it, and is timed with it, as the official script runs all of it at once. No code is
/// not executable.
fn executable(sample: &CodeSample, ran: &[Ran<'_>], verdict: &mut Verdict) {
    let given = usize::from(sample.opening.is_some());
    let counted = match sample.category {
        Category::Math => ran.len(),
        _ => (given + 1).min(ran.len()),
    };
    let took: u64 = ran[..counted].iter().map(|ran| ran.facts.milliseconds).sum();
    let in_time = sample.category == Category::General || took <= UPSTREAM_MILLISECONDS;
    let runs = ran.len() > given && in_time && ran[..counted].iter().all(|ran| ran.facts.class == CellClass::Ran);
    verdict.score("upstream.executable", f64::from(u8::from(runs)));
    if !runs {
        let failed = ran.iter().find(|ran| ran.facts.class != CellClass::Ran);
        let last_line = |ran: &Ran<'_>| {
            ran.text().trim_end().trim_end_matches('`').trim_end().lines().last().unwrap_or_default().to_owned()
        };
        verdict.because(match failed {
            Some(ran) => format!("the code ended by {}: {}", name(ran.facts.class), last_line(ran)),
            None if ran.len() <= given => "no code was run".to_owned(),
            None => "the code took too long".to_owned(),
        });
    }
}

fn check_answer(
    sample: &CodeSample,
    expected: &Answer,
    solution: &Solution,
    answer: &str,
    ran: &[Ran<'_>],
    verdict: &mut Verdict,
) -> bool {
    let right = match expected {
        Answer::Number { number, tolerance } => {
            numbers::all(answer).iter().any(|found| (found - number).abs() <= *tolerance)
        }
        Answer::Text { text } => text.iter().any(|text| answer.to_lowercase().contains(&text.to_lowercase())),
        Answer::LastNumberOf(gold) => numbers::last(gold).is_some() && numbers::last(gold) == numbers::last(answer),
    };
    if !right {
        verdict.because(format!("the answer {answer:?} does not say what is expected"));
    }
    verdict.score("strict.answer", f64::from(u8::from(right)));
    if sample.category == Category::Math {
        let near = |text: &str, number: f64, tolerance: f64| {
            numbers::all(text).iter().any(|found| (found - number).abs() <= tolerance)
        };
        let (number, tolerance) = match expected {
            Answer::Number { number, tolerance } => (Some(*number), *tolerance),
            Answer::LastNumberOf(gold) => (numbers::last(gold), 0.0),
            Answer::Text { .. } => (None, 0.0),
        };
        if let Some(number) = number {
            let completion: Vec<String> = solution.exchanges().into_iter().map(crate::solution::text).collect();
            let last = numbers::last(&completion.concat()).is_some_and(|last| (last - number).abs() <= tolerance);
            verdict.score("upstream.math", f64::from(u8::from(last)));
            let both = last && ran.iter().any(|ran| near(ran.text(), number, tolerance));
            verdict.score("upstream.math_both", f64::from(u8::from(both)));
        }
    }
    right
}

/// The last figure of a cell that had no error, for the judge.
fn image(ran: &[Ran<'_>]) -> Option<Image> {
    let without_error = ran.iter().rev().filter(|ran| !is_error(ran.text()));
    let images = without_error.flat_map(|ran| ran.artifacts().iter().rev());
    images.into_iter().find_map(|artifact| match artifact {
        Artifact::Image { media_type, bytes } => Some(Image { media_type: media_type.clone(), bytes: bytes.clone() }),
        _ => None,
    })
}

/// The class in words.
fn name(class: CellClass) -> String {
    match serde_json::to_value(class) {
        Ok(Value::String(word)) => word.replace('_', " "),
        _ => "other".to_owned(),
    }
}
