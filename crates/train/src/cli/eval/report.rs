//! The figures for people.

use std::io::Write as _;

use qianshou_train::{Kind, Outcome, Summary};

/// Prints totals and kinds, each share with its 95 % interval; `chance` stands beside the selection.
pub(super) fn print(summary: &Summary, chance: Option<f64>) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "| measure | share (95 % interval) |\n|---|---|")?;
    for (name, measure) in summary.totals() {
        writeln!(out, "| {name} | {measure} |")?;
    }
    if let Some(chance) = chance {
        writeln!(out, "| right tool, by chance | {:.1} % |", 100.0 * chance)?;
    }
    writeln!(out, "\n| kind | selection | exact call | answer, given the observation | right to the answer |")?;
    writeln!(out, "|---|---|---|---|---|")?;
    for (kind, measures) in &summary.kinds {
        let [selection, exact, answer, whole] =
            [measures.selection, measures.exact, measures.answer, measures.whole].map(|measure| measure.to_string());
        writeln!(out, "| {} | {selection} | {exact} | {answer} | {whole} |", name(*kind))?;
    }
    Ok(())
}

/// Prints the first `most` outcomes that went wrong.
pub(super) fn print_failures(outcomes: &[Outcome], most: usize) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let failures = outcomes.iter().filter_map(|outcome| Some((outcome, outcome.fault()?)));
    for (outcome, fault) in failures.take(most) {
        let call = |call: &Option<(String, String)>| {
            call.as_ref().map_or_else(|| "no call".to_owned(), |(name, input)| format!("{name} {}", input.trim()))
        };
        writeln!(out, "\n{}: {fault}\n  asked     {}", name(outcome.kind), outcome.question)?;
        writeln!(out, "  expected  {} → {}", call(&outcome.expected), outcome.expected_answer)?;
        writeln!(out, "  got       {} → {}", call(&outcome.call), outcome.answer)?;
    }
    Ok(())
}

fn name(kind: Kind) -> String {
    serde_json::to_value(kind).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}
