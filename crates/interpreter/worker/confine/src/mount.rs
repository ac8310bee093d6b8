//! Mounts: trees shown read-only, file systems in memory.

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{CWD, FileType, fstat};
use rustix::io::Errno;
use rustix::mount::{MountFlags, MoveMountFlags, OpenTreeFlags, mount, move_mount, open_tree};

use crate::failure::{Failure, Step};
use crate::system::restrict_mount;

/// Flags of `mount_setattr`; the kernel's numbers.
const READ_ONLY: u64 = 0x1;
const NO_SETUID: u64 = 0x2;
const NO_DEVICES: u64 = 0x4;

/// What a mount may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// Files to read and run.
    Files,
    /// A device node.
    Device,
}

/// A copy of the tree at `path`, attached nowhere yet, read-only with all mounts below it. `None` when
/// there is nothing at the path.
pub(crate) fn copy_tree(path: &Path, usage: Use) -> Result<Option<OwnedFd>, Failure> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_RECURSIVE;
    let tree = match open_tree(CWD, path, flags) {
        Err(Errno::NOENT) => return Ok(None),
        result => result.step(format!("take the tree at {}", path.display()))?,
    };
    let no_devices = if usage == Use::Files { NO_DEVICES } else { 0 };
    restrict_mount(&tree, READ_ONLY | NO_SETUID | no_devices, true)
        .step(format!("make the tree at {} read-only", path.display()))?;
    Ok(Some(tree))
}

/// Attaches a tree at `target`, and makes the place if need be.
pub(crate) fn attach(tree: &OwnedFd, target: &Path) -> Result<(), Failure> {
    let step = || format!("attach a tree at {}", target.display());
    let is_folder = FileType::from_raw_mode(fstat(tree).step(step())?.st_mode) == FileType::Directory;
    place(target, is_folder).step(step())?;
    move_mount(tree, "", CWD, target, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH).step(step())
}

fn place(target: &Path, is_folder: bool) -> io::Result<()> {
    if is_folder {
        return fs::create_dir_all(target);
    }
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::OpenOptions::new().append(true).create(true).open(target).map(drop)
}

/// A file system in memory at `target`, which exists.
pub(crate) fn in_memory(target: &Path, bytes: u64, files: u64, mode: &str) -> Result<(), Failure> {
    let options = format!("size={bytes},nr_inodes={files},mode={mode}");
    file_system("tmpfs", target, &options, MountFlags::NOSUID | MountFlags::NODEV)
}

/// The processes of this process namespace at `target`, and nothing else of the kernel where it can be left out.
pub(crate) fn processes(target: &Path, only_processes: bool) -> Result<(), Failure> {
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    file_system("proc", target, if only_processes { "subset=pid" } else { "" }, flags)
}

fn file_system(kind: &str, target: &Path, options: &str, flags: MountFlags) -> Result<(), Failure> {
    let step = format!("mount {kind} at {}", target.display());
    let options = CString::new(options).map_err(io::Error::from).step(step.clone())?;
    mount(kind, target, kind, flags, options.as_c_str()).step(step)
}

/// Makes the file system at `path` read-only where it is attached, and not what is mounted below it.
pub(crate) fn seal(path: &Path) -> Result<(), Failure> {
    let step = || format!("make {} read-only", path.display());
    let tree = open_tree(CWD, path, OpenTreeFlags::OPEN_TREE_CLOEXEC).step(step())?;
    restrict_mount(&tree, READ_ONLY, false).step(step())
}
