//! How much memory a session takes: the proportional set size of its processes and the files it keeps in memory.

use std::fs;
use std::path::Path;

use qianshou_interpreter_protocol::{Fork, Tier};
use rustix::process::Pid;

use crate::processes::descendants;

/// All of it, in bytes. What the warm Python shares with its sessions counts by its share.
pub(crate) fn total(fork: &Fork) -> u64 {
    let processes: u64 = descendants().into_iter().filter_map(proportional).sum();
    if fork.tier != Tier::Namespaces {
        return processes;
    }
    let folders = [fork.workspace.as_path(), Path::new("/tmp"), Path::new("/dev/shm")];
    processes + folders.into_iter().filter_map(used).sum::<u64>()
}

fn proportional(process: Pid) -> Option<u64> {
    kibibytes(&fs::read_to_string(format!("/proc/{}/smaps_rollup", process.as_raw_nonzero())).ok()?, "Pss:")
}

fn used(folder: &Path) -> Option<u64> {
    let all = rustix::fs::statvfs(folder).ok()?;
    Some((all.f_blocks - all.f_bfree) * all.f_frsize)
}

/// The most that a process had resident since [`forget_peak`], in bytes.
pub(crate) fn peak(process: Pid) -> Option<u64> {
    kibibytes(&fs::read_to_string(format!("/proc/{}/status", process.as_raw_nonzero())).ok()?, "VmHWM:")
}

/// Starts the measure of [`peak`] anew.
pub(crate) fn forget_peak(process: Pid) {
    drop(fs::write(format!("/proc/{}/clear_refs", process.as_raw_nonzero()), "5"));
}

fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    value.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kibibytes| kibibytes * 1024)
}
