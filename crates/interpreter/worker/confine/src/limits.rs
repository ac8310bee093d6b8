//! Limits of one process (`setrlimit`); the bounds of a whole session are the supervisor's.

use std::fs;
use std::io;
use std::path::Path;

use qianshou_interpreter_protocol::{Fork, Tier};
use rustix::process::{Resource, Rlimit, Signal, getrlimit, getuid, set_parent_process_death_signal, setrlimit};

use crate::failure::{Failure, Step};

/// Sets the limits, soft and hard, so that they cannot be raised again.
pub(crate) fn apply(fork: &Fork) -> Result<(), Failure> {
    let limits = &fork.limits;
    let processes = processes(fork).step("count the user's processes")?;
    // What is mapped already, libraries for the most part, does not count.
    let address_space = mapped().saturating_add(limits.memory_bytes);
    let bounds = [
        (Resource::As, address_space),
        (Resource::Fsize, limits.file_bytes),
        (Resource::Nofile, limits.open_files),
        (Resource::Core, 0),
        (Resource::Memlock, 0),
        (Resource::Msgqueue, 0),
        (Resource::Sigpending, 1024),
        (Resource::Stack, 8 << 20),
    ];
    for (resource, bound) in bounds.into_iter().chain(processes.map(|most| (Resource::Nproc, most))) {
        let bound = getrlimit(resource).maximum.map_or(bound, |most| most.min(bound));
        setrlimit(resource, Rlimit { current: Some(bound), maximum: Some(bound) })
            .step(format!("limit {resource:?} to {bound}"))?;
    }
    set_parent_process_death_signal(Some(Signal::KILL)).step("tie the kernel to its supervisor")
}

/// How many processes and threads the user of the session may have. In a user namespace these are the session's; without
/// one all that the user runs counts, and the session's come on top. `None` where the session's control group counts.
fn processes(fork: &Fork) -> io::Result<Option<u64>> {
    let most = fork.limits.processes;
    match fork.tier {
        Tier::Namespaces => Ok(Some(most)),
        Tier::Landlock | Tier::Off if fork.group_bounds_processes => Ok(None),
        Tier::Landlock | Tier::Off => Ok(Some(most.saturating_add(running()?))),
    }
}

/// The processes and threads that this process's user runs.
fn running() -> io::Result<u64> {
    let user = u64::from(getuid().as_raw());
    let mut running = 0;
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        if !name.as_encoded_bytes().iter().all(u8::is_ascii_digit) {
            continue;
        }
        // One that has ended meanwhile, or is hidden, is none of these.
        let Ok(status) = fs::read(Path::new("/proc").join(name).join("status")) else { continue };
        // A process's name is in it, and need not be text.
        let status = String::from_utf8_lossy(&status);
        if first(&status, "Uid:") == Some(user) {
            running += first(&status, "Threads:").unwrap_or(1);
        }
    }
    Ok(running)
}

/// The first number of a line of `/proc/…/status`.
fn first(status: &str, name: &str) -> Option<u64> {
    status.lines().find_map(|line| line.strip_prefix(name))?.split_ascii_whitespace().next()?.parse().ok()
}

fn mapped() -> u64 {
    let text = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = text.split(' ').next().and_then(|pages| pages.parse().ok()).unwrap_or(0);
    pages * rustix::param::page_size() as u64
}
