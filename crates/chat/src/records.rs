//! Files of records: what recordings, transcripts and whatever holds them are made of.
//!
//! Each line is a JSON object with `record` (what it is), `version` (of that kind of record) and its content.
//! A reader passes over kinds that it does not know, and refuses versions of a known kind that it does not.
//! A last line that is cut off (the program that wrote it was killed) is left out.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Why a file of records cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordingError {
    /// The file cannot be opened, read or written.
    #[error("could not {action} the recording {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A line is not a record.
    #[error("line {line} of the recording {}: `{field}`: {problem}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Which line, counted from 1.
        line: usize,
        /// Where in the record; `.` is the record itself.
        field: String,
        /// What is wrong there.
        problem: String,
    },
    /// A record was written by another version of this program.
    #[error(
        "line {line} of the recording {}: `{record}` of version {found}, and versions {oldest} to {newest} can be \
         read; use the program that wrote it", path.display()
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Which line, counted from 1.
        line: usize,
        /// What kind of record it is.
        record: String,
        /// The version it states.
        found: u64,
        /// The oldest version that can be read.
        oldest: u32,
        /// The newest one.
        newest: u32,
    },
    /// The file holds nothing of what is looked for.
    #[error("the recording {} holds no {record}", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
        /// What is looked for.
        record: &'static str,
    },
}

impl RecordingError {
    fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}

/// The complete records of a file.
#[derive(Debug)]
pub struct Records {
    /// One for each line that is not empty.
    pub lines: Vec<RecordLine>,
    /// The number of the last line, counted from 1, if it is cut off.
    pub truncated: Option<usize>,
    /// Length of all complete lines in bytes.
    complete: u64,
    /// Whether the last complete line lacks its line break.
    unterminated: bool,
}

/// One record as it is written.
#[derive(Debug)]
pub struct RecordLine {
    path: Arc<Path>,
    number: usize,
    head: Head,
    bytes: Vec<u8>,
}

/// What every line begins with.
#[derive(Debug, Deserialize)]
struct Head {
    record: String,
    version: u64,
}

impl Records {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, or a line is no record.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, RecordingError> {
        let path = path.as_ref();
        Self::of(path, &fs::read(path).map_err(RecordingError::io("read", path))?)
    }

    fn of(path: &Path, bytes: &[u8]) -> Result<Self, RecordingError> {
        let path: Arc<Path> = Arc::from(path);
        let mut records = Self { lines: Vec::new(), truncated: None, complete: 0, unterminated: false };
        for (number, bytes) in (1..).zip(bytes.split_inclusive(|&byte| byte == b'\n')) {
            let whole = bytes.ends_with(b"\n");
            if !whole && is_cut_off(bytes) {
                records.truncated = Some(number);
                break;
            }
            if !bytes.trim_ascii().is_empty() {
                let head = parse(bytes).map_err(|fault| malformed(&path, number, fault))?;
                records.lines.push(RecordLine { path: Arc::clone(&path), number, head, bytes: bytes.to_owned() });
            }
            records.complete += bytes.len() as u64;
            records.unterminated = !whole;
        }
        Ok(records)
    }
}

impl RecordLine {
    /// What kind of record it is.
    pub fn kind(&self) -> &str {
        &self.head.record
    }

    /// The content, if the record has one of these versions.
    ///
    /// # Errors
    /// When it has another version, or its content is not as expected.
    pub fn parse<T: DeserializeOwned>(&self, versions: RangeInclusive<u32>) -> Result<T, RecordingError> {
        let found = self.head.version;
        let (oldest, newest) = versions.into_inner();
        if !(oldest.into()..=newest.into()).contains(&found) {
            let (path, record) = (self.path.to_path_buf(), self.head.record.clone());
            return Err(RecordingError::Version { path, line: self.number, record, found, oldest, newest });
        }
        parse(&self.bytes).map_err(|fault| malformed(&self.path, self.number, fault))
    }

    /// The error that something is wrong with a field of the record.
    pub fn malformed(&self, field: impl Into<String>, problem: impl Into<String>) -> RecordingError {
        malformed(&self.path, self.number, (field.into(), problem.into()))
    }
}

/// Records that are kept in memory, for who passes them on.
#[derive(Clone, Debug, Default)]
pub struct RecordBuffer(Arc<Mutex<Vec<u8>>>);

impl RecordBuffer {
    /// What stands for the path in errors.
    const PATH: &str = "(in memory)";

    /// What is written so far.
    ///
    /// # Errors
    /// When a line is no record.
    pub fn records(&self) -> Result<Records, RecordingError> {
        Records::of(Path::new(Self::PATH), &self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[derive(Debug)]
enum Place {
    File(File),
    Memory(RecordBuffer),
}

/// A file that records are appended to, each by one write.
#[derive(Debug)]
pub struct RecordFile {
    path: PathBuf,
    place: Place,
}

impl RecordFile {
    /// A new file; one that is there is replaced.
    ///
    /// # Errors
    /// When the file cannot be created.
    pub fn create(path: impl Into<PathBuf>) -> Result<Self, RecordingError> {
        let path = path.into();
        let file = File::create(&path).map_err(RecordingError::io("create", &path))?;
        Ok(Self { path, place: Place::File(file) })
    }

    /// No file, but memory.
    pub fn in_memory(buffer: RecordBuffer) -> Self {
        Self { path: RecordBuffer::PATH.into(), place: Place::Memory(buffer) }
    }

    /// A file that may be there already, and what it holds. A last line that is cut off is removed.
    ///
    /// # Errors
    /// When the file cannot be opened, or holds what is no record.
    pub fn append(path: impl Into<PathBuf>) -> Result<(Self, Records), RecordingError> {
        let path = path.into();
        let mut file =
            OpenOptions::new().append(true).create(true).open(&path).map_err(RecordingError::io("open", &path))?;
        let records = Records::read(&path)?;
        if records.truncated.is_some() {
            file.set_len(records.complete).map_err(RecordingError::io("shorten", &path))?;
        } else if records.unterminated {
            file.write_all(b"\n").map_err(RecordingError::io("write", &path))?;
        }
        Ok((Self { path, place: Place::File(file) }, records))
    }

    /// Appends one line, which ends with its line break.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&mut self, line: &[u8]) -> Result<(), RecordingError> {
        match &mut self.place {
            Place::File(file) => file.write_all(line).map_err(RecordingError::io("write", &self.path)),
            Place::Memory(RecordBuffer(bytes)) => {
                bytes.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(line);
                Ok(())
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn malformed(path: &Path, line: usize, (field, problem): (String, String)) -> RecordingError {
    RecordingError::Malformed { path: path.to_owned(), line, field, problem }
}

/// Parses a line, or says which field has which problem.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, (String, String)> {
    let mut json = serde_json::Deserializer::from_slice(bytes.trim_ascii_end());
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let field = match error.path().to_string().as_str() {
            // The line broke off before any field.
            "?" => ".".to_owned(),
            field => field.to_owned(),
        };
        (field, problem(error.inner()))
    })?;
    json.end().map_err(|error| (".".to_owned(), problem(&error)))?;
    Ok(value)
}

/// The message of `serde_json`, without its line number: it counts from the beginning of this line.
fn problem(error: &serde_json::Error) -> String {
    let message = error.to_string();
    match message.rsplit_once(" at line ") {
        Some((problem, _)) => format!("{problem} at column {}", error.column()),
        None => message,
    }
}

/// Whether a line without a line break is the beginning of a record. The beginning of a JSON object is
/// never a whole one, so nothing complete is taken for cut off.
fn is_cut_off(bytes: &[u8]) -> bool {
    // A cut may go through a character.
    let text = match str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => return true,
        Err(_) => return false,
    };
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_err_and(|error| error.is_eof())
}
