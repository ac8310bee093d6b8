//! One fetch at a time for each data folder.

use std::{
    fs::{File, TryLockError},
    path::Path,
    time::Duration,
};

use super::{
    error::BaseError,
    progress::{Progress, Report},
};

/// How often a waiting process looks whether the other one is done.
const PAUSE: Duration = Duration::from_millis(200);

/// Waits until nobody else fetches into `folder`. The lock holds until the file is dropped, and the
/// system frees it when a process dies, so no stale lock can remain.
///
/// The wait polls, because a blocking wait could not be cancelled.
pub(super) async fn acquire(folder: &Path, report: Report<'_>) -> Result<File, BaseError> {
    let path = folder.join(".lock");
    let file = File::create(&path).map_err(|error| BaseError::data_file("write", &path, error))?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => report(Progress::Waiting),
            Err(TryLockError::Error(error)) => return Err(BaseError::data_file("lock", &path, error)),
        }
        tokio::time::sleep(PAUSE).await;
    }
}
