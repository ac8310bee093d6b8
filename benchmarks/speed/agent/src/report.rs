//! From the rounds' numbers to Markdown and JSON.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Value, json};

/// All that was measured, in the order in which it came.
#[derive(Default)]
pub(crate) struct Report {
    figures: Vec<Figure>,
}

/// One cell of a table: a value for each round.
#[derive(Serialize)]
struct Figure {
    table: &'static str,
    row: String,
    column: String,
    values: Vec<f64>,
}

impl Report {
    pub(crate) fn record(&mut self, table: &'static str, row: &str, column: &str, value: f64) {
        let known = |figure: &&mut Figure| figure.table == table && figure.row == row && figure.column == column;
        if let Some(figure) = self.figures.iter_mut().find(known) {
            figure.values.push(value);
        } else {
            let (row, column) = (row.to_owned(), column.to_owned());
            self.figures.push(Figure { table, row, column, values: vec![value] });
        }
    }

    /// All values.
    pub(crate) fn json(&self) -> Value {
        json!({ "rig": rig_version(), "figures": self.figures })
    }

    /// The tables: medians over the rounds, with the spread.
    pub(crate) fn markdown(&self) -> String {
        let rounds = self.figures.iter().map(|figure| figure.values.len()).max().unwrap_or_default();
        let mut text = format!("rig {} · median of {rounds} rounds (lowest–highest)\n", rig_version());
        for table in distinct(self.figures.iter().map(|figure| figure.table)) {
            self.write_table(table, &mut text);
        }
        text
    }

    fn write_table(&self, table: &str, text: &mut String) {
        let of_table = || self.figures.iter().filter(|figure| figure.table == table);
        let columns = distinct(of_table().map(|figure| figure.column.as_str()));
        let _ = writeln!(text, "\n| {table} | {} |\n|---{}|", columns.join(" | "), "|--:".repeat(columns.len()));
        for row in distinct(of_table().map(|figure| figure.row.as_str())) {
            let cell = |column| of_table().find(|figure| figure.row == row && figure.column == column);
            let cells: Vec<_> = columns.iter().map(|column| cell(*column).map_or(String::new(), spread)).collect();
            let _ = writeln!(text, "| {row} | {} |", cells.join(" | "));
        }
    }
}

/// Each once, in the order of their first places.
fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut distinct = Vec::new();
    for name in names {
        if !distinct.contains(&name) {
            distinct.push(name);
        }
    }
    distinct
}

/// The median, and how far the rounds lie apart.
fn spread(figure: &Figure) -> String {
    let mut values = figure.values.clone();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let median = if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 };
    format!("{} ({}–{})", short(median), short(values[0]), short(values[values.len() - 1]))
}

/// Three digits.
fn short(value: f64) -> String {
    let digits = if value >= 100.0 { 0 } else { usize::from(value < 10.0) + 1 };
    format!("{value:.digits$}")
}

/// The version of rig in the lock file.
fn rig_version() -> &'static str {
    let lock = include_str!("../Cargo.lock");
    let after = lock.split_once("name = \"rig\"\nversion = \"").map_or("", |(_, after)| after);
    after.split('"').next().unwrap_or_default()
}
