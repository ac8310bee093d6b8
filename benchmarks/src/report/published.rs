//! Published figures, to be printed beside a run on request.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A row of a published table.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedRow {
    /// The task that it belongs to.
    pub task: String,
    /// Where it was published.
    pub source: String,
    /// The model.
    pub model: String,
    /// Its measures, by the names that the task gives them, from 0 to 1.
    pub scores: BTreeMap<String, f64>,
}

/// The rows that were published for a task.
pub fn published(task: &str) -> Vec<PublishedRow> {
    let rows: Vec<PublishedRow> = serde_json::from_str(include_str!("published.json")).unwrap_or_default();
    rows.into_iter().filter(|row| row.task == task).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_of_table_6_are_there() {
        let rows = published("tool-selection");
        assert_eq!(rows.iter().filter(|row| row.source.contains("Table 6")).count(), 5);
        let seven = rows.iter().find(|row| row.model == "Qwen-Chat 7B" && row.source.contains("Table 6"));
        assert_eq!(seven.and_then(|row| row.scores.get("upstream.false_positive")), Some(&0.073));
    }
}
