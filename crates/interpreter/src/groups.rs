//! Control groups: where this user may make some, the system itself bounds a session's memory and processes.
//!
//! An interpreter has one group, and each session one below it. They are made beside the host's own group, in the
//! nearest one above it that passes the memory controller on and that this user may write to: a group that holds
//! processes itself, as the host's own does, has none below it. A session's first process enters through a
//! descriptor that the host has opened, before anything else of the session exists.
//!
//! Nothing is left behind: a session's group goes with the session, and the interpreter's with the launcher, which
//! outlives a host that is killed. What both leave, killed at one time, goes when the next interpreter starts: the
//! host holds a lock on its group for as long as it lives.

use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use qianshou_interpreter_protocol::{Completion, Limits, Status};
use rustix::fs::{FlockOperation, flock};

const PREFIX: &str = "qianshou-";

/// How long the processes of a session may take to leave its group.
const LEAVING: Duration = Duration::from_secs(10);

/// The group of an interpreter.
#[derive(Debug)]
pub(crate) struct Groups {
    folder: PathBuf,
    /// Tells others that the group is not left behind.
    _lock: File,
    sessions: AtomicU64,
}

impl Groups {
    /// Makes the group, and removes those of hosts that are gone; or says why there can be none.
    pub(crate) fn make() -> Result<Self, String> {
        let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        if !counts_the_rights_of_the_opener(&release) {
            return Err("sessions enter control groups as Linux 5.16 and later let them".to_owned());
        }
        let parent = parent()?;
        sweep(&parent);
        let failed = |error: io::Error| format!("cannot make a control group in {}: {error}", parent.display());
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(&parent).map_err(failed)?.keep();
        let made = lock(&folder).and_then(|lock| pass_memory_on(&folder).map(|()| lock));
        let lock = made.map_err(|error| {
            drop(fs::remove_dir(&folder));
            failed(error)
        })?;
        Ok(Self { folder, _lock: lock, sessions: AtomicU64::new(0) })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The group of a session, with its limits in force.
    pub(crate) fn session(&self, limits: &Limits) -> io::Result<SessionGroup> {
        let group = SessionGroup(self.folder.join(self.sessions.fetch_add(1, Ordering::Relaxed).to_string()));
        fs::create_dir(&group.0)?;
        group.limit_memory(limits.memory_bytes)?;
        // Of what follows a system may have nothing: no swap, no controller for processes.
        for (file, value) in [("memory.swap.max", 0), ("pids.max", limits.processes)] {
            match fs::write(group.0.join(file), value.to_string()) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(group)
    }
}

/// The group of a session.
#[derive(Debug)]
pub(crate) struct SessionGroup(PathBuf);

/// What the system counts for a group, since it was made.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    /// The most memory at one time, in bytes; 0 where the system does not say.
    peak: u64,
    /// Processes that were killed because the group was full.
    killed: u64,
}

impl SessionGroup {
    /// Where a process enters by writing `0`.
    pub(crate) fn entrance(&self) -> io::Result<OwnedFd> {
        Ok(File::options().write(true).open(self.0.join("cgroup.procs"))?.into())
    }

    pub(crate) fn limit_memory(&self, bytes: u64) -> io::Result<()> {
        fs::write(self.0.join("memory.max"), bytes.to_string())
    }

    pub(crate) fn counts(&self) -> Counts {
        let read = |file: &str| fs::read_to_string(self.0.join(file)).unwrap_or_default();
        let number = |text: &str| text.trim().parse().unwrap_or(0);
        let events = read("memory.events");
        let killed = events.lines().find_map(|line| line.strip_prefix("oom_kill "));
        Counts { peak: number(&read("memory.peak")), killed: killed.map_or(0, number) }
    }

    /// Adds what the system has counted since `before`, when the cell began, to what the supervisor saw.
    pub(crate) fn add_to(&self, completion: &mut Completion, before: Counts) {
        let now = self.counts();
        // It is not known when the peak was, unless it has grown.
        if now.peak > before.peak {
            completion.peak_memory_bytes = completion.peak_memory_bytes.max(now.peak);
        }
        if now.killed > before.killed {
            match completion.status {
                Status::Crashed(KILLED) => completion.status = Status::OutOfMemory,
                Status::OutOfMemory => {}
                _ => completion.notes.push(
                    "The system has ended a process of this session, which held all the memory that it may.".to_owned(),
                ),
            }
        }
    }

    /// Whether the system bounds the number of processes.
    pub(crate) fn bounds_processes(&self) -> bool {
        self.0.join("pids.max").exists()
    }

    /// Removes the group once all processes have left it.
    pub(crate) async fn remove(self) {
        let removed = async {
            while fs::remove_dir(&self.0).is_err_and(|error| error.kind() != io::ErrorKind::NotFound) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        if tokio::time::timeout(LEAVING, removed).await.is_err() {
            tracing::debug!(group = %self.0.display(), "processes stay in a control group");
        }
    }
}

/// The signal that the system ends processes with.
const KILLED: i32 = rustix::process::Signal::KILL.as_raw();

/// Whether who may enter a group is decided by who has opened `cgroup.procs`, the host, and not by who writes to it,
/// which is a session without rights. It is so since Linux 5.16.
fn counts_the_rights_of_the_opener(release: &str) -> bool {
    let mut numbers = release.split(|letter: char| !letter.is_ascii_digit()).map(str::parse::<u32>);
    matches!((numbers.next(), numbers.next()), (Some(Ok(major)), Some(Ok(minor))) if (major, minor) >= (5, 16))
}

/// Where groups can be made that bound memory.
fn parent() -> Result<PathBuf, String> {
    let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
    let own = own_group(&read("/proc/self/mountinfo"), &read("/proc/self/cgroup"));
    let (mount, own) = own.ok_or("cgroup v2 is not mounted")?;
    let mut above = own.ancestors().take_while(|folder| folder.starts_with(&mount));
    let found = above.find(|folder| {
        let access = rustix::fs::Access::WRITE_OK;
        rustix::fs::access(*folder, access).is_ok() && pass_memory_on(folder).is_ok()
    });
    found.map(Path::to_path_buf).ok_or_else(|| {
        "no cgroup v2 with the memory controller is delegated to this user (where systemd runs, \
         `systemd-run --user --scope` starts programs in one)"
            .to_owned()
    })
}

/// Where cgroup v2 is mounted, and the folder of this process's group in it.
fn own_group(mounts: &str, groups: &str) -> Option<(PathBuf, PathBuf)> {
    let own = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    let mount = mounts.lines().find_map(|line| {
        // `id parent device root mount options fields… - type source options`
        let (place, kind) = line.split_once(" - ")?;
        let mut place = place.split(' ').skip(3);
        let (root, mount) = (place.next()?, place.next()?);
        kind.starts_with("cgroup2 ").then(|| (root.to_owned(), PathBuf::from(mount)))
    });
    let (root, mount) = mount?;
    let below = Path::new(own).strip_prefix(root).ok()?;
    Some((mount.clone(), mount.join(below)))
}

/// Has a group bound the memory of those below it, and their processes where that is possible.
fn pass_memory_on(group: &Path) -> io::Result<()> {
    let file = group.join("cgroup.subtree_control");
    let passed = fs::read_to_string(&file)?;
    let passes = |controller: &str| passed.split_ascii_whitespace().any(|passed| passed == controller);
    if !passes("pids") {
        drop(fs::write(&file, "+pids"));
    }
    if passes("memory") { Ok(()) } else { fs::write(&file, "+memory") }
}

/// Locks a group for as long as the result lives.
fn lock(group: &Path) -> io::Result<File> {
    let lock = File::open(group)?;
    flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
    Ok(lock)
}

/// Removes groups that nobody holds a lock on. One with processes in it stays: they are on their way out.
fn sweep(parent: &Path) {
    for group in folders(parent)
        .filter(|folder| folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PREFIX)))
    {
        if lock(&group).is_ok() {
            folders(&group).for_each(|session| drop(fs::remove_dir(session)));
            drop(fs::remove_dir(&group));
        }
    }
}

fn folders(of: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(of).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const MOUNTS: &str = "\
22 1 0:21 / /proc rw,nosuid - proc proc rw
31 22 0:26 / /sys/fs/cgroup rw,nosuid,nodev shared:9 - cgroup2 cgroup2 rw,nsdelegate
";

    #[test]
    fn the_own_group_is_found_in_the_mount() {
        let group = "12:cpuset:/\n0::/user.slice/user-1000.slice/user@1000.service/app.slice/run.scope\n";
        let (mount, own) = own_group(MOUNTS, group).unwrap();
        assert_eq!(mount, Path::new("/sys/fs/cgroup"));
        let expected = "/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/app.slice/run.scope";
        assert_eq!(own, Path::new(expected));
        // A container may have but a part of the groups.
        let part = MOUNTS.replace("0:26 / ", "0:26 /docker/1 ");
        assert_eq!(own_group(&part, "0::/docker/1/a\n").unwrap().1, Path::new("/sys/fs/cgroup/a"));
        assert_eq!(own_group(&part, "0::/elsewhere\n"), None);
        assert_eq!(own_group("", group), None);
        assert_eq!(own_group(MOUNTS, "4:memory:/\n"), None);
    }

    #[test]
    fn an_old_system_has_no_groups_for_sessions() {
        for (release, is_new) in [("6.1.0-25-amd64", true), ("5.16", true), ("5.15.167", false), ("4.19", false)] {
            assert_eq!(counts_the_rights_of_the_opener(release), is_new, "{release}");
        }
        assert!(!counts_the_rights_of_the_opener("unknown"));
    }

    #[test]
    fn groups_that_nobody_holds_are_removed_and_others_stay() {
        let parent = tempfile::tempdir().unwrap();
        for folder in ["qianshou-left/0", "qianshou-left/1", "qianshou-held/0", "other"] {
            fs::create_dir_all(parent.path().join(folder)).unwrap();
        }
        let held = lock(&parent.path().join("qianshou-held")).unwrap();
        sweep(parent.path());
        let exists = |folder: &str| parent.path().join(folder).exists();
        assert_eq!((exists("qianshou-left"), exists("qianshou-held/0"), exists("other")), (false, true, true));
        drop(held);
        sweep(parent.path());
        assert!(!exists("qianshou-held"));
    }
}
