//! The folder in which a download grows.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process,
};

use super::error::BaseError;

/// A folder beside the finished file (so that a rename is atomic), removed when dropped.
///
/// A process that is killed cannot clean up. The next fetch does it: it holds the lock, so whatever
/// lies in the common parent is a leftover.
#[derive(Debug)]
pub(super) struct Workspace {
    parent: PathBuf,
    folder: PathBuf,
}

impl Workspace {
    /// Makes an empty folder inside `data_folder`, whose lock the caller holds.
    pub(super) fn create(data_folder: &Path) -> Result<Self, BaseError> {
        let parent = data_folder.join(".fetch");
        match fs::remove_dir_all(&parent) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(BaseError::data_file("clear", &parent, error));
            }
            _ => {}
        }
        // A name of our own, because the download tool of a killed process may still be running.
        let folder = parent.join(process::id().to_string());
        fs::create_dir_all(&folder).map_err(|error| BaseError::data_file("create", &folder, error))?;
        Ok(Self { parent, folder })
    }

    /// Where to put things.
    pub(super) fn path(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next fetch.
        let _ = fs::remove_dir_all(&self.parent);
    }
}
