//! What people wrote.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use crate::TrainError;
use crate::episode::read_lines;

/// A tool with the ways in which people ask for it.
#[derive(Clone, Debug, Deserialize)]
pub struct AuthoredTool {
    /// Its name, in the style of its author.
    pub name: String,
    /// What it does.
    pub description: String,
    /// Fits "I need to …".
    pub purpose: String,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// Requests with placeholders. A parameter that is not in one is not in the call.
    pub queries: Vec<String>,
    /// What comes back, with placeholders, `{num}` and `{word}` among them.
    pub observation: String,
    /// What is answered then.
    pub answer: String,
    /// What else fulfils its requests, if anything.
    #[serde(default)]
    pub also: Option<Also>,
    /// Questions on its topic that need no tool.
    #[serde(default)]
    pub known: Vec<NoTool>,
    /// Requests close to those that it fulfils, but beyond it.
    #[serde(default)]
    pub beyond: Vec<Beyond>,
    /// The file that it stands in, without `tools-` and `.jsonl`: tools of one file are near misses of each other.
    #[serde(skip)]
    pub field: String,
}

impl AuthoredTool {
    /// The names of the parameters that every call has.
    pub(super) fn required(&self) -> impl Iterator<Item = &str> {
        self.parameters.iter().filter(|parameter| parameter.required).map(|parameter| parameter.name.as_str())
    }
}

/// A parameter of an authored tool.
#[derive(Clone, Debug, Deserialize)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its type in JSON schema.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it means.
    pub description: String,
    /// Whether a call has to have it.
    pub required: bool,
    /// Values to draw from. Of an array, `["on", "Monday"]`, the last is the argument, and a sentence has all of it.
    #[serde(default)]
    pub values: Vec<Value>,
    /// Numbers to draw from, the ends included.
    #[serde(default)]
    pub range: Option<[f64; 2]>,
}

/// A question that needs no tool.
#[derive(Clone, Debug, Deserialize)]
pub struct NoTool {
    /// What is asked.
    pub question: String,
    /// A good answer.
    pub answer: String,
}

/// What can do the same as an authored tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Also {
    /// The calculator, or Python.
    Computation,
    /// The model itself: it is about words, or a hint.
    Language,
}

/// A request that a tool cannot fulfil.
#[derive(Clone, Debug, Deserialize)]
pub struct Beyond {
    /// What is asked.
    pub question: String,
    /// Fits "I have no tool to …".
    pub purpose: String,
}

/// A task for Python.
#[derive(Clone, Debug, Deserialize)]
pub struct PythonTask {
    /// What is asked.
    pub question: String,
    /// Code that does it with the standard library.
    pub code: String,
    /// What the code really prints.
    pub stdout: String,
    /// What is answered then.
    pub answer: String,
    /// Files that it reads: their texts by name.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
}

/// An arithmetic problem: placeholders are drawn from their ranges.
#[derive(Clone, Debug, Deserialize)]
pub struct Problem {
    /// What is asked.
    pub question: String,
    /// The expression for the calculator.
    pub expression: String,
    /// What is answered, with `{result}`.
    pub answer: String,
    /// For each placeholder the ends of its range, and how many decimals it has.
    pub ranges: BTreeMap<String, (f64, f64, usize)>,
}

/// Something asked of a tool that tells something: a question, and the answer with placeholders.
#[derive(Clone, Debug, Deserialize)]
pub struct Told {
    /// What is asked.
    pub question: String,
    /// What is answered.
    pub answer: String,
}

/// A file, and questions about it.
#[derive(Clone, Debug, Deserialize)]
pub struct FileTask {
    /// Its name.
    pub name: String,
    /// Its text.
    pub text: String,
    /// Questions that its text answers.
    pub questions: Vec<Told>,
}

/// Everything that was written.
#[derive(Clone, Debug)]
pub struct Sources {
    /// Tools.
    pub tools: Vec<AuthoredTool>,
    /// Questions that need none.
    pub no_tool: Vec<NoTool>,
    /// Tasks for Python.
    pub python: Vec<PythonTask>,
    /// Tasks for Python of other kinds than those, to test with alone.
    pub unseen_python: Vec<PythonTask>,
    /// Arithmetic problems.
    pub problems: Vec<Problem>,
    /// Questions for the clock; placeholders are the parts of what it tells.
    pub clock: Vec<Told>,
    /// Files and questions about them.
    pub files: Vec<FileTask>,
    /// Questions for the list of files, with `{count}` and `{names}` in their answers.
    pub listing: Vec<Told>,
    /// What is thought and said, by occasion.
    pub phrases: Phrases,
}

/// Thoughts and sentences, several for each occasion, with placeholders.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phrases {
    /// Before a call of an authored tool: `{purpose}` and `{tool}`.
    pub call: Vec<String>,
    /// Before arithmetic.
    pub arithmetic: Vec<String>,
    /// Before a look at the clock.
    pub clock: Vec<String>,
    /// Before a file is read.
    pub read: Vec<String>,
    /// Before files are listed.
    pub list: Vec<String>,
    /// Before Python.
    pub python: Vec<String>,
    /// Before a call is mended.
    pub repair: Vec<String>,
    /// Before an answer from what came back.
    pub known: Vec<String>,
    /// Before an answer that needs no tool.
    pub no_need: Vec<String>,
    /// Before a request is declined: `{purpose}`.
    pub cannot: Vec<String>,
    /// The sentence that declines it.
    pub declined: Vec<String>,
    /// The same in Chinese, without a placeholder.
    pub declined_chinese: Vec<String>,
    /// What is asked behind a request whose answer is a number.
    pub follow_ups: Vec<FollowUp>,
}

/// Arithmetic with the number that a tool told: `{num}` is that number, `{n}` is drawn.
#[derive(Clone, Debug, Deserialize)]
pub struct FollowUp {
    /// What is asked.
    pub question: String,
    /// The expression for the calculator.
    pub expression: String,
    /// What is answered, with `{result}`.
    pub answer: String,
}

impl Sources {
    /// Reads a folder: `tools-*.jsonl`, `notool*.jsonl`, `python*.jsonl`, `unseen-python*.jsonl`,
    /// `arithmetic.jsonl`, `clock.jsonl`, `files.jsonl`, `listing.jsonl` and `phrases.json`.
    ///
    /// # Errors
    /// When a file is missing, or a line is not what it should be.
    pub fn read(folder: &Path) -> Result<Self, TrainError> {
        let mut tools = Vec::new();
        for path in named(folder, "tools-")? {
            let field = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
            let own: Vec<AuthoredTool> = read_lines(&path)?;
            tools.extend(own.into_iter().map(|tool| AuthoredTool { field: field.clone(), ..tool }));
        }
        let phrases = folder.join("phrases.json");
        let text = std::fs::read(&phrases).map_err(TrainError::io(&phrases))?;
        Ok(Self {
            tools,
            no_tool: all(folder, "notool")?,
            python: all(folder, "python")?,
            unseen_python: all(folder, "unseen-python")?,
            problems: all(folder, "arithmetic")?,
            clock: all(folder, "clock")?,
            files: all(folder, "files")?,
            listing: all(folder, "listing")?,
            phrases: serde_json::from_slice(&text).map_err(|error| TrainError::Data {
                path: phrases,
                line: error.line(),
                reason: error.to_string(),
            })?,
        })
    }
}

fn all<T: for<'a> Deserialize<'a>>(folder: &Path, prefix: &str) -> Result<Vec<T>, TrainError> {
    let mut all = Vec::new();
    for path in named(folder, prefix)? {
        all.extend(read_lines(&path)?);
    }
    Ok(all)
}

/// The `.jsonl` files of a folder whose names begin so, sorted.
fn named(folder: &Path, prefix: &str) -> Result<Vec<PathBuf>, TrainError> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(TrainError::io(folder))? {
        let path = entry.map_err(TrainError::io(folder))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(prefix) && name.ends_with(".jsonl") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}
