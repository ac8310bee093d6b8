//! The processes of a session: all descendants of the supervisor, which inherits every orphan.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::time::{Duration, Instant};

use qianshou_interpreter_confine::system::stop_all_others;
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, WaitOptions, WaitStatus, getpid, kill_process, kill_process_group, wait, waitid,
};

/// How long processes may take to die, on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(30);

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

/// Kills every descendant but those `spared`, and what they fork meanwhile; most are in `group`. False when some are left
/// in the end.
///
/// All are stopped before any is killed: whoever is stopped still counts against the limit of processes,
/// so a bomb cannot grow anew into the room that the dead leave, and it leaves us the processor.
pub(crate) fn kill_all_but(spared: &[Pid], group: Pid) -> bool {
    let until = Instant::now() + PATIENCE;
    if stop_all_others().is_err() {
        stop_group(group);
        stop_each_but(spared, until);
    }
    let killed = kill_each_but(spared, until);
    for process in spared {
        let _ = kill_process(*process, Signal::CONT);
    }
    killed
}

/// Stops the processes of a group at one time; a child that is being forked does not escape. Those that have
/// left it are for [`stop_each_but`], which has to look for them.
fn stop_group(group: Pid) {
    // A group in which we have a child is the session's; another one may have got its number later.
    let ours = waitid(WaitId::Pgid(Some(group)), WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT);
    if ours.is_ok() {
        let _ = kill_process_group(group, Signal::STOP);
    }
}

fn stop_each_but(spared: &[Pid], until: Instant) {
    let mut stopped = BTreeSet::new();
    while Instant::now() < until {
        let running: Vec<Pid> =
            all_but(spared).filter(|process| !stopped.contains(&process.as_raw_nonzero())).collect();
        if running.is_empty() {
            return;
        }
        for process in running {
            let _ = kill_process(process, Signal::STOP);
            stopped.insert(process.as_raw_nonzero());
        }
    }
}

fn kill_each_but(spared: &[Pid], until: Instant) -> bool {
    while Instant::now() < until {
        let mut found = false;
        for process in all_but(spared) {
            found = true;
            let _ = kill_process(process, Signal::KILL);
        }
        if !found {
            return true;
        }
        // Dying takes a moment, and the processor.
        std::thread::sleep(Duration::from_micros(200));
        while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
    }
    false
}

fn all_but(spared: &[Pid]) -> impl Iterator<Item = Pid> {
    descendants().into_iter().filter(|process| !spared.contains(process))
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
