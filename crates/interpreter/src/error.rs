//! Why there is no interpreter, no session, or no result.

use std::io;

use qianshou_interpreter_protocol::Tier;

use crate::python::PythonError;

/// Why an interpreter cannot be had, or a session of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InterpreterError {
    /// No Python that can be used.
    #[error(transparent)]
    Python(#[from] PythonError),
    /// This machine cannot lock code in as far as was required.
    #[error(
        "this machine cannot isolate Python ({}); allow less with `Isolation::BestEffort` if you trust the code",
        list(refusals)
    )]
    Isolation {
        /// What was tried, and why each failed.
        refusals: Vec<Refusal>,
    },
    /// The operating system is not supported.
    #[error("sandboxed Python needs Linux on x86-64, AArch64 or RISC-V; this is {0}")]
    System(&'static str),
    /// The interpreter's own programs cannot be put into the cache folder.
    #[error("cannot put the interpreter's programs into {folder}: {source}; set XDG_CACHE_HOME to a folder of yours")]
    Cache {
        /// The folder.
        folder: String,
        /// Why.
        source: io::Error,
    },
    /// A step of locking Python in was refused, or did not hold what it should.
    #[error("Python cannot be locked in: {0}")]
    NotConfined(String),
    /// The warm Python did not start, or has ended.
    #[error("Python does not run: {0}")]
    Start(String),
    /// A limit that makes no sense.
    #[error("the limit `{name}` must be {rule}")]
    Limit {
        /// Which.
        name: &'static str,
        /// What it must be.
        rule: &'static str,
    },
}

/// A way to lock in that did not work here.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// Which.
    pub tier: Tier,
    /// Why not.
    pub reason: String,
}

fn list(refusals: &[Refusal]) -> String {
    let each = refusals.iter().map(|refusal| format!("{:?}: {}", refusal.tier, refusal.reason));
    each.collect::<Vec<_>>().join("; ")
}

/// Why a request to a session has no result. What a cell does wrong is no such error, but in its
/// [`Cell`](crate::Cell).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExecuteError {
    /// The session ended and no new one could be made.
    #[error("the Python session has ended and cannot start again")]
    Restart(#[source] InterpreterError),
    /// The session's supervisor is gone, or said what it may not say.
    #[error("the Python session has ended: {0}; its variables and files are gone, the next cell starts a new one")]
    Ended(String),
    /// The session cannot do this.
    #[error("{0}")]
    Refused(String),
    /// The code is longer than a cell may be.
    #[error("a cell of {bytes} bytes is longer than {most}")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The bound.
        most: usize,
    },
}
