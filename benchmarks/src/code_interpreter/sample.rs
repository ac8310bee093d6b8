//! A question that code answers, and what a right answer is.

use std::fmt;
use std::sync::Arc;

use serde::Deserialize;

use super::ExpectedFigure;
use crate::Sample;

/// The categories of the exam.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Category {
    /// A number is asked for.
    Math,
    /// A plot of data that the question already looked into.
    VisualizationEasy,
    /// A plot, from the file alone.
    VisualizationHard,
    /// Anything else.
    General,
}

impl Category {
    /// Its name in data and records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Math => "math",
            Self::VisualizationEasy => "visualization-easy",
            Self::VisualizationHard => "visualization-hard",
            Self::General => "general",
        }
    }

    /// Whether a plot is asked for.
    pub fn is_visualization(self) -> bool {
        matches!(self, Self::VisualizationEasy | Self::VisualizationHard)
    }
}

impl fmt::Display for Category {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// What the final answer has to say.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Answer {
    /// This number.
    Number {
        /// The number.
        number: f64,
        /// How far from it an answer may be.
        tolerance: f64,
    },
    /// One of these texts, whatever their case.
    Text {
        /// The texts.
        text: Vec<String>,
    },
    /// The last number of this text, which the official exam compares with.
    #[serde(skip)]
    LastNumberOf(String),
}

/// How long a model may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rounds {
    /// Replies of the model.
    pub steps: usize,
    /// Executions of its code; the run ends with the last, as in the official exam. `None` for no such limit.
    pub executions: Option<usize>,
    /// Whether an error of the code ends the run, as in the official exam.
    pub ends_with_error: bool,
}

impl Rounds {
    /// Those of the official exam: a reply without code ends it too, so that there are no more replies than
    /// executions.
    pub fn official(executions: usize) -> Self {
        Self { steps: executions, executions: Some(executions), ends_with_error: true }
    }
}

/// A question that code answers.
#[derive(Clone, Debug, PartialEq)]
pub struct CodeSample {
    /// Its id.
    pub id: String,
    /// Its category.
    pub category: Category,
    /// Whether it is asked in Chinese.
    pub is_chinese: bool,
    /// What is asked.
    pub query: String,
    /// A first step that the model is given as its own; its code runs before the model is asked.
    pub opening: Option<String>,
    /// The files that it comes with, by name.
    pub files: Vec<(String, Arc<[u8]>)>,
    /// What the final answer has to say, if that is checked.
    pub answer: Option<Answer>,
    /// What a figure has to show, if that is checked.
    pub figure: Option<ExpectedFigure>,
    /// How long a model may go on.
    pub rounds: Rounds,
}

impl Sample for CodeSample {
    fn id(&self) -> &str {
        &self.id
    }

    fn category(&self) -> &str {
        self.category.as_str()
    }

    fn question(&self) -> &str {
        &self.query
    }

    fn expected(&self) -> String {
        let answer = self.answer.as_ref().map(|answer| match answer {
            Answer::Number { number, tolerance } => format!("{number} ± {tolerance}"),
            Answer::Text { text } => text.join(" or "),
            Answer::LastNumberOf(text) => format!("the last number of: {text}"),
        });
        let figure = self.figure.as_ref().map(ExpectedFigure::to_string);
        let parts: Vec<_> = answer.into_iter().chain(figure).collect();
        if parts.is_empty() { "code that runs".to_owned() } else { parts.join("; ") }
    }
}
