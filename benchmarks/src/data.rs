//! Files of data, a JSON object a line, each fault named with file, line and field.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::hash::sha256;

/// Why data of a benchmark cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A file cannot be read.
    #[error("the data file {} cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A line is not what it should be.
    #[error("line {line} of {}: `{field}`: {problem}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Which line, counted from 1.
        line: usize,
        /// Where in the object; `.` is the object itself.
        field: String,
        /// What is wrong there.
        problem: String,
    },
    /// A file holds no sample.
    #[error("the data file {} holds no sample", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The file is not the one that it should be.
    #[error("{} has the SHA-256 {found}, not {expected}; remove it, and it is fetched again", path.display())]
    OtherContent {
        /// The file.
        path: PathBuf,
        /// Its hash.
        found: String,
        /// What it should be.
        expected: String,
    },
}

/// A data file as a log's header names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataFile {
    /// Its name, without folders.
    pub name: String,
    /// The SHA-256 of its content.
    pub sha256: String,
}

/// A file of JSON objects, one a line.
#[derive(Debug)]
pub struct JsonLines<T> {
    /// Where it is.
    pub path: PathBuf,
    /// What the header of a log says of it.
    pub file: DataFile,
    /// The objects, each with its line.
    pub lines: Vec<(usize, T)>,
}

impl<T: DeserializeOwned> JsonLines<T> {
    /// Reads a file. Empty lines are passed over.
    ///
    /// # Errors
    /// When it cannot be read, or a line is no such object, with line and field.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, DataError> {
        let path = path.as_ref();
        let unreadable = |source| DataError::Unreadable { path: path.to_owned(), source };
        Self::of(path, &std::fs::read(path).map_err(unreadable)?)
    }

    /// Reads the content of a file.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn of(path: &Path, bytes: &[u8]) -> Result<Self, DataError> {
        let mut lines = Vec::new();
        for (number, line) in (1..).zip(bytes.split(|&byte| byte == b'\n')) {
            if !line.trim_ascii().is_empty() {
                let object = parse(line).map_err(|(field, problem)| line_error(path, number, field, problem))?;
                lines.push((number, object));
            }
        }
        if lines.is_empty() {
            return Err(DataError::Empty { path: path.to_owned() });
        }
        let file = DataFile { name: file_name(path), sha256: sha256(bytes) };
        Ok(Self { path: path.to_owned(), file, lines })
    }

    /// The error that something is wrong with a field of a line.
    pub fn error(&self, line: usize, field: impl Into<String>, problem: impl Into<String>) -> DataError {
        line_error(&self.path, line, field.into(), problem.into())
    }

    /// Checks that no two lines have the same key.
    ///
    /// # Errors
    /// When two have, with both lines.
    pub fn unique(&self, field: &str, key: impl Fn(&T) -> &str) -> Result<(), DataError> {
        let mut seen = HashMap::new();
        for (line, object) in &self.lines {
            if let Some(before) = seen.insert(key(object), *line) {
                let problem = format!("{:?} stands in line {before} already", key(object));
                return Err(self.error(*line, field, problem));
            }
        }
        Ok(())
    }
}

pub(crate) fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

fn line_error(path: &Path, line: usize, field: String, problem: String) -> DataError {
    DataError::Line { path: path.to_owned(), line, field, problem }
}

/// Parses a line, or says which field has which problem.
pub(crate) fn parse<T: DeserializeOwned>(line: &[u8]) -> Result<T, (String, String)> {
    let mut json = serde_json::Deserializer::from_slice(line.trim_ascii());
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let field = match error.path().to_string() {
            // The line broke off before any field.
            path if path == "?" => ".".to_owned(),
            path => path,
        };
        let message = error.inner().to_string();
        // Line and column count from the beginning of this line.
        let problem = message.split(" at line ").next().unwrap_or(&message);
        (field, format!("{problem} (column {})", error.inner().column()))
    })?;
    json.end().map_err(|_| (".".to_owned(), "something follows the object".to_owned()))?;
    Ok(value)
}
