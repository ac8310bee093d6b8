//! Supervisor to kernel: one cell at a time.

use serde::{Deserialize, Serialize};

use crate::session::{Bundle, CellError, SelfTest, Verdict};

/// From supervisor to kernel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToKernel {
    /// Forks a frozen copy, which takes the socket that travels with this message for its own channel.
    Checkpoint,
    /// To a frozen copy: become the kernel.
    Wake,
    /// Runs a cell.
    Execute {
        /// Of the cell; each is used once, also after a roll-back.
        number: u64,
        /// The cell.
        code: String,
    },
    /// A display was taken.
    Taken,
    /// Tries what a cell must not be able to do.
    SelfTest(SelfTest),
}

/// From kernel to supervisor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FromKernel {
    /// The kernel waits for a cell.
    Ready,
    /// The kernel ends before it has begun, because a step of locking it in was refused: which, and why.
    NotConfined(String),
    /// How the fork of a checkpoint went, said by the kernel or by the copy on its own channel.
    Checkpoint(Checkpoint),
    /// The cell shows something.
    Display {
        /// In several forms.
        data: Bundle,
    },
    /// The cell has ended.
    Done {
        /// Of the cell.
        number: u64,
        /// How.
        outcome: Box<Outcome>,
    },
    /// What a self-test found.
    Tested(Vec<Verdict>),
}

/// The fork of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Checkpoint {
    /// From the copy: it is frozen.
    Frozen,
    /// From the kernel: it could not fork.
    Refused,
}

/// How a cell ended, as the kernel tells it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// `ok`, `error`, `interrupted` or `exited`; `broken` when no other cell could run after this one.
    pub status: String,
    /// The value of the last expression.
    pub value: Option<Bundle>,
    /// The exception.
    pub error: Option<CellError>,
    /// For `exited`.
    pub exit_code: Option<i64>,
    /// What was cut or left out.
    pub notes: Vec<String>,
}
