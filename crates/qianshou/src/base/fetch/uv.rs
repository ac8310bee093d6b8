//! `uv pip install --target`, since uv cannot download a wheel without installing it.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use super::tool;
use crate::base::{
    artifact::Artifact,
    error::BaseError,
    progress::{Report, Source},
};

/// The wanted file as uv installed it, or `None` where there is no uv or it finds no Python.
pub(super) async fn install(
    artifact: &Artifact,
    uv: &[OsString],
    workspace: &Path,
    report: Report<'_>,
) -> Result<Option<PathBuf>, BaseError> {
    let folder = workspace.join("uv");
    let Some(mut command) = tool::command(uv, workspace) else { return Ok(None) };
    command
        // uv runs Python to look at it: the same precaution as for pip.
        .env("PYTHONSAFEPATH", "1")
        // A link into uv's cache would let a later change of the cache damage our file.
        .args(["pip", "install", "--no-deps", "--no-python-downloads", "--link-mode", "copy"])
        .args(["--only-binary", ":all:", "--no-progress", "--python-version", artifact.python, "--target"])
        .arg(&folder)
        .arg(artifact.requirement());
    let is_missing = |messages: &str| messages.contains("No interpreter found");
    let ran = tool::run(artifact, Source::Uv, command, workspace, is_missing, report).await?;
    Ok(ran.then(|| folder.join(artifact.member_folder).join(artifact.file)))
}
