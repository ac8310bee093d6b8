//! Host to supervisor: cells, files, and what became of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A value in several forms: MIME type to text; binary forms are in base64.
pub type Bundle = BTreeMap<String, String>;

/// What a display counts against [`Limits::display_bytes`]: its text, and something for being there at all.
#[must_use]
pub fn weight(display: &Bundle) -> u64 {
    const EACH: u64 = 1024;
    EACH + display.iter().map(|(mime, text)| (mime.len() + text.len()) as u64).sum::<u64>()
}

/// The bounds of a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Wall clock of a cell, in milliseconds.
    pub cell_milliseconds: u64,
    /// What a cell has to answer an interrupt, in milliseconds, before it is killed.
    pub grace_milliseconds: u64,
    /// Memory of all processes of a session together, in bytes.
    pub memory_bytes: u64,
    /// Size of the workspace, in bytes.
    pub workspace_bytes: u64,
    /// Files and folders in the workspace.
    pub workspace_files: u64,
    /// Size of one file, in bytes.
    pub file_bytes: u64,
    /// Processes and threads at a time.
    pub processes: u64,
    /// Descriptors of a process.
    pub open_files: u64,
    /// What is kept of each of stdout and stderr, in bytes; head and tail.
    pub output_bytes: u64,
    /// What a cell may print at all, in bytes, before it is killed.
    pub flood_bytes: u64,
    /// What a cell may show (value, displays), in bytes.
    pub display_bytes: u64,
}

/// What a session may reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// Nothing.
    #[default]
    Off,
    /// Servers that the session itself runs on its own loopback.
    Loopback,
}

/// From host to supervisor. Each `id` is used once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Runs a cell; answered by [`Event::Done`].
    Execute {
        /// Of this request.
        id: u64,
        /// The cell.
        code: String,
        /// Whether to send [`Event::Output`] while it runs.
        streams: bool,
    },
    /// Stops the running cell as a time-out would.
    Interrupt {
        /// Of the cell to stop.
        id: u64,
    },
    /// Writes a file into the workspace: `bytes` bytes follow as raw frames. Answered by
    /// [`Event::Stored`] or [`Event::Refused`].
    Put {
        /// Of this request.
        id: u64,
        /// Relative to the workspace.
        path: String,
        /// How many bytes follow.
        bytes: u64,
    },
    /// Reads a file of the workspace. Answered by [`Event::Content`] and raw frames, or [`Event::Refused`].
    Get {
        /// Of this request.
        id: u64,
        /// Relative to the workspace.
        path: String,
        /// Refuse a file that is larger.
        most: u64,
    },
    /// Tries from the inside what a cell must not be able to do; answered by [`Event::Tested`].
    SelfTest {
        /// Of this request.
        id: u64,
        /// What to try it on.
        test: SelfTest,
    },
}

/// Targets of a self-test: all of them the host's own, made for the test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SelfTest {
    /// A file that the host can read.
    pub file: String,
    /// A folder that the host can write.
    pub folder: String,
    /// A TCP port of the host's loopback on which the host listens.
    pub port: u16,
    /// A socket file on which the host listens.
    pub socket: String,
    /// The abstract name of a Unix socket on which the host listens.
    pub abstract_name: String,
    /// A process of the host that only waits.
    pub process: i32,
    /// More memory than the session may have, in bytes, where the system bounds that.
    pub memory_bytes: Option<u64>,
}

/// One finding of a self-test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// What was tried.
    pub attempt: String,
    /// Whether it was stopped.
    pub stopped: bool,
    /// How: the error that it met, or what it got.
    pub how: String,
}

/// From supervisor to host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The first message: the session is ready.
    Hello {
        /// [`VERSION`](crate::VERSION) of the sender.
        version: u32,
    },
    /// The session could not be made, because a step of locking it in was refused.
    NotConfined {
        /// Which, and why.
        message: String,
    },
    /// The session could not be made, or cannot go on.
    Failed {
        /// Why.
        message: String,
    },
    /// More of what the running cell prints, if it was asked for; what comes too fast is left out, with a mark.
    Output {
        /// Where it prints it.
        stream: Stream,
        /// What it prints.
        text: String,
    },
    /// Something that the running cell shows.
    Display {
        /// In several forms.
        data: Bundle,
    },
    /// A cell has ended.
    Done {
        /// Of the request.
        id: u64,
        /// How.
        completion: Box<Completion>,
    },
    /// A file was written.
    Stored {
        /// Of the request.
        id: u64,
    },
    /// A file follows, `bytes` bytes in raw frames.
    Content {
        /// Of the request.
        id: u64,
        /// How many bytes follow.
        bytes: u64,
    },
    /// A request cannot be met; the session goes on.
    Refused {
        /// Of the request.
        id: u64,
        /// Why.
        message: String,
    },
    /// What a self-test found.
    Tested {
        /// Of the request.
        id: u64,
        /// One for each attempt.
        verdicts: Vec<Verdict>,
    },
}

/// One of the two streams that a cell prints to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// What a cell printed on one stream: its head and tail, with a mark where something is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Printed {
    /// What is kept.
    pub text: String,
    /// How much it was, in bytes.
    pub bytes: u64,
}

/// How a cell ended. What the supervisor measured itself and what the cell said are both here, and
/// the cell has a say only in `value`, `error`, `notes` and in which of the first four statuses it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Completion {
    /// How it ended.
    pub status: Status,
    /// What became of the session's variables.
    pub state: State,
    /// Standard output.
    pub stdout: Printed,
    /// Standard error.
    pub stderr: Printed,
    /// The value of the last expression.
    pub value: Option<Bundle>,
    /// The exception that ended it.
    pub error: Option<CellError>,
    /// What was cut or left out, a sentence each.
    pub notes: Vec<String>,
    /// Files of the workspace that the cell made or changed.
    pub files: Vec<NewFile>,
    /// Wall clock, in microseconds.
    pub microseconds: u64,
    /// Most memory of all processes together, in bytes, as far as it was seen.
    pub peak_memory_bytes: u64,
}

/// How a cell ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// To its last line.
    Ok,
    /// By an exception.
    Error,
    /// By an interrupt that the host asked for.
    Interrupted,
    /// By `exit()`, which ends the cell and not the session.
    Exited(i64),
    /// Its time was up.
    TimedOut,
    /// Its processes took more memory than the session may have.
    OutOfMemory,
    /// It printed more than a cell may.
    OutputLimit,
    /// Its process died of a signal.
    Crashed(i32),
    /// Its process ended by itself, without a word, with this exit code.
    Vanished(i32),
    /// It broke the protocol between kernel and supervisor.
    Violation,
}

/// What became of the session's variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// They are as the cell left them.
    Kept,
    /// They are as they were before the cell. Files are not rolled back, threads and child processes are gone.
    Restored,
    /// They are as they were after an earlier cell, because no copy could be made of what came later.
    Earlier {
        /// The cell's number, as tracebacks show it; 0 is the beginning of the session.
        cell: u64,
    },
    /// They are gone.
    Lost,
}

/// An exception that ended a cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CellError {
    /// Its type.
    pub name: String,
    /// What it says.
    pub message: String,
    /// Its traceback, the cell's own lines alone.
    pub traceback: String,
    /// How to mend it.
    pub hint: Option<String>,
}

/// A file that a cell made or changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewFile {
    /// Relative to the workspace.
    pub path: String,
    /// Its size.
    pub bytes: u64,
}
