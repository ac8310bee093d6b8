//! Tries from inside what no cell may be able to do. Runs before any cell, so its word can be believed.
//!
//! The part of each name before the colon is the layer that it belongs to.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpStream};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::path::Path;

use qianshou_interpreter_confine::system::{Fork, exit_now, fork_into, truncate};
use qianshou_interpreter_protocol::{SelfTest, Verdict};
use rustix::mount::{MountFlags, mount};
use rustix::net::{AddressFamily, SocketType, socket};
use rustix::process::{
    Pid, PidfdFlags, Resource, Rlimit, Signal, WaitOptions, getppid, kill_process, pidfd_open, prlimit,
    setpriority_process, waitpid,
};
use rustix::thread::{UnshareFlags, sched_getaffinity, sched_setaffinity};

pub(crate) fn run(test: &SelfTest) -> Vec<Verdict> {
    let folder = Path::new(&test.folder);
    let supervisor = format!("/proc/{}/mem", getppid().map_or(1, |parent| parent.as_raw_nonzero().get()));
    let mut verdicts = vec![
        stopped("files: read a file of the host", fs::read(&test.file)),
        stopped("files: list a folder of the host", fs::read_dir(folder)),
        stopped("files: write into a folder of the host", fs::write(folder.join("written"), "")),
        stopped("files: cut a file of the host", truncate(Path::new(&test.file))),
        stopped("files: read the host's passwords", fs::read("/etc/shadow")),
        stopped("files: open a program for writing", fs::OpenOptions::new().append(true).open("/usr/bin/env")),
        stopped("modes: change the mode of a file of the host", change_mode(&test.file)),
        stopped("network: connect to a port of the host", TcpStream::connect((Ipv4Addr::LOCALHOST, test.port))),
        stopped("network: connect to a socket file of the host", UnixStream::connect(&test.socket)),
        stopped("network: connect to an abstract socket of the host", connect_abstract(&test.abstract_name)),
        stopped("network: a packet socket", open_socket(AddressFamily::PACKET, SocketType::RAW)),
        stopped("network: a virtual machine's socket", open_socket(AddressFamily::VSOCK, SocketType::STREAM)),
        stopped("processes: look at a process of the host", look_at(test.process)),
        stopped("processes: read the supervisor's memory", fs::File::open(supervisor)),
        stopped("processes: set a limit of a process of the host", limit(test.process)),
        stopped("processes: set the priority of a process of the host", lower(test.process)),
        stopped("processes: set the processors of a process of the host", place(test.process)),
        stopped("signals: end a process of the host", end(test.process)),
        stopped("system calls: mount", mount("none", ".", "tmpfs", MountFlags::empty(), None)),
        stopped("system calls: new namespaces", new_namespaces()),
        stopped("system calls: refer to a process", pidfd_open(rustix::process::getpid(), PidfdFlags::empty())),
    ];
    verdicts.extend(test.memory_bytes.map(|bytes| stopped("memory: hold more than a session may", hold(bytes))));
    verdicts
}

fn stopped<T, E: Into<io::Error>>(attempt: &str, result: Result<T, E>) -> Verdict {
    let error = result.err().map(Into::into);
    let how = error.as_ref().map_or_else(|| "it succeeded".to_owned(), ToString::to_string);
    Verdict { attempt: attempt.to_owned(), stopped: error.is_some(), how }
}

fn connect_abstract(name: &str) -> io::Result<UnixStream> {
    UnixStream::connect_addr(&SocketAddr::from_abstract_name(name)?)
}

fn open_socket(family: AddressFamily, kind: SocketType) -> rustix::io::Result<std::os::fd::OwnedFd> {
    socket(family, kind, None)
}

/// A number may mean another process here; then its command line is not the one of the test.
fn look_at(process: i32) -> io::Result<()> {
    let line = fs::read(format!("/proc/{process}/cmdline"))?;
    if line == b"cat\0" { Ok(()) } else { Err(io::Error::other("it is another process here")) }
}

fn change_mode(file: &str) -> io::Result<()> {
    fs::set_permissions(file, fs::Permissions::from_mode(0o600))
}

/// What it sets does no harm to a process that only waits, and so do the two below.
fn limit(process: i32) -> io::Result<()> {
    prlimit(Some(number(process)?), Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    Ok(())
}

fn lower(process: i32) -> io::Result<()> {
    Ok(setpriority_process(Some(number(process)?), 19)?)
}

fn place(process: i32) -> io::Result<()> {
    Ok(sched_setaffinity(Some(number(process)?), &sched_getaffinity(None)?)?)
}

fn end(process: i32) -> io::Result<()> {
    Ok(kill_process(number(process)?, Signal::TERM)?)
}

fn number(process: i32) -> io::Result<Pid> {
    Pid::from_raw(process).ok_or_else(|| io::Error::other("no process"))
}

/// In a process of its own, which is killed where the system bounds memory.
fn hold(bytes: u64) -> io::Result<()> {
    let length = usize::try_from(bytes).map_err(io::Error::other)?;
    match fork_into(UnshareFlags::empty())? {
        Fork::Child => {
            let block = vec![1_u8; length];
            exit_now(i32::from(std::hint::black_box(&block).is_empty()))
        }
        Fork::Parent(child) => match waitpid(Some(child), WaitOptions::empty())? {
            Some((_, ended)) if ended.terminating_signal() == Some(Signal::KILL.as_raw()) => {
                Err(io::Error::other("the system has killed the process"))
            }
            _ => Ok(()),
        },
    }
}

fn new_namespaces() -> io::Result<()> {
    match fork_into(UnshareFlags::NEWUSER | UnshareFlags::NEWNS)? {
        Fork::Child => exit_now(0),
        Fork::Parent(child) => waitpid(Some(child), WaitOptions::empty()).map(|_| ()).map_err(io::Error::from),
    }
}
