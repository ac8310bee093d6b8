//! A check that nothing of a public exam is in the data.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::split::normal;
use crate::TrainError;
use crate::episode::Group;

/// Something that the data and the exam both have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Overlap {
    /// A question.
    Question(String),
    /// A function, by name and description.
    Function(String),
}

/// Compares groups with the files of `bfcl-eval` (`BFCL_v*_*.json`, one sample after the other) in a folder: every user's
/// message, and every function by its name together with its description.
///
/// # Errors
/// When the folder has none, or one cannot be read.
pub fn exam_overlaps(folder: &Path, groups: &[Group]) -> Result<Vec<Overlap>, TrainError> {
    let mut exam = BTreeSet::new();
    let mut files = 0;
    for entry in std::fs::read_dir(folder).map_err(TrainError::io(folder))? {
        let path = entry.map_err(TrainError::io(folder))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with("BFCL_") && name.ends_with(".json") {
            files += 1;
            let text = std::fs::read_to_string(&path).map_err(TrainError::io(&path))?;
            // A sample a line in most, one value over many lines in some.
            for sample in serde_json::Deserializer::from_str(&text).into_iter::<Value>() {
                let damaged = |error: serde_json::Error| TrainError::Data {
                    path: path.clone(),
                    line: error.line(),
                    reason: error.to_string(),
                };
                collect(&sample.map_err(damaged)?, &mut exam);
            }
        }
    }
    if files == 0 {
        let reason = format!("{} has no file `BFCL_*.json`; it is `bfcl_eval/data` of the package", folder.display());
        return Err(TrainError::setting("the exam", reason));
    }
    let mut own = BTreeSet::new();
    for group in groups {
        own.extend(group.episodes.iter().map(|episode| Overlap::Question(normal(&episode.question))));
        own.extend(group.tools.iter().map(|spec| function(&spec.name, &spec.description)));
    }
    Ok(own.intersection(&exam).cloned().collect())
}

/// Every message of a user and every function, wherever they stand in a sample.
fn collect(value: &Value, exam: &mut BTreeSet<Overlap>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| collect(value, exam)),
        Value::Object(map) => {
            let text = |name: &str| map.get(name).and_then(Value::as_str);
            if let (Some("user"), Some(content)) = (text("role"), text("content")) {
                exam.insert(Overlap::Question(normal(content)));
            }
            if let (Some(name), Some(description)) = (text("name"), text("description")) {
                exam.insert(function(name, description));
            }
            map.values().for_each(|value| collect(value, exam));
        }
        _ => {}
    }
}

fn function(name: &str, description: &str) -> Overlap {
    Overlap::Function(format!("{}: {}", normal(name), normal(description)))
}
