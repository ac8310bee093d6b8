//! Around one session, inside the outer layer: its own namespaces and its own files in memory.

use std::path::Path;

use qianshou_interpreter_protocol::{Limits, Network};
use rustix::process::{Signal, getegid, geteuid, set_parent_process_death_signal, setsid};
use rustix::thread::UnshareFlags;

use crate::failure::{Failure, Step};
use crate::mount::{in_memory, processes, seal};
use crate::outer::{CACHE, WORKSPACE};
use crate::system::{Fork, fork_into, raise_loopback};
use crate::{capabilities, identity};

/// Forks a session's first process into namespaces of its own.
///
/// # Errors
/// Where the system refuses namespaces.
pub fn fork() -> Result<Fork, Failure> {
    let outside = (geteuid(), getegid());
    let flags = UnshareFlags::NEWUSER
        | UnshareFlags::NEWNS
        | UnshareFlags::NEWPID
        | UnshareFlags::NEWNET
        | UnshareFlags::NEWIPC
        | UnshareFlags::NEWUTS
        | UnshareFlags::NEWCGROUP;
    let side = fork_into(flags).step("make the namespaces of a session")?;
    if side == Fork::Child {
        identity::map(outside)?;
    }
    Ok(side)
}

/// Forks a session's first process where there are no namespaces.
///
/// # Errors
/// As `fork`.
pub fn fork_plain() -> Result<Fork, Failure> {
    fork_into(UnshareFlags::empty()).step("fork a session")
}

/// In the child of [`fork`]: files of its own, and sight of its own processes alone.
///
/// # Errors
/// The step that the system refused.
pub fn enter(limits: &Limits, network: Network) -> Result<(), Failure> {
    let quarter = (limits.workspace_bytes / 4).max(1 << 20);
    in_memory(Path::new(WORKSPACE), limits.workspace_bytes, limits.workspace_files, "0700")?;
    in_memory(Path::new("/tmp"), quarter, limits.workspace_files, "1777")?;
    in_memory(Path::new("/dev/shm"), quarter, limits.workspace_files, "1777")?;
    // Kernels before 5.8 cannot leave out what is not about processes.
    processes(Path::new("/proc"), true).or_else(|_| processes(Path::new("/proc"), false))?;
    seal(Path::new(CACHE))?;
    if network == Network::Loopback {
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
