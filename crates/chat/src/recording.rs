//! The file that exchanges are recorded to.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::Exchange;

/// The version of the exchange record that is written.
///
/// Every change of what a line holds, an optional field too, makes a new version: a request with a field
/// that a reader does not know would be another request. A reader refuses versions that it does not know,
/// with an error that names line and version.
///
/// | version | what changed | old reader, new data | new reader, old data |
/// |--:|---|---|---|
/// | 1 | the first | | |
/// | 2 | native tool calls: parts `call` and `result`, events `call` and `arguments` | refused | read |
pub const EXCHANGE_VERSION: u32 = 2;

/// The oldest version that is read.
const OLDEST: u32 = 1;

const KIND: &str = "exchange";

/// Why a recording cannot be written or read.
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
        "line {line} of the recording {}: an exchange of version {found}, and versions {OLDEST} to \
         {EXCHANGE_VERSION} can be read; use the program that wrote it", path.display()
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Which line, counted from 1.
        line: usize,
        /// The version it states.
        found: u64,
    },
    /// The file holds no exchange.
    #[error("the recording {} holds no exchange", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

impl RecordingError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}

/// An exchange and its place among the others.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// How many exchanges of the recording had ended when this one began.
    pub after: usize,
    /// The exchange.
    pub exchange: Exchange,
}

/// The exchanges of a file.
///
/// A recording is a file of JSON lines. Each line is an object with `record` (what it is) and `version` (of
/// that kind of record); the lines of exchanges are
/// `{"record":"exchange","version":2,"after":N,"exchange":{…}}`, in the order in which the exchanges ended.
/// `exchange` is an [`Exchange`]; images in it are base64. Lines of other kinds are passed over, so that a
/// file which holds more than exchanges (the transcript of a run) can be replayed too.
///
/// `after` says how many exchanges of the file had ended when this one began. Exchanges that followed each
/// other have 0, 1, 2, …; a smaller number shows which ones were in flight together.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// The exchanges, in the order in which they ended.
    pub exchanges: Vec<Recorded>,
    /// The number of the last line, counted from 1, if it is cut off: the program that wrote it was
    /// killed. What it held is not among the exchanges.
    pub truncated: Option<usize>,
    /// Length of all complete lines in bytes.
    pub(crate) complete: u64,
    /// Whether the last complete line lacks its line break.
    pub(crate) unterminated: bool,
}

/// What every line of the family begins with.
#[derive(Deserialize)]
struct Head {
    record: String,
    version: u64,
}

/// A line as it is read.
#[derive(Deserialize)]
struct Line {
    after: usize,
    exchange: Exchange,
}

/// A line as it is written.
#[derive(Serialize)]
struct NewLine<'a> {
    record: &'static str,
    version: u32,
    after: usize,
    exchange: &'a Exchange,
}

/// The line of an exchange, with its line break.
pub(crate) fn line(after: usize, exchange: &Exchange) -> Result<Vec<u8>, serde_json::Error> {
    let mut line = serde_json::to_vec(&NewLine { record: KIND, version: EXCHANGE_VERSION, after, exchange })?;
    line.push(b'\n');
    Ok(line)
}

impl Recording {
    /// Reads a recording.
    ///
    /// # Errors
    /// When the file cannot be read, or a line is malformed or of another version. A last line that is
    /// cut off is no error; see [`truncated`](Self::truncated).
    pub fn read(path: impl AsRef<Path>) -> Result<Self, RecordingError> {
        let path = path.as_ref();
        let bytes = fs::read(path).map_err(RecordingError::io("read", path))?;
        let mut recording = Self { exchanges: Vec::new(), truncated: None, complete: 0, unterminated: false };
        for (number, bytes) in (1..).zip(bytes.split_inclusive(|&byte| byte == b'\n')) {
            let whole = bytes.ends_with(b"\n");
            if !whole && is_cut_off(bytes) {
                recording.truncated = Some(number);
                break;
            }
            if !bytes.trim_ascii().is_empty() {
                recording.take_line(path, number, bytes)?;
            }
            recording.complete += bytes.len() as u64;
            recording.unterminated = !whole;
        }
        Ok(recording)
    }

    fn take_line(&mut self, path: &Path, line: usize, bytes: &[u8]) -> Result<(), RecordingError> {
        let malformed = |(field, problem)| RecordingError::Malformed { path: path.to_owned(), line, field, problem };
        let head: Head = parse(bytes).map_err(malformed)?;
        if head.record != KIND {
            return Ok(());
        }
        if !(OLDEST.into()..=EXCHANGE_VERSION.into()).contains(&head.version) {
            return Err(RecordingError::Version { path: path.to_owned(), line, found: head.version });
        }
        let Line { after, exchange } = parse(bytes).map_err(malformed)?;
        let before = self.exchanges.len();
        if after > before {
            let problem = format!("{after} exchanges should have ended before, and the file has {before}");
            return Err(malformed(("after".to_owned(), problem)));
        }
        self.exchanges.push(Recorded { after, exchange });
        Ok(())
    }
}

/// Parses a line, or says which field has which problem.
fn parse<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, (String, String)> {
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
