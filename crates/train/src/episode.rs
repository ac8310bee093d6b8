//! Episodes: what was asked, what the model did, and what came back.

mod render;

use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::Path;

use qianshou_agent::{Answer, ToolSpec};
use serde::{Deserialize, Serialize};

pub use self::render::Renderer;
use crate::TrainError;

/// What an episode teaches or tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A call of an authored tool.
    Authored,
    /// Arithmetic with the calculator.
    Arithmetic,
    /// The clock.
    Time,
    /// Files of the workspace.
    Files,
    /// Python.
    Python,
    /// Python, of a kind of task that is in no other split.
    UnseenPython,
    /// Several calls, the later of which need the earlier.
    Steps,
    /// A call that is wrong at first, and mended.
    Repair,
    /// A request that none of the tools can do.
    Cannot,
    /// A question that needs no tool.
    NoNeed,
    /// Written by a model that taught itself.
    SelfInstruct,
}

impl Kind {
    /// Whether the call is a program.
    pub fn is_python(self) -> bool {
        matches!(self, Self::Python | Self::UnseenPython)
    }
}

/// A call and what came back for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// What the model thought before it.
    pub thought: String,
    /// The tool.
    pub tool: String,
    /// The input as the model writes it.
    pub input: String,
    /// What came back.
    pub observation: String,
    /// Whether the call is wrong: the model sees it in its history, and does not learn to make it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mistake: bool,
}

/// One question, from the user's words to the final answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Episode {
    /// What it teaches.
    pub kind: Kind,
    /// What the user asks.
    pub question: String,
    /// The calls, in order.
    pub calls: Vec<Call>,
    /// The thought before the answer.
    pub thought: String,
    /// The final answer.
    pub answer: String,
    /// Files that lie in the workspace: name and text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<(String, String)>,
}

impl Episode {
    /// The episode that an agent's run was. `None` when it did not end with an answer.
    pub fn of_run(kind: Kind, question: impl Into<String>, answer: &Answer) -> Option<Self> {
        if !answer.is_answered() {
            return None;
        }
        let (last, before) = answer.steps.split_last()?;
        let call = |step: &qianshou_agent::StepRecord| {
            let [call] = step.calls.as_slice() else {
                return None;
            };
            let observation = call.observation.as_ref()?;
            Some(Call {
                thought: step.thought.clone(),
                tool: call.name.clone(),
                input: call.input.clone(),
                observation: observation.text.clone(),
                mistake: observation.kind.is_repair(),
            })
        };
        Some(Self {
            kind,
            question: question.into(),
            calls: before.iter().map(call).collect::<Option<_>>()?,
            thought: last.thought.clone(),
            answer: answer.text.clone(),
            files: Vec::new(),
        })
    }
}

/// Tools, and episodes in which these are shown, in this order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// The tools of the prompt.
    pub tools: Vec<ToolSpec>,
    /// What is asked behind it.
    pub episodes: Vec<Episode>,
}

/// Reads a file of groups, one a line.
///
/// # Errors
/// [`TrainError::Io`], or [`TrainError::Data`] with the line that is no group.
pub fn read_groups(path: &Path) -> Result<Vec<Group>, TrainError> {
    read_lines(path)
}

/// Writes a file of groups, one a line.
///
/// # Errors
/// [`TrainError::Io`].
pub fn write_groups(path: &Path, groups: &[Group]) -> Result<(), TrainError> {
    let mut file = BufWriter::new(File::create(path).map_err(TrainError::io(path))?);
    for group in groups {
        serde_json::to_writer(&mut file, group).map_err(|error| TrainError::io(path)(error.into()))?;
        file.write_all(b"\n").map_err(TrainError::io(path))?;
    }
    file.flush().map_err(TrainError::io(path))
}

/// Reads a file with one JSON value a line.
pub(crate) fn read_lines<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<Vec<T>, TrainError> {
    let file = BufReader::new(File::open(path).map_err(TrainError::io(path))?);
    let mut values = Vec::new();
    for (index, line) in file.lines().enumerate() {
        let line = line.map_err(TrainError::io(path))?;
        let value = serde_json::from_str(&line).map_err(|error| TrainError::Data {
            path: path.to_owned(),
            line: index + 1,
            reason: error.to_string(),
        })?;
        values.push(value);
    }
    Ok(values)
}
