//! The file that exchanges are recorded to.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{Exchange, RecordingError, Records};

/// The version of the exchange record that is written.
///
/// Every change of what a line holds, an optional field too, makes a new version: a request with a field
/// that a reader does not know would be another request. A reader refuses versions that it does not know,
/// with an error that names line and version.
///
/// | version | what changed | old reader, new data | new reader, old data |
/// |--:|---|---|---|
/// | 1 | the first | | |
/// | 2 | parts `call` and `result`, events `call` and `arguments`, errors of kind `denied` | refused | read |
pub const EXCHANGE_VERSION: u32 = 2;

/// The oldest version that is read.
const OLDEST: u32 = 1;

const KIND: &str = "exchange";

/// An exchange and its place among the others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// How many exchanges of the recording had ended when this one began.
    pub after: usize,
    /// The exchange.
    pub exchange: Exchange,
}

impl Recorded {
    /// The line of a file of records, with its line break.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn to_line(&self) -> Result<Vec<u8>, serde_json::Error> {
        let Self { after, exchange } = self;
        let line = Line { record: KIND, version: EXCHANGE_VERSION, after: *after, exchange };
        let mut line = serde_json::to_vec(&line)?;
        line.push(b'\n');
        Ok(line)
    }
}

/// The exchanges of a file.
///
/// A recording is a [file of records](Records); the lines of exchanges are
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
}

/// A line as it is written.
#[derive(Serialize)]
struct Line<'a> {
    record: &'static str,
    version: u32,
    after: usize,
    exchange: &'a Exchange,
}

impl Recording {
    /// Reads a recording.
    ///
    /// # Errors
    /// When the file cannot be read, or a line is malformed or of another version. A last line that is
    /// cut off is no error; see [`truncated`](Self::truncated).
    pub fn read(path: impl AsRef<Path>) -> Result<Self, RecordingError> {
        Self::of(&Records::read(path)?)
    }

    /// The exchanges among records.
    ///
    /// # Errors
    /// As [`read`](Self::read), but for the file.
    pub fn of(records: &Records) -> Result<Self, RecordingError> {
        let mut exchanges: Vec<Recorded> = Vec::new();
        for line in records.lines.iter().filter(|line| line.kind() == KIND) {
            let recorded: Recorded = line.parse(OLDEST..=EXCHANGE_VERSION)?;
            let (after, before) = (recorded.after, exchanges.len());
            if after > before {
                let problem = format!("{after} exchanges should have ended before, and the file has {before}");
                return Err(line.malformed("after", problem));
            }
            exchanges.push(recorded);
        }
        Ok(Self { exchanges, truncated: records.truncated })
    }
}
