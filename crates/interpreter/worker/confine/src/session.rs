//! Around one session, inside the outer layer: its own namespaces and its own files in memory.

use std::path::Path;

use qianshou_interpreter_protocol::{Fork as Session, Network, Tier};
use rustix::process::{Signal, getegid, geteuid, set_parent_process_death_signal, setsid};
use rustix::thread::UnshareFlags;

use crate::failure::{Failure, Step};
use crate::mount::{Use, attach, copy_tree, in_memory, processes, seal};
use crate::outer::{CACHE, WORKSPACE};
use crate::system::{Fork, fork_sibling_into, raise_loopback};
use crate::{capabilities, identity};

/// Forks a session's first process, as a child of this one's parent; into namespaces of its own where
/// there are namespaces. This process has only this to do.
///
/// # Errors
/// Where the system refuses.
pub fn fork(tier: Tier) -> Result<Fork, Failure> {
    if tier != Tier::Namespaces {
        return fork_sibling_into(UnshareFlags::empty()).step("fork a session");
    }
    let outside = (geteuid(), getegid());
    let flags = UnshareFlags::NEWUSER
        | UnshareFlags::NEWNS
        | UnshareFlags::NEWPID
        | UnshareFlags::NEWNET
        | UnshareFlags::NEWIPC
        | UnshareFlags::NEWUTS
        | UnshareFlags::NEWCGROUP;
    let side = fork_sibling_into(flags).step("make the namespaces of a session")?;
    if side == Fork::Child {
        identity::map(outside)?;
    }
    Ok(side)
}

/// In the child of [`fork`]: files of its own, and sight of its own processes alone.
///
/// # Errors
/// The step that the system refused.
pub fn enter(fork: &Session) -> Result<(), Failure> {
    let limits = &fork.limits;
    let quarter = (limits.workspace_bytes / 4).max(1 << 20);
    let folders =
        [(WORKSPACE, limits.workspace_bytes, "0700"), ("/tmp", quarter, "1777"), ("/dev/shm", quarter, "1777")];
    for (folder, bytes, mode) in folders {
        // A Python that lives below the folder is taken along.
        let hidden = fork.visible.iter().filter(|path| path.starts_with(folder));
        let trees = hidden.map(|path| Ok((path, copy_tree(path, Use::Files)?))).collect::<Result<Vec<_>, Failure>>()?;
        in_memory(Path::new(folder), bytes, limits.workspace_files, mode)?;
        for (path, tree) in &trees {
            tree.as_ref().map_or(Ok(()), |tree| attach(tree, path))?;
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
pub fn renounce() -> Result<(), Failure> {
    setsid().step("start a session of processes")?;
    capabilities::drop_all()?;
    set_parent_process_death_signal(Some(Signal::KILL)).step("tie the process to its parent")
}
