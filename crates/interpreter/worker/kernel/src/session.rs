//! A session's two processes: the first becomes its supervisor, its child the kernel.
//!
//! The first process is forked into the session's namespaces, so it is process 1 of its own. It forks
//! the kernel while it is still a copy of the warm Python, and then replaces itself by the supervisor's
//! program, which has nothing of Python in its memory, no environment and alone holds the host's socket.

use std::ffi::CString;
use std::os::fd::{AsRawFd, OwnedFd};

use pyo3::prelude::*;
use pyo3::types::PyDict;
use qianshou_interpreter_confine::system::{self, close_all_but, execute, exit_now};
use qianshou_interpreter_confine::{kernel, session as confine};
use qianshou_interpreter_protocol::{Event, Fork, Supervise, Tier};
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::Pid;
use rustix::stdio::{dup2_stderr, dup2_stdout};

use crate::channel::Channel;
use crate::{Failed, cells, fork};

/// Starts a session. What goes wrong is told on `host`, and the warm Python goes on.
///
/// Libraries may have started threads, which a fork leaves behind; those that care hook into the C
/// library's fork, and namespaces need `clone`. So it is the one and then, in the child, the other.
pub(crate) fn start(
    python: Python<'_>,
    package: &Bound<'_, PyModule>,
    session: &Fork,
    host: OwnedFd,
    program: &OwnedFd,
) {
    let host = Channel::new(host);
    match fork::fork(python) {
        Ok(system::Fork::Parent(_)) => {}
        Ok(system::Fork::Child) => {
            match confine::fork(session.tier) {
                Ok(system::Fork::Parent(_)) => exit_now(0),
                Ok(system::Fork::Child) => {
                    let Err(error) = become_session(python, package, session, host.socket(), program);
                    tell(&host, &*error);
                }
                Err(error) => tell(&host, &error),
            }
            exit_now(1)
        }
        Err(error) => tell(&host, &error),
    }
}

fn tell(host: &Channel, error: &dyn std::error::Error) {
    // A host that is gone needs no message.
    drop(host.send(&Event::Failed { message: error.to_string() }));
}

fn become_session(
    python: Python<'_>,
    package: &Bound<'_, PyModule>,
    session: &Fork,
    host: &OwnedFd,
    program: &OwnedFd,
) -> Result<std::convert::Infallible, Failed> {
    if session.tier == Tier::Namespaces {
        confine::enter(session)?;
    }
    confine::renounce()?;
    let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    let stdout = pipe_with(PipeFlags::CLOEXEC)?;
    let stderr = pipe_with(PipeFlags::CLOEXEC)?;
    match fork::fork(python)? {
        system::Fork::Child => {
            let error = become_kernel(python, package, session, theirs, [stdout.1, stderr.1]);
            if let Err(error) = error {
                let _ = rustix::io::write(rustix::stdio::stderr(), error.to_string().as_bytes());
            }
            exit_now(1)
        }
        system::Fork::Parent(kernel) => supervise(session, kernel, [host, &ours, &stdout.0, &stderr.0], program),
    }
}

fn supervise(
    session: &Fork,
    kernel: Pid,
    kept: [&OwnedFd; 4],
    program: &OwnedFd,
) -> Result<std::convert::Infallible, Failed> {
    for descriptor in kept {
        fcntl_setfd(descriptor, FdFlags::empty())?;
    }
    let [host, kernel_socket, stdout, stderr] = kept.map(|descriptor| descriptor.as_raw_fd());
    let supervise = Supervise {
        host,
        kernel: kernel_socket,
        stdout,
        stderr,
        process: kernel.as_raw_nonzero().get(),
        fork: session.clone(),
    };
    let argument = CString::new(serde_json::to_string(&supervise)?)?;
    Err(execute(program, &[c"qianshou-supervisor", &argument], &[]).into())
}

fn become_kernel(
    python: Python<'_>,
    package: &Bound<'_, PyModule>,
    session: &Fork,
    channel: OwnedFd,
    [stdout, stderr]: [OwnedFd; 2],
) -> Result<(), Failed> {
    dup2_stdout(&stdout)?;
    dup2_stderr(&stderr)?;
    let channel = close_all_but(channel)?;
    // Closed already, with everything else.
    std::mem::forget([stdout, stderr]);
    kernel::confine(session)?;
    let options = PyDict::new(python);
    options.set_item("workspace", &session.workspace)?;
    let session = package.getattr("Session")?.call1((options,))?;
    cells::serve(python, &session, Channel::new(channel))
}
