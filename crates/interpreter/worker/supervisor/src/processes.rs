//! The processes of a session: all descendants of the supervisor, which inherits every orphan.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, getpid, kill_process, wait};

/// The descendants of this process, the dead that are not reaped yet included, its own children first.
pub(crate) fn descendants() -> Vec<Pid> {
    let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let process = entry.file_name().to_str().and_then(|name| name.parse().ok());
        if let Some((process, parent)) = process.and_then(|process| Some((process, parent_of(process)?))) {
            children.entry(parent).or_default().push(process);
        }
    }
    let mut found = vec![getpid().as_raw_nonzero().get()];
    let mut next = 0;
    while let Some(process) = found.get(next) {
        found.extend(children.remove(process).unwrap_or_default());
        next += 1;
    }
    found.into_iter().skip(1).filter_map(Pid::from_raw).collect()
}

fn parent_of(process: i32) -> Option<i32> {
    let line = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // `pid (name) state parent …`; the name may hold anything, brackets too.
    line.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}

/// Kills every descendant but `spared`, and what they fork meanwhile. False when some are left in the end.
///
/// Each is stopped before any is killed: whoever is stopped still counts against the limit of processes,
/// so a bomb cannot grow anew into the room that the dead leave.
pub(crate) fn kill_all_but(spared: Option<Pid>) -> bool {
    let until = Instant::now() + Duration::from_secs(10);
    let condemned = || descendants().into_iter().filter(|process| Some(*process) != spared).collect::<Vec<_>>();
    let mut stopped = BTreeSet::new();
    while Instant::now() < until {
        let found = condemned();
        if found.iter().all(|process| stopped.contains(&process.as_raw_nonzero())) {
            break;
        }
        for process in found {
            let _ = kill_process(process, Signal::STOP);
            stopped.insert(process.as_raw_nonzero());
        }
    }
    while Instant::now() < until {
        let found = condemned();
        if found.is_empty() {
            return true;
        }
        for process in found {
            let _ = kill_process(process, Signal::KILL);
        }
        // Dying takes a moment, and the processor.
        std::thread::sleep(Duration::from_micros(200));
        while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
    }
    false
}

/// Reaps the dead; the status of `watched` if it is among them.
pub(crate) fn reap(watched: Pid) -> Option<WaitStatus> {
    let mut status = None;
    while let Ok(Some((process, ended))) = wait(WaitOptions::NOHANG) {
        if process == watched {
            status = Some(ended);
        }
    }
    status
}
