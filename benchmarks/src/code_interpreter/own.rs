//! Our own data: `code-interpreter.jsonl` and the folder `files` beside it.

use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;

use super::{Answer, Category, CodeSample, ExpectedFigure, Rounds};
use crate::{DataError, DataFile, JsonLines, sha256};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    id: String,
    lang: Language,
    category: Category,
    query: String,
    files: Vec<String>,
    answer: Option<Answer>,
    figure: Option<ExpectedFigure>,
    /// Code that solves it; never shown to a model.
    #[serde(rename = "solution")]
    _solution: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Language {
    En,
    Zh,
}

/// Reads tasks; `file` gives the content of a file that one names.
///
/// # Errors
/// When the tasks cannot be read or a file is missing, with line and field.
pub fn read(
    (path, content): (&Path, &[u8]),
    file: impl Fn(&str) -> Option<Arc<[u8]>>,
) -> Result<(Vec<CodeSample>, Vec<DataFile>), DataError> {
    let lines = JsonLines::<Line>::of(path, content)?;
    lines.unique("id", |task| &task.id)?;
    let mut data = vec![lines.file.clone()];
    let mut samples = Vec::new();
    for (number, task) in &lines.lines {
        let mut files = Vec::new();
        for (index, name) in task.files.iter().enumerate() {
            let missing = || lines.error(*number, format!("files[{index}]"), format!("there is no file {name:?}"));
            let content = file(name).ok_or_else(missing)?;
            if data.iter().all(|known| known.name != *name) {
                data.push(DataFile { name: name.clone(), sha256: sha256(&content) });
            }
            files.push((name.clone(), content));
        }
        if task.category.is_visualization() && task.figure.is_none() {
            return Err(lines.error(*number, "figure", "a plot says what it has to show"));
        }
        samples.push(CodeSample {
            id: task.id.clone(),
            category: task.category,
            is_chinese: task.lang == Language::Zh,
            query: task.query.clone(),
            opening: None,
            files,
            answer: task.answer.clone(),
            figure: task.figure.clone(),
            rounds: Rounds { steps: 6, executions: None, ends_with_error: false },
        });
    }
    Ok((samples, data))
}
