//! What a figure shows, and whether it is what was asked for: a check that needs no judge.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// How far a plotted value may be from the expected one, as a share of it.
const TOLERANCE: f64 = 0.005;

/// What a figure object of matplotlib shows, as it was described inside the session.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FigureFacts {
    /// How many axes it has.
    pub axes: usize,
    /// Titles of the figure and its axes.
    pub titles: Vec<String>,
    /// Labels of the x axes.
    pub x: Vec<String>,
    /// Labels of the y axes.
    pub y: Vec<String>,
    /// Legend entries, tick labels, wedge labels and free text.
    pub texts: Vec<String>,
    /// The values of each series, by kind of plot. What is no finite number is nothing.
    pub series: BTreeMap<FigureKind, Vec<Vec<Option<f64>>>>,
}

/// A kind of plot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FigureKind {
    /// Bars, standing or lying; their lengths.
    Bar,
    /// Lines; their y values.
    Line,
    /// Points; their y values.
    Scatter,
    /// Wedges; their shares.
    Pie,
    /// A histogram; its counts.
    Hist,
    /// Boxes; the median of each is a series.
    Box,
}

impl FigureKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Bar => "bar",
            Self::Line => "line",
            Self::Scatter => "scatter",
            Self::Pie => "pie",
            Self::Hist => "hist",
            Self::Box => "box",
        }
    }
}

/// What a figure has to show; what is left out is not checked.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedFigure {
    /// The kind of plot.
    pub kind: FigureKind,
    /// How many axes.
    pub axes: Option<usize>,
    /// How many series of the kind.
    pub series: Option<usize>,
    /// Part of a title.
    pub title: Option<String>,
    /// Part of the label of an x axis.
    pub x: Option<String>,
    /// Part of the label of a y axis.
    pub y: Option<String>,
    /// Texts that must appear.
    #[serde(default)]
    pub labels: Vec<String>,
    /// The values of series, in any order.
    #[serde(default)]
    pub data: Vec<Vec<f64>>,
}

impl ExpectedFigure {
    /// What is missing in the figure that comes nearest; empty if one shows all.
    pub fn faults(&self, figures: &[FigureFacts]) -> Vec<String> {
        let nearest = figures.iter().map(|figure| self.faults_of(figure)).min_by_key(Vec::len);
        nearest.unwrap_or_else(|| vec!["there is no figure".to_owned()])
    }

    fn faults_of(&self, figure: &FigureFacts) -> Vec<String> {
        let mut faults = Vec::new();
        let series = figure.series.get(&self.kind).map(Vec::as_slice).unwrap_or_default();
        if series.is_empty() {
            faults.push(format!("the figure has no {} plot", self.kind.as_str()));
        }
        let mut counted = |what: &str, expected: Option<usize>, found: usize| {
            if expected.is_some_and(|expected| expected != found) {
                faults.push(format!("it has {found} {what} instead of {}", expected.unwrap_or_default()));
            }
        };
        counted("axes", self.axes, figure.axes);
        counted("series", self.series, series.len());
        let parts =
            [("title", &self.title, &figure.titles), ("x label", &self.x, &figure.x), ("y label", &self.y, &figure.y)];
        for (what, part, texts) in parts {
            if let Some(part) = part
                && !texts.iter().any(|text| contains(text, part))
            {
                faults.push(format!("no {what} says {part:?}"));
            }
        }
        let everywhere = || figure.texts.iter().chain(&figure.titles).chain(&figure.x).chain(&figure.y);
        for label in self.labels.iter().filter(|label| !everywhere().any(|text| contains(text, label))) {
            faults.push(format!("the label {label:?} is missing"));
        }
        for (number, expected) in (1..).zip(&self.data) {
            if !series.iter().any(|found| same(expected, found)) {
                faults.push(format!("no series has the values of series {number}"));
            }
        }
        faults
    }
}

fn contains(text: &str, part: &str) -> bool {
    text.to_lowercase().contains(&part.to_lowercase())
}

fn same(expected: &[f64], found: &[Option<f64>]) -> bool {
    let near = |(expected, found): (&f64, &Option<f64>)| {
        found.is_some_and(|found| (found - expected).abs() <= TOLERANCE * expected.abs().max(1e-9))
    };
    expected.len() == found.len() && expected.iter().zip(found).all(near)
}

impl fmt::Display for ExpectedFigure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a {} plot", self.kind.as_str())?;
        for (what, count) in [("axes", self.axes), ("series", self.series)] {
            if let Some(count) = count {
                write!(formatter, ", {count} {what}")?;
            }
        }
        for (what, part) in [("title", &self.title), ("x", &self.x), ("y", &self.y)] {
            if let Some(part) = part {
                write!(formatter, ", {what} {part:?}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure() -> FigureFacts {
        FigureFacts {
            axes: 1,
            titles: vec!["Sales by month".to_owned()],
            x: vec!["Month".to_owned()],
            series: [(FigureKind::Line, vec![vec![Some(1.0), Some(2.0)], vec![Some(3.0), None]])].into(),
            ..FigureFacts::default()
        }
    }

    fn faults(expected: serde_json::Value) -> Vec<String> {
        match serde_json::from_value::<ExpectedFigure>(expected) {
            Ok(expected) => expected.faults(&[FigureFacts::default(), figure()]),
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn what_is_asked_for_is_looked_for() {
        let right = serde_json::json!({"kind": "line", "axes": 1, "series": 2, "title": "sales", "x": "Month", "data": [[1.0, 2.001]]});
        assert_eq!(faults(right), Vec::<String>::new());
        let wrong = serde_json::json!({"kind": "bar", "labels": ["x"], "data": [[3.0, 4.0]]});
        assert_eq!(faults(wrong).len(), 3);
        let wrong = serde_json::json!({"kind": "line", "y": "Euro", "data": [[3.0, 4.0]]});
        assert_eq!(faults(wrong), ["no y label says \"Euro\"", "no series has the values of series 1"]);
    }
}
