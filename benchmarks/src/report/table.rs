//! Results as a table for the terminal, in the manner of the report's Table 6.

use std::fmt::Write as _;

use super::{PublishedRow, Summary};
use crate::statistics::Estimate;

/// Places in a line of the table, where several columns share it.
const WIDTH: usize = 120;

/// The table of a summary; with published rows beside it, marked as such.
pub fn table(summary: &Summary, published: &[PublishedRow]) -> String {
    // A log of one kind of samples leaves measures empty that belong to the other.
    let shown: Vec<usize> = (0..summary.measures.len())
        .filter(|&column| summary.rows.iter().any(|row| row.estimates[column].is_some()))
        .collect();
    let title = |&column: &usize| {
        let measure = &summary.measures[column];
        format!("{} {}", measure.title, if measure.less_is_better { "↓" } else { "↑" })
    };
    let mut lines: Vec<Vec<String>> = Vec::new();
    lines.push(["".to_owned(), "samples".to_owned()].into_iter().chain(shown.iter().map(title)).collect());
    for row in &summary.rows {
        let name = if row.name == "all" { summary.model.clone() } else { format!("  {}", row.name) };
        let cells = shown.iter().map(|&column| row.estimates[column].as_ref().map_or("–".to_owned(), cell));
        lines.push([name, row.samples.to_string()].into_iter().chain(cells).collect());
    }
    let measured =
        |row: &&PublishedRow| shown.iter().any(|&column| row.scores.contains_key(&summary.measures[column].name));
    for row in published.iter().filter(measured) {
        let value = |&column: &usize| match row.scores.get(&summary.measures[column].name) {
            Some(value) => format!("{:.1}", value * 100.0),
            None => "–".to_owned(),
        };
        let name = format!("{} [published: {}]", row.model, row.source);
        lines.push([name, String::new()].into_iter().chain(shown.iter().map(value)).collect());
    }
    let mut text = aligned(&lines);
    let made = summary.rows.first().map_or(0, |row| row.samples);
    if made < summary.of {
        let _ = writeln!(text, "\n{made} of the task's {} samples", summary.of);
    }
    text += "\nin per cent, with 95 % bootstrap intervals\n";
    let few = |classes: &&std::collections::BTreeMap<String, usize>| classes.len() <= 12;
    for (kind, classes) in &summary.labels {
        if Some(classes).filter(few).is_some() && !kind.ends_with(" tool") {
            let classes = classes.iter().map(|(class, count)| format!("{class} {count}"));
            let _ = writeln!(text, "{kind}: {}", classes.collect::<Vec<_>>().join(", "));
        }
    }
    // Figures for single categories have no column of their own.
    for row in published.iter().filter(|row| !measured(row)) {
        let scores = row.scores.iter().map(|(name, value)| format!("{name} {:.1}", value * 100.0));
        let _ = writeln!(text, "{} [published: {}]: {}", row.model, row.source, scores.collect::<Vec<_>>().join(", "));
    }
    let stops = summary.stops.iter().map(|(stop, count)| format!("{stop} {count}"));
    let _ = writeln!(text, "ended by: {}", stops.collect::<Vec<_>>().join(", "));
    text
}

fn cell(estimate: &Estimate) -> String {
    let [mean, low, high] = [estimate.mean, estimate.low, estimate.high].map(|value| value * 100.0);
    format!("{mean:.1} ({low:.1}–{high:.1})")
}

/// Cells in columns: the first to the left, the others to the right. What is too wide for a terminal goes on below,
/// with the first two columns again.
fn aligned(lines: &[Vec<String>]) -> String {
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| lines.iter().filter_map(|line| line.get(column)).map(|cell| shown_width(cell)).max();
    let widths: Vec<_> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let named = columns.min(2);
    let total = |columns: &[usize]| columns.iter().map(|&column| widths[column] + 2).sum::<usize>();
    let mut blocks: Vec<Vec<usize>> = vec![(0..named).collect()];
    for (column, width) in widths.iter().enumerate().skip(named) {
        if let Some(block) = blocks.last_mut()
            && (block.len() == named || total(block) + width <= WIDTH)
        {
            block.push(column);
        } else {
            blocks.push((0..named).chain([column]).collect());
        }
    }
    let block = |block: &Vec<usize>| {
        let line = |line: &Vec<String>| {
            let cell = |&column: &usize| {
                let cell = line.get(column).map_or("", String::as_str);
                let padding = " ".repeat(widths[column] - shown_width(cell));
                if column == 0 { format!("{cell}{padding}") } else { format!("  {padding}{cell}") }
            };
            block.iter().map(cell).collect::<String>().trim_end().to_owned() + "\n"
        };
        lines.iter().map(line).collect::<String>()
    };
    blocks.iter().map(block).collect::<Vec<_>>().join("\n")
}

/// How many places of a terminal a text takes: Chinese characters take two.
fn shown_width(text: &str) -> usize {
    let wide = |c: char| matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe4f}' | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}');
    text.chars().map(|c| if wide(c) { 2 } else { 1 }).sum()
}
