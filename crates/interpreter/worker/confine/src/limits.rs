//! Limits of one process (`setrlimit`); the bounds of a whole session are the supervisor's.

use std::fs;

use qianshou_interpreter_protocol::Limits;
use rustix::process::{Resource, Rlimit, Signal, getrlimit, set_parent_process_death_signal, setrlimit};

use crate::failure::{Failure, Step};

/// Sets the limits, soft and hard, so that they cannot be raised again.
pub(crate) fn apply(limits: &Limits) -> Result<(), Failure> {
    // What is mapped already, libraries for the most part, does not count.
    let address_space = mapped().saturating_add(limits.memory_bytes);
    let bounds = [
        (Resource::As, address_space),
        (Resource::Fsize, limits.file_bytes),
        (Resource::Nofile, limits.open_files),
        (Resource::Nproc, limits.processes),
        (Resource::Core, 0),
        (Resource::Memlock, 0),
        (Resource::Msgqueue, 0),
        (Resource::Sigpending, 1024),
        (Resource::Stack, 8 << 20),
    ];
    for (resource, bound) in bounds {
        let bound = getrlimit(resource).maximum.map_or(bound, |most| most.min(bound));
        setrlimit(resource, Rlimit { current: Some(bound), maximum: Some(bound) })
            .step(format!("limit {resource:?} to {bound}"))?;
    }
    set_parent_process_death_signal(Some(Signal::KILL)).step("tie the kernel to its supervisor")
}

fn mapped() -> u64 {
    let text = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = text.split(' ').next().and_then(|pages| pages.parse().ok()).unwrap_or(0);
    pages * rustix::param::page_size() as u64
}
