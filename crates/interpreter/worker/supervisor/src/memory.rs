//! How much memory a session takes: the proportional set size of its processes and the files it keeps in memory.

use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use qianshou_interpreter_protocol::{Fork, Tier};
use rustix::process::Pid;

use crate::processes::{descendants, read, threads};

/// How long one step of a measurement may take; what else the supervisor watches can wait for so long.
const STEP: Duration = Duration::from_millis(5);

/// A measurement, made in steps: a hundred processes take their time to measure.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    /// Not measured yet.
    left: Vec<Pid>,
    bytes: u64,
}

impl Meter {
    /// Whether a measurement has begun and not ended.
    pub(crate) fn is_busy(&self) -> bool {
        !self.left.is_empty()
    }

    /// Goes on measuring, or begins; the total in bytes when all is measured. What the warm Python shares
    /// with its sessions counts by its share.
    ///
    /// # Errors
    /// When the processes cannot be looked at.
    pub(crate) fn step(&mut self, fork: &Fork) -> io::Result<Option<u64>> {
        let until = Instant::now() + STEP;
        if self.left.is_empty() {
            self.left = descendants()?;
            self.bytes = files(fork);
        }
        while let Some(process) = self.left.pop() {
            self.bytes += held(process)?;
            if Instant::now() > until && self.is_busy() {
                return Ok(None);
            }
        }
        Ok(Some(self.bytes))
    }

    /// Measures all at once: whether the session holds no more than it may, or the system sees to that.
    pub(crate) fn is_within(&mut self, fork: &Fork) -> bool {
        if fork.has_group {
            return true;
        }
        loop {
            match self.step(fork) {
                Ok(None) => {}
                Ok(Some(bytes)) => return bytes <= fork.limits.memory_bytes,
                Err(_) => return false,
            }
        }
    }
}

/// What a session keeps in files that are in memory.
fn files(fork: &Fork) -> u64 {
    if fork.tier != Tier::Namespaces {
        return 0;
    }
    let folders = [fork.workspace.as_path(), Path::new("/tmp"), Path::new("/dev/shm")];
    folders.into_iter().filter_map(used).sum()
}

/// What a process holds. One whose first thread has ended shows it by the others alone.
fn held(process: Pid) -> io::Result<u64> {
    let folder = format!("/proc/{}", process.as_raw_nonzero());
    let mut bytes = shown(&folder)?;
    if bytes == 0 {
        for thread in threads(&folder)? {
            bytes = bytes.max(shown(&thread)?);
        }
    }
    Ok(bytes)
}

/// The share that a process has in what it maps; or all of that, where the process lets nobody look into it.
fn shown(folder: &str) -> io::Result<u64> {
    let share = read(&format!("{folder}/smaps_rollup")).ok().flatten();
    share.and_then(|text| kibibytes(&text, "Pss:")).map_or_else(|| resident(folder), Ok)
}

fn resident(folder: &str) -> io::Result<u64> {
    let Some(text) = read(&format!("{folder}/statm"))? else { return Ok(0) };
    let pages: Option<u64> = text.split(' ').nth(1).and_then(|pages| pages.parse().ok());
    Ok(pages.ok_or(io::ErrorKind::InvalidData)? * rustix::param::page_size() as u64)
}

fn used(folder: &Path) -> Option<u64> {
    let all = rustix::fs::statvfs(folder).ok()?;
    Some((all.f_blocks - all.f_bfree) * all.f_frsize)
}

/// The most that a process had resident since [`forget_peak`], in bytes.
pub(crate) fn peak(process: Pid) -> Option<u64> {
    kibibytes(&read(&format!("/proc/{}/status", process.as_raw_nonzero())).ok()??, "VmHWM:")
}

/// Starts the measure of [`peak`] anew.
pub(crate) fn forget_peak(process: Pid) {
    drop(fs::write(format!("/proc/{}/clear_refs", process.as_raw_nonzero()), "5"));
}

/// Has the system end this process, and what it starts, before all others where memory runs out.
pub(crate) fn offer(process: Pid) {
    score(process, "1000");
}

/// Takes that back: the process is as likely to be ended as the supervisor.
pub(crate) fn spare(process: Pid) {
    if let Ok(own) = fs::read_to_string("/proc/self/oom_score_adj") {
        score(process, own.trim());
    }
}

fn score(process: Pid, score: &str) {
    drop(fs::write(format!("/proc/{}/oom_score_adj", process.as_raw_nonzero()), score));
}

fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    value.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kibibytes| kibibytes * 1024)
}
