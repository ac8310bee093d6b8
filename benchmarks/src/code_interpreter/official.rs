//! The data of the official exam (`eval_code_interpreter_v1.jsonl` with a folder of upload files), and GSM8K's
//! test set. The files are not ours to give away; `bench fetch` says where they are.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;

use super::{Answer, Category, CodeSample, Rounds};
use crate::{DataError, DataFile, JsonLines, sha256};

#[derive(Debug, Deserialize)]
struct Line {
    query: String,
    tags: String,
    #[serde(default)]
    input_file_path: Vec<String>,
    #[serde(default)]
    lang: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Gsm8kLine {
    question: String,
    answer: String,
}

/// Reads the exam. Files that it names are looked for by their names in `uploads`.
///
/// # Errors
/// When the tasks cannot be read or a file is missing, with line and field.
pub fn read(path: &Path, uploads: &Path) -> Result<(Vec<CodeSample>, Vec<DataFile>), DataError> {
    let lines = JsonLines::<Line>::read(path)?;
    let mut data = vec![lines.file.clone()];
    let mut samples = Vec::new();
    for (number, line) in &lines.lines {
        let tags: Vec<_> = line.tags.split(',').map(str::trim).collect();
        let (query, opening) = asked(&line.query);
        let category = match () {
            () if tags.contains(&"visualization") && opening.is_some() => Category::VisualizationEasy,
            () if tags.contains(&"visualization") => Category::VisualizationHard,
            () if tags.contains(&"math") => Category::Math,
            () if tags.contains(&"general") => Category::General,
            () => {
                let problem = format!("{:?} names no category: visualization, math or general", line.tags);
                return Err(lines.error(*number, "tags", problem));
            }
        };
        let mut files = Vec::new();
        for (index, named) in line.input_file_path.iter().enumerate() {
            let name = named.rsplit('/').next().unwrap_or(named);
            let content: Arc<[u8]> = fs::read(uploads.join(name))
                .map_err(|error| lines.error(*number, format!("input_file_path[{index}]"), format!("{name}: {error}")))?
                .into();
            if data.iter().all(|known| known.name != name) {
                data.push(DataFile { name: name.to_owned(), sha256: sha256(&content) });
            }
            files.push((name.to_owned(), content));
        }
        let executions = if category.is_visualization() { 3 } else { 1 };
        samples.push(CodeSample {
            id: format!("exam-{number:04}"),
            category,
            is_chinese: line.lang.as_deref().map_or_else(|| query.chars().any(is_chinese), |lang| lang == "zh"),
            query,
            opening,
            files,
            answer: None,
            figure: None,
            rounds: Rounds::official(executions),
        });
    }
    Ok((samples, data))
}

/// Reads GSM8K's test set, by which the exam measures whether mathematics is right.
///
/// # Errors
/// When it cannot be read, with line and field.
pub fn read_gsm8k(path: &Path) -> Result<(Vec<CodeSample>, Vec<DataFile>), DataError> {
    let lines = JsonLines::<Gsm8kLine>::read(path)?;
    let sample = |(number, line): &(usize, Gsm8kLine)| CodeSample {
        id: format!("gsm8k-{number:04}"),
        category: Category::Math,
        is_chinese: false,
        query: line.question.clone(),
        opening: None,
        files: Vec::new(),
        answer: Some(Answer::LastNumberOf(line.answer.clone())),
        figure: None,
        rounds: Rounds::official(3),
    };
    Ok((lines.lines.iter().map(sample).collect(), vec![lines.file]))
}

/// What is asked, and the first step that a query may already hold: everything up to its observation, which
/// the sandbox makes anew.
fn asked(query: &str) -> (String, Option<String>) {
    let Some((question, rest)) = query.split_once("<|im_end|>") else {
        return (query.to_owned(), None);
    };
    let step = rest.split_once("<|im_start|>assistant").map_or(rest, |(_, step)| step);
    let step = step.split("\nObservation:").next().unwrap_or(step).trim_matches('\n');
    (question.to_owned(), (!step.is_empty()).then(|| format!("{step}\n")))
}

fn is_chinese(character: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_may_hold_a_first_step() {
        assert_eq!(asked("plot it"), ("plot it".to_owned(), None));
        let query = "plot it<|im_end|>\n<|im_start|>assistant\nThought: look\nAction: code_interpreter\nAction Input: \
                     ```py\nx = 1\n```\nObservation: 1\nThought:";
        let step = "Thought: look\nAction: code_interpreter\nAction Input: ```py\nx = 1\n```\n";
        assert_eq!(asked(query), ("plot it".to_owned(), Some(step.to_owned())));
    }
}
