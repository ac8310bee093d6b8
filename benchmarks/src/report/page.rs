//! The report: one file that needs nothing else, in which samples are read when they are opened.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use qianshou_agent::{Artifact, Observation};
use serde::Serialize;
use serde_json::{Value, json};

use super::Summary;
use super::plot::{bars, histogram};
use crate::{Log, Measure, SampleRecord, Solution};

/// How much of a question a line of the list shows, in characters.
const QUESTION_SHOWN: usize = 160;

/// The report of a log as a page.
pub fn html(log: &Log) -> String {
    let summary = Summary::of(log);
    let mut samples: Vec<&SampleRecord> = log.samples.iter().collect();
    samples.sort_by_key(|record| (record.index, record.epoch));
    let index: Vec<_> = samples.iter().enumerate().map(|(at, record)| line(at, record, &summary.measures)).collect();
    let details: Vec<_> = samples
        .iter()
        .enumerate()
        .map(|(at, record)| {
            format!("<script type=\"application/json\" id=\"s{at}\">{}</script>", script(&detail(record)))
        })
        .collect();
    let title = format!("{}: {}", log.header.task, summary.model);
    let made = summary.rows.first().map_or(0, |row| row.samples);
    let subtitle = format!("{made} of {} samples, {} records", summary.of, samples.len());
    let header = serde_json::to_string_pretty(&log.header).unwrap_or_default();
    let values = [
        ("title", escape(&title)),
        ("subtitle", escape(&subtitle)),
        ("table", scores(&summary)),
        ("plots", plots(&summary, &samples)),
        ("confusion", confusion(&samples)),
        ("provenance", escape(&header)),
        ("index", script(&index)),
        ("samples", details.join("\n")),
    ];
    fill(include_str!("page.html"), &values)
}

/// Fills placeholders in one pass, so that what is filled in is never read as one.
fn fill(template: &str, values: &[(&str, String)]) -> String {
    let mut page = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        page += before;
        let filled =
            values.iter().find_map(|(name, value)| Some((value, after.strip_prefix(name)?.strip_prefix('}')?)));
        match filled {
            Some((value, after)) => {
                page += value;
                rest = after;
            }
            None => {
                page.push('{');
                rest = after;
            }
        }
    }
    page + rest
}

/// Text as HTML.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// JSON that cannot end the element that it stands in.
fn script(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default().replace('<', "\\u003c")
}

fn scores(summary: &Summary) -> String {
    let title = |measure: &Measure| {
        let direction = if measure.less_is_better { "↓" } else { "↑" };
        format!("<th>{} {direction}</th>", escape(&measure.title))
    };
    let head: String = summary.measures.iter().map(title).collect();
    let body = summary.rows.iter().map(|row| {
        let cells = row.estimates.iter().map(|estimate| match estimate {
            None => "<td>–</td>".to_owned(),
            Some(estimate) => {
                let [mean, low, high] = [estimate.mean, estimate.low, estimate.high].map(|value| value * 100.0);
                format!("<td>{mean:.1} <span class=\"interval\">{low:.1}–{high:.1}</span></td>")
            }
        });
        format!("<tr><td>{}</td><td>{}</td>{}</tr>", escape(&row.name), row.samples, cells.collect::<String>())
    });
    format!(
        "<table><thead><tr><th></th><th>Samples</th>{head}</tr></thead><tbody>{}</tbody></table>",
        body.collect::<String>()
    )
}

fn plots(summary: &Summary, samples: &[&SampleRecord]) -> String {
    let mut plots = Vec::new();
    for (column, measure) in summary.measures.iter().enumerate().take(4) {
        let by_category = summary.rows.iter().filter_map(|row| {
            let mean = row.estimates[column]?.mean;
            Some((row.name.clone(), mean, format!("{:.1}", mean * 100.0)))
        });
        plots.push(bars(&measure.title, &by_category.collect::<Vec<_>>()));
    }
    let values = |of: fn(&SampleRecord) -> f64| samples.iter().map(|record| of(record)).collect::<Vec<_>>();
    plots.push(histogram("Tokens generated", &values(|record| record.solution.usage().generated as f64)));
    plots.push(histogram("Seconds", &values(|record| record.milliseconds as f64 / 1000.0)));
    plots.push(histogram("Steps", &values(|record| record.solution.exchanges().len() as f64)));
    let counted = |classes: &BTreeMap<String, usize>| {
        let most = classes.values().copied().max().unwrap_or(1).max(1) as f64;
        let bar = |(class, count): (&String, &usize)| (class.clone(), *count as f64 / most, count.to_string());
        classes.iter().map(bar).collect::<Vec<_>>()
    };
    plots.push(bars("Ended by", &counted(&summary.stops)));
    for (kind, classes) in
        summary.labels.iter().filter(|(kind, classes)| !kind.ends_with(" tool") && classes.len() <= 12)
    {
        plots.push(bars(kind, &counted(classes)));
    }
    plots.concat()
}

/// Which tools were called where which were expected, the most frequent confusions first.
fn confusion(samples: &[&SampleRecord]) -> String {
    let mut pairs: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for record in samples {
        let label = |kind: &str| record.verdict.labels.get(kind).map(String::as_str);
        if let (Some(expected), Some(called)) = (label("expected tool"), label("called tool")) {
            *pairs.entry((expected, called)).or_default() += 1;
        }
    }
    if pairs.is_empty() {
        return String::new();
    }
    let right: usize = pairs.iter().filter(|((expected, called), _)| expected == called).map(|(_, count)| count).sum();
    let mut wrong: Vec<_> = pairs.into_iter().filter(|((expected, called), _)| expected != called).collect();
    wrong.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let row = |((expected, called), count): &((&str, &str), usize)| {
        format!("<tr><td>{}</td><td>{}</td><td>{count}</td></tr>", escape(expected), escape(called))
    };
    let rows: String = wrong.iter().take(50).map(row).collect();
    format!(
        "<h2>Confusion of tools</h2><p class=\"dim\">{right} choices are as expected; these are not.</p>\
         <div class=\"scroll\"><table><thead><tr><th>Expected</th><th>Called</th><th>Samples</th></tr></thead>\
         <tbody>{rows}</tbody></table></div>"
    )
}

/// The line of a sample in the list.
fn line(at: usize, record: &SampleRecord, measures: &[Measure]) -> Value {
    let main = measures.iter().find_map(|measure| Some((measure, *record.verdict.scores.get(&measure.name)?)));
    let score = |name: &str| record.verdict.scores.get(name).map(|score| *score >= 1.0);
    let by_main =
        || main.is_some_and(|(measure, score)| if measure.less_is_better { score <= 0.0 } else { score >= 1.0 });
    let id = if record.epoch > 1 { format!("{} ({})", record.id, record.epoch) } else { record.id.clone() };
    json!({
        "at": at,
        "id": id,
        "category": record.category,
        "question": record.question.chars().take(QUESTION_SHOWN).collect::<String>(),
        "score": main.map_or("–".to_owned(), |(_, score)| format!("{score:.2}")),
        "right": score("strict.correct").unwrap_or_else(by_main),
        "steps": record.solution.exchanges().len(),
        "tokens": record.solution.usage().generated,
        "seconds": format!("{:.1}", record.milliseconds as f64 / 1000.0),
        "labels": record.verdict.labels.iter().filter(|(kind, _)| !kind.ends_with(" tool"))
            .map(|(kind, class)| format!("{kind}: {class}")).collect::<Vec<_>>(),
    })
}

/// What is shown of a sample when it is opened.
fn detail(record: &SampleRecord) -> Value {
    let prompt = record.solution.exchanges().first().map(|first| {
        let messages = first.request.messages.iter();
        messages
            .map(|message| format!("[{}]\n{}", message.role.as_str(), message.text()))
            .collect::<Vec<_>>()
            .join("\n\n")
    });
    json!({
        "question": record.question,
        "expected": record.expected,
        "scores": record.verdict.scores,
        "labels": record.verdict.labels,
        "why": record.verdict.why,
        "parts": parts(&record.solution),
        "stop": record.stop,
        "prompt": prompt,
    })
}

fn parts(solution: &Solution) -> Vec<Value> {
    let Solution::Run(_) = solution else {
        return vec![json!({"title": "Reply", "text": solution.answer()})];
    };
    let mut parts = Vec::new();
    for (number, step) in (1..).zip(solution.steps()) {
        let mut part = |title: &str, text: &str, images: Vec<String>| {
            if !text.is_empty() || !images.is_empty() {
                parts.push(json!({"title": format!("Step {number}: {title}"), "text": text, "images": images}));
            }
        };
        part("thought", &step.thought, Vec::new());
        for call in &step.calls {
            let stage = call.stage.map(|stage| format!(", read as {stage:?}").to_lowercase()).unwrap_or_default();
            part(&format!("{}{stage}", call.name), &call.input, Vec::new());
            if let Some(observation) = &call.observation {
                part("observation", &observation.text, images(observation));
            }
        }
        let told = step.no_action.as_ref().map_or("", |told| told.text.as_str());
        part("told", told, Vec::new());
        part("answer", step.answer.as_deref().unwrap_or_default(), Vec::new());
        let warnings: Vec<_> = step.warnings.iter().map(ToString::to_string).collect();
        part("warnings", &warnings.join("\n"), Vec::new());
    }
    parts
}

fn images(observation: &Observation) -> Vec<String> {
    let image = |artifact: &Artifact| match artifact {
        Artifact::Image { media_type, bytes } => Some(format!("data:{media_type};base64,{}", STANDARD.encode(bytes))),
        _ => None,
    };
    observation.artifacts.iter().filter_map(image).collect()
}
