//! From the settings to a checked file.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    artifact::{Artifact, SMOLLM2},
    digest,
    error::BaseError,
    fetch, install, lock,
    progress::{Progress, Report},
    settings::Settings,
    workspace::Workspace,
};

/// The path of the base model, which is fetched first where it is missing. Needs a Tokio runtime.
///
/// A file named by [`Settings::base`] is used as it is, if its SHA-256 is right. Otherwise the data
/// folder is looked into, and a missing or damaged file is fetched. `report` hears how a fetch goes
/// and is not called when nothing needs to be fetched. Dropping the future stops the fetch.
///
/// # Errors
/// Every [`BaseError`] names the ways out in its hint.
pub async fn locate_or_fetch(
    settings: &Settings,
    report: &(dyn Fn(Progress) + Send + Sync),
) -> Result<PathBuf, BaseError> {
    artifact(&SMOLLM2, settings, report).await
}

/// [`locate_or_fetch`] for any artifact.
pub(super) async fn artifact(
    artifact: &'static Artifact,
    settings: &Settings,
    report: Report<'_>,
) -> Result<PathBuf, BaseError> {
    if let Some(path) = &settings.base {
        return match differs(artifact, path).await {
            Ok(None) => Ok(path.clone()),
            Ok(Some(difference)) => Err(BaseError::wrong_given_file(artifact, path, &difference)),
            Err(error) => Err(BaseError::given_file(path, error)),
        };
    }
    let home = settings.home.as_deref().ok_or_else(BaseError::no_data_folder)?;
    let folder = std::path::absolute(home).unwrap_or_else(|_| home.to_path_buf()).join("base");
    let path = folder.join(artifact.file);
    if is_ready(artifact, &path).await? {
        return Ok(path);
    }
    fs::create_dir_all(&folder).map_err(|error| BaseError::data_file("create", &folder, error))?;
    let _lock = lock::acquire(&folder, report).await?;
    // Whoever held the lock before us may have fetched it.
    if is_ready(artifact, &path).await? {
        return Ok(path);
    }
    let workspace = Workspace::create(&folder)?;
    let payload = fetch::fetch(artifact, settings, workspace.path(), report).await?;
    install::install(artifact, payload, workspace.path(), &path, report).await?;
    Ok(path)
}

/// Whether the data folder holds the file, whole; a damaged one counts as missing.
async fn is_ready(artifact: &'static Artifact, path: &Path) -> Result<bool, BaseError> {
    match differs(artifact, path).await {
        Ok(difference) => Ok(difference.is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(BaseError::data_file("read", path, error)),
    }
}

/// How the file at `path` differs from the artifact's, if it does.
async fn differs(artifact: &'static Artifact, path: &Path) -> io::Result<Option<String>> {
    let path = path.to_path_buf();
    tokio::task::spawn_blocking(move || {
        let metadata = fs::metadata(&path)?;
        if metadata.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let length = metadata.len();
        if length != artifact.file_bytes {
            return Ok(Some(format!("it has {length} bytes instead of {}", artifact.file_bytes)));
        }
        let found = digest::of_file(&path)?;
        Ok((found != artifact.file_sha256)
            .then(|| format!("its SHA-256 is {found} instead of {}", artifact.file_sha256)))
    })
    .await?
}
