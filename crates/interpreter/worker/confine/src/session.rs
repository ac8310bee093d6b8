//! Around one session, inside the outer layer: its own namespaces and its own files in memory.

use std::collections::BTreeSet;
use std::fs;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use qianshou_interpreter_protocol::{Fork as Session, Network, Tier};
use rustix::process::{Gid, Signal, Uid, set_parent_process_death_signal, setsid};
use rustix::thread::UnshareFlags;

use crate::failure::{Failure, Step};
use crate::mount::{Use, attach, copy_tree, in_memory, processes, seal};
use crate::outer::{CACHE, WORKSPACE};
use crate::system::{hide_control_groups, raise_loopback};
use crate::{capabilities, identity};

/// The namespaces of a session's first process.
#[must_use]
pub fn namespaces(tier: Tier) -> UnshareFlags {
    match tier {
        Tier::Namespaces => {
            UnshareFlags::NEWUSER
                | UnshareFlags::NEWNS
                | UnshareFlags::NEWPID
                | UnshareFlags::NEWNET
                | UnshareFlags::NEWIPC
                | UnshareFlags::NEWUTS
                | UnshareFlags::NEWCGROUP
        }
        Tier::Landlock | Tier::Off => UnshareFlags::empty(),
    }
}

/// Moves this process into the control group whose `cgroup.procs` is open as `entrance`, and makes that the root of the
/// groups that it sees. The host has opened it, and its rights count.
///
/// # Errors
/// The step that the system refused.
pub fn join(entrance: &OwnedFd, tier: Tier) -> Result<(), Failure> {
    rustix::io::write(entrance, b"0").step("enter the session's control group")?;
    if tier == Tier::Namespaces {
        hide_control_groups().step("make a namespace of control groups")?;
    }
    Ok(())
}

/// In new [`namespaces`], made by `outside`: files of its own, and sight of its own processes alone.
///
/// # Errors
/// The step that the system refused.
pub fn enter(fork: &Session, outside: (Uid, Gid)) -> Result<(), Failure> {
    identity::map(outside)?;
    let limits = &fork.limits;
    let quarter = (limits.workspace_bytes / 4).max(1 << 20);
    let folders =
        [(WORKSPACE, limits.workspace_bytes, "0700"), ("/tmp", quarter, "1777"), ("/dev/shm", quarter, "1777")];
    // A path may be a link, and lead below a folder that it is not in itself.
    let ends = fork.visible.iter().filter_map(|path| fs::canonicalize(path).ok());
    let visible: BTreeSet<PathBuf> = fork.visible.iter().cloned().chain(ends).collect();
    for (folder, bytes, mode) in folders {
        // A Python that lives below the folder is taken along.
        let hidden = visible.iter().filter(|path| path.starts_with(folder));
        let trees = hidden.map(|path| Ok((path, copy_tree(path, Use::Files)?))).collect::<Result<Vec<_>, Failure>>()?;
        in_memory(Path::new(folder), bytes, limits.workspace_files, mode)?;
        for (path, tree) in &trees {
            // A tree inside one that is attached already is seen through it.
            if let (Some(tree), Err(_)) = (tree, path.symlink_metadata()) {
                attach(tree, path)?;
            }
        }
    }
    // Kernels before 5.8 cannot leave out what is not about processes.
    processes(Path::new("/proc"), true).or_else(|_| processes(Path::new("/proc"), false))?;
    seal(Path::new(CACHE))?;
    if fork.network == Network::Loopback {
        raise_loopback().step("bring up the loopback interface")?;
    }
    Ok(())
}

/// Gives up every privilege, for the supervisor and all that it will start.
///
/// # Errors
/// The step that the system refused.
pub fn renounce(tier: Tier) -> Result<(), Failure> {
    setsid().step("start a session of processes")?;
    capabilities::drop_all()?;
    if tier == Tier::Namespaces {
        set_parent_process_death_signal(Some(Signal::KILL)).step("tie the process to its parent")?;
    }
    // Without a namespace that ends with it, a supervisor has to live to end the others. It does when
    // the host goes away.
    Ok(())
}
