//! The processes of a session: all descendants of the supervisor, which inherits every orphan.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::io;
use std::time::{Duration, Instant};

use qianshou_interpreter_confine::system::stop_all_others;
use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, WaitOptions, WaitStatus, getpid, kill_process, kill_process_group, wait, waitid,
};

/// How long processes may take to die, on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(30);

/// The descendants of this process, its own children first. The dead are among them where it is for this process to
/// reap them: who else has dead children may leave them so for ever, and they hold nothing.
///
/// # Errors
/// When they cannot be looked at; nothing is known then, neither that there are none.
pub(crate) fn descendants() -> io::Result<Vec<Pid>> {
    let own = getpid().as_raw_nonzero().get();
    let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
    for entry in fs::read_dir("/proc")? {
        let Some(process) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        if let Some(Kin { parent, is_dead }) = kin(process)?
            && (!is_dead || parent == own)
        {
            children.entry(parent).or_default().push(process);
        }
    }
    let mut found = vec![own];
    let mut next = 0;
    while let Some(process) = found.get(next) {
        found.extend(children.remove(process).unwrap_or_default());
        next += 1;
    }
    Ok(found.into_iter().skip(1).filter_map(Pid::from_raw).collect())
}

/// What the system tells about a process.
#[derive(Debug, PartialEq, Eq)]
struct Kin {
    parent: i32,
    /// To its last thread.
    is_dead: bool,
}

impl Kin {
    /// Of a line `pid (name) state parent …`; the name may hold anything, brackets too.
    fn read(line: &str) -> Option<Self> {
        let mut fields = line.rsplit_once(") ")?.1.split(' ');
        let (state, parent) = (fields.next()?, fields.next()?.parse().ok()?);
        let threads: u64 = fields.nth(15)?.parse().ok()?;
        Some(Self { parent, is_dead: matches!(state, "Z" | "X") && threads <= 1 })
    }
}

/// `None` for a process that is gone, or somebody else's where the system hides those.
fn kin(process: i32) -> io::Result<Option<Kin>> {
    match read(&format!("/proc/{process}/stat")) {
        Ok(None) => Ok(None),
        Ok(Some(line)) => Kin::read(&line).map(Some).ok_or_else(|| io::ErrorKind::InvalidData.into()),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(None),
        Err(error) => Err(error),
    }
}

/// A file about a process, `None` when the process is gone. The process's name may be in it, and need not be text.
pub(crate) fn read(path: &str) -> io::Result<Option<String>> {
    match fs::read(path) {
        Ok(content) => Ok(Some(String::from_utf8_lossy(&content).into_owned())),
        Err(error) if is_gone(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The folders of the threads of the process whose folder is `process`.
pub(crate) fn threads(process: &str) -> io::Result<Vec<String>> {
    let folder = format!("{process}/task");
    let names = fs::read_dir(&folder)
        .and_then(|threads| threads.map(|thread| Ok(thread?.file_name())).collect::<io::Result<Vec<_>>>());
    match names {
        Ok(names) => Ok(names.iter().map(|name| format!("{folder}/{}", name.display())).collect()),
        Err(error) if is_gone(&error) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn is_gone(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::NOENT | Errno::SRCH))
}

/// Kills every descendant but those `spared`, and what they fork meanwhile; most are in `group`. False when some are left
/// in the end.
///
/// All are stopped before any is killed: whoever is stopped still counts against the limit of processes,
/// so a bomb cannot grow anew into the room that the dead leave, and it leaves us the processor.
///
/// # Errors
/// When they cannot be looked at; then all of `group` are killed, and whoever has left it is not.
pub(crate) fn kill_all_but(spared: &[Pid], group: Pid) -> io::Result<bool> {
    let killed = stop_and_kill_all_but(spared, group);
    if killed.is_err() {
        signal_group(group, Signal::KILL);
    }
    for process in spared {
        let _ = kill_process(*process, Signal::CONT);
    }
    killed
}

fn stop_and_kill_all_but(spared: &[Pid], group: Pid) -> io::Result<bool> {
    let until = Instant::now() + PATIENCE;
    if stop_all_others().is_err() {
        signal_group(group, Signal::STOP);
        stop_each_but(spared, until)?;
    }
    kill_each_but(spared, until)
}

/// Signals the processes of a group at one time; a child that is being forked does not escape. Those that have
/// left it have to be looked for.
fn signal_group(group: Pid, signal: Signal) {
    // A group in which we have a child is the session's; another one may have got its number later.
    let ours = waitid(WaitId::Pgid(Some(group)), WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT);
    if ours.is_ok() {
        let _ = kill_process_group(group, signal);
    }
}

fn stop_each_but(spared: &[Pid], until: Instant) -> io::Result<()> {
    let mut stopped = BTreeSet::new();
    while Instant::now() < until {
        let running: Vec<Pid> =
            all_but(spared)?.filter(|process| !stopped.contains(&process.as_raw_nonzero())).collect();
        if running.is_empty() {
            break;
        }
        for process in running {
            let _ = kill_process(process, Signal::STOP);
            stopped.insert(process.as_raw_nonzero());
        }
    }
    Ok(())
}

fn kill_each_but(spared: &[Pid], until: Instant) -> io::Result<bool> {
    while Instant::now() < until {
        let mut found = false;
        for process in all_but(spared)? {
            found = true;
            let _ = kill_process(process, Signal::KILL);
        }
        if !found {
            return Ok(true);
        }
        // Dying takes a moment, and the processor.
        std::thread::sleep(Duration::from_micros(200));
        while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
    }
    Ok(false)
}

fn all_but(spared: &[Pid]) -> io::Result<impl Iterator<Item = Pid>> {
    Ok(descendants()?.into_iter().filter(|process| !spared.contains(process)))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &str, state: char, threads: u32) -> String {
        format!("12 ({name}) {state} 1 12 12 0 -1 4194560 5 0 0 0 0 0 0 0 20 0 {threads} 0 99 0 0")
    }

    #[test]
    fn a_process_is_dead_when_its_last_thread_is_whatever_its_name() {
        let alive = Some(Kin { parent: 1, is_dead: false });
        for name in ["python3", "a) Z 7 (b", ") ", "", "\u{fffd}\u{fffd}"] {
            assert_eq!(Kin::read(&line(name, 'S', 1)), alive, "{name}");
            assert_eq!(Kin::read(&line(name, 'Z', 2)), alive, "{name}");
            assert_eq!(Kin::read(&line(name, 'Z', 1)), Some(Kin { parent: 1, is_dead: true }), "{name}");
        }
        assert_eq!(Kin::read("no such line"), None);
    }
}
