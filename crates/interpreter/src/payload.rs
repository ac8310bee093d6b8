//! The programs that travel inside this crate, and their place on the disk.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use crate::error::InterpreterError;

const SUPERVISOR: &[u8] = include_bytes!(env!("QIANSHOU_SUPERVISOR"));
const KERNEL: &[u8] = include_bytes!(env!("QIANSHOU_KERNEL"));

/// Where the programs are.
#[derive(Clone, Debug)]
pub(crate) struct Payload {
    pub(crate) supervisor: PathBuf,
    pub(crate) kernel: PathBuf,
}

/// Puts the programs into the user's cache folder, unless they are there.
pub(crate) fn unpack() -> Result<Payload, InterpreterError> {
    let cache = etcetera::choose_base_strategy().map(|strategy| strategy.cache_dir()).map_err(|error| {
        InterpreterError::Cache { folder: "the cache folder".into(), source: io::Error::other(error) }
    })?;
    let folder = cache.join("qianshou/interpreter");
    unpack_into(&folder).map_err(|source| InterpreterError::Cache { folder: folder.display().to_string(), source })
}

fn unpack_into(folder: &Path) -> io::Result<Payload> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let about = fs::symlink_metadata(folder)?;
    let ours = about.is_dir() && about.uid() == rustix::process::geteuid().as_raw();
    if !ours || about.mode() & 0o022 != 0 {
        return Err(io::Error::other("it belongs to somebody else, or somebody else may write there"));
    }
    Ok(Payload { supervisor: place(folder, "supervisor", SUPERVISOR)?, kernel: place(folder, "kernel.so", KERNEL)? })
}

/// Named by its content, so that versions live side by side and none is replaced under a running one.
fn place(folder: &Path, name: &str, content: &[u8]) -> io::Result<PathBuf> {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    let path = folder.join(format!("{:016x}-{name}", hasher.finish()));
    if fs::read(&path).is_ok_and(|found| found == content) {
        return Ok(path);
    }
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(content)?;
    // Readable by others, because a root host reads it as another user; the folder keeps them out.
    file.as_file().set_permissions(fs::Permissions::from_mode(0o755))?;
    file.persist(&path)?;
    Ok(path)
}
