//! Around the warm Python: a file system that shows what Python needs and nothing else, and no network.
//!
//! The order matters. Trees are taken while the host's paths are still reachable, the new root is put
//! together in memory, the old one is let go, and the last privilege goes with the `exec` that follows.

use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use qianshou_interpreter_protocol::Tier;
use rustix::mount::{MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_change, unmount};
use rustix::process::{Signal, getegid, geteuid, pivot_root, set_parent_process_death_signal};
use rustix::thread::UnshareFlags;

use crate::failure::{Failure, Step};
use crate::identity::{self, INNER_ID};
use crate::mount::{Use, attach, copy_tree, in_memory, processes, seal};
use crate::system::{Fork, fork_into};

/// Folders of every system that programs and libraries live in.
const SYSTEM: [&str; 8] = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store"];

/// What programs read of a system's configuration; nothing here names a person or a secret.
const CONFIGURATION: [&str; 6] =
    ["/etc/alternatives", "/etc/fonts", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/localtime", "/etc/mime.types"];

const DEVICES: [&str; 5] = ["/dev/full", "/dev/null", "/dev/random", "/dev/urandom", "/dev/zero"];

/// What every program may read and run, where it exists.
pub fn common() -> impl Iterator<Item = &'static Path> {
    SYSTEM.into_iter().chain(CONFIGURATION).chain(DEVICES).map(Path::new)
}

/// The devices among [`common`].
pub(crate) fn devices() -> impl Iterator<Item = &'static Path> {
    DEVICES.into_iter().map(Path::new)
}

/// Where the warm Python keeps what it computes once, such as the list of fonts.
pub const CACHE: &str = "/var/cache/qianshou";

/// Where a session's files are.
pub const WORKSPACE: &str = "/workspace";

const BASE: &str = "/tmp";
const MEBIBYTE: u64 = 1 << 20;

/// Forks the warm Python's process; where there are namespaces, into its own.
///
/// Root does without a user namespace here, because it needs its rights to reach the trees, and gives
/// them up in [`enter`].
///
/// # Errors
/// Where the system refuses namespaces.
pub fn fork(tier: Tier) -> Result<Fork, Failure> {
    if tier != Tier::Namespaces {
        return fork_into(UnshareFlags::empty()).step("fork");
    }
    let mut flags = UnshareFlags::NEWNS
        | UnshareFlags::NEWPID
        | UnshareFlags::NEWNET
        | UnshareFlags::NEWIPC
        | UnshareFlags::NEWUTS
        | UnshareFlags::NEWCGROUP;
    let outside = (geteuid(), getegid());
    if outside.0.is_root() {
        return fork_into(flags).step("make namespaces");
    }
    flags |= UnshareFlags::NEWUSER;
    let side = fork_into(flags).step("make namespaces as an ordinary user")?;
    if side == Fork::Child {
        identity::map(outside)?;
    }
    Ok(side)
}

/// In the child of [`fork`]: leaves the host's file system for one that shows `visible` and [`common`]
/// alone, read-only, and leaves root if this is root.
///
/// # Errors
/// The step that the system refused.
pub fn enter(visible: &[PathBuf]) -> Result<(), Failure> {
    mount_change("/", MountPropagationFlags::REC | MountPropagationFlags::PRIVATE).step("keep mounts from the host")?;
    let trees = take(visible)?;
    let links = links(visible);
    let base = Path::new(BASE);
    in_memory(base, 4 * MEBIBYTE, 4096, "0755")?;
    furnish(base)?;
    for (path, tree) in &trees {
        let target = base.join(path.strip_prefix("/").unwrap_or(path));
        // A tree inside one that is attached already is seen through it.
        if !target.exists() {
            attach(tree, &target)?;
        }
    }
    for (path, target) in &links {
        link(base, path, target)?;
    }
    // While the old one is still there: an ordinary user may mount one only where one is.
    processes(&base.join("proc"), false)?;
    std::env::set_current_dir(base).step("enter the new root")?;
    pivot_root(".", ".").step("change the root")?;
    unmount(".", UnmountFlags::DETACH).step("let the old root go")?;
    std::env::set_current_dir("/").step("enter the new root")?;
    seal(Path::new("/"))?;
    rustix::system::sethostname(b"sandbox").step("set the host name")?;
    if geteuid().is_root() {
        identity::leave_root()?;
    }
    Ok(())
}

/// Without namespaces: leaves root if this is root.
///
/// # Errors
/// The step that the system refused.
pub fn leave_root() -> Result<(), Failure> {
    if geteuid().is_root() { identity::leave_root() } else { Ok(()) }
}

/// Ties this process to its parent's life. To be called after the last change of user, which unties it.
///
/// # Errors
/// As `prctl`.
pub fn die_with_parent() -> Result<(), Failure> {
    set_parent_process_death_signal(Some(Signal::KILL)).step("tie the process to its parent")
}

fn is_device(path: &Path) -> bool {
    devices().any(|device| device == path)
}

/// Trees in the order of their paths, so that a folder comes before what is in it. A path that is a
/// symbolic link stays one: its target is taken as well.
fn take(visible: &[PathBuf]) -> Result<Vec<(PathBuf, OwnedFd)>, Failure> {
    let mut paths: Vec<PathBuf> = common().map(PathBuf::from).chain(visible.iter().cloned()).collect();
    let targets: Vec<PathBuf> = paths.iter().filter_map(|path| fs::canonicalize(path).ok()).collect();
    paths.retain(|path| !path.is_symlink());
    paths.extend(targets);
    paths.sort();
    paths.dedup();
    let mut trees = Vec::new();
    for path in paths {
        let usage = if is_device(&path) { Use::Device } else { Use::Files };
        if let Some(tree) = copy_tree(&path, usage)? {
            trees.push((path, tree));
        }
    }
    Ok(trees)
}

/// Links and where they lead: those at the top of the system (`/bin` to `/usr/bin`) as the host has them, and those that
/// Python is reached by straight to where they end, because what lies on the way is not shown.
fn links(visible: &[PathBuf]) -> Vec<(PathBuf, PathBuf)> {
    let system = common().filter_map(|path| Some((path.to_path_buf(), fs::read_link(path).ok()?)));
    let python = visible.iter().filter(|path| path.is_symlink());
    let python = python.filter_map(|path| Some((path.clone(), fs::canonicalize(path).ok()?)));
    system.chain(python).collect()
}

fn link(base: &Path, path: &Path, target: &Path) -> Result<(), Failure> {
    let step = || format!("link {}", path.display());
    let place = base.join(path.strip_prefix("/").unwrap_or(path));
    // In a tree that is attached already it is there.
    if place.symlink_metadata().is_ok() {
        return Ok(());
    }
    if let Some(folder) = place.parent() {
        fs::create_dir_all(folder).step(step())?;
    }
    symlink(target, &place).step(step())
}

/// Folders to mount at, and the few files that programs ask about themselves and the host.
fn furnish(base: &Path) -> Result<(), Failure> {
    for folder in ["proc", "tmp", "workspace", "dev/shm", "etc", &CACHE[1..]] {
        fs::create_dir_all(base.join(folder)).step(format!("make /{folder}"))?;
    }
    let files = [
        ("passwd", format!("sandbox:x:{INNER_ID}:{INNER_ID}::{WORKSPACE}:/bin/sh\n")),
        ("group", format!("sandbox:x:{INNER_ID}:\n")),
        ("nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n".into()),
        ("hosts", "127.0.0.1 localhost sandbox\n::1 localhost\n".into()),
    ];
    for (name, text) in files {
        fs::write(base.join("etc").join(name), text).step(format!("write /etc/{name}"))?;
    }
    for (name, target) in [("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")] {
        symlink(target, base.join("dev").join(name)).step(format!("link /dev/{name}"))?;
    }
    in_memory(&base.join("tmp"), 64 * MEBIBYTE, 4096, "1777")?;
    in_memory(&base.join(&CACHE[1..]), 16 * MEBIBYTE, 1024, "1777")?;
    mount("tmpfs", base.join("dev/shm"), "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, c"size=64m,mode=1777")
        .step("mount shared memory")
}
