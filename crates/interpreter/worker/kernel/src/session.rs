//! A session's two processes: its supervisor, and its child the kernel.
//!
//! A process in between is made in the session's namespaces, so it is process 1 of its own. It sets them
//! up, forks the kernel as a copy of the warm Python, and becomes the supervisor's program, which has
//! nothing of Python in its memory, no environment, and alone holds the host's socket.

use std::convert::Infallible;
use std::ffi::{CStr, CString};
use std::io::Write;
use std::os::fd::{AsRawFd, OwnedFd};

use pyo3::prelude::*;
use pyo3::types::PyDict;
use qianshou_interpreter_confine::kernel::Filters;
use qianshou_interpreter_confine::system::{close_all_but, execute, exit_now};
use qianshou_interpreter_confine::{Failure, Step, kernel, session as confine};
use qianshou_interpreter_protocol::{Event, Fork, FromKernel, Network, Supervise, Tier};
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, getegid, geteuid, setpgid};
use rustix::stdio::{dup2_stderr, dup2_stdout};

use crate::channel::Channel;
use crate::fork::{Side, fork_between};
use crate::{Failed, cells};

/// Starts a session, in the control group that `group` is the entrance of. What goes wrong is told on `host`, and the
/// warm Python goes on.
pub(crate) fn start(
    python: Python<'_>,
    package: &Bound<'_, PyModule>,
    session: &Fork,
    filters: &Filters,
    host: OwnedFd,
    group: Option<OwnedFd>,
    program: &OwnedFd,
) {
    let host = Channel::new(host);
    let started = Ends::new().and_then(|ends| {
        let supervise = ends.supervise(session, host.socket())?;
        let outside = (geteuid(), getegid());
        let prepare = || {
            if let Some(group) = &group {
                confine::join(group, session.tier)?;
            }
            if session.tier == Tier::Namespaces {
                confine::enter(session, outside)?;
            }
            Ok(confine::renounce(session.tier)?)
        };
        let become_supervisor = |(): &(), kernel| ends.execute(host.socket(), program, &supervise, kernel);
        let complain = |error: Failed| tell(&host, &*error);
        let namespaces = confine::namespaces(session.tier);
        let side = fork_between(python, namespaces, prepare, |()| (), become_supervisor, complain);
        // Without namespaces it is a plain fork.
        let side = if namespaces.is_empty() { side? } else { side.step("make a session's namespaces")? };
        match side {
            Side::Original(_) => Ok(()),
            Side::Copy(()) => {
                if let Err(error) = become_kernel(python, package, session, filters, &ends) {
                    // Nobody listens when the supervisor is gone.
                    let _ = rustix::io::write(rustix::stdio::stderr(), error.to_string().as_bytes());
                }
                exit_now(1)
            }
        }
    });
    if let Err(error) = started {
        tell(&host, &*error);
    }
}

fn tell(host: &Channel, error: &(dyn std::error::Error + 'static)) {
    let message = error.to_string();
    let event = if error.is::<Failure>() { Event::NotConfined { message } } else { Event::Failed { message } };
    // A host that is gone needs no message.
    drop(host.send(&event));
}

/// What connects supervisor and kernel; of each pair the first is the supervisor's.
struct Ends {
    channel: (OwnedFd, OwnedFd),
    stdout: (OwnedFd, OwnedFd),
    stderr: (OwnedFd, OwnedFd),
}

impl Ends {
    fn new() -> Result<Self, Failed> {
        Ok(Self {
            channel: socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?,
            stdout: pipe_with(PipeFlags::CLOEXEC)?,
            stderr: pipe_with(PipeFlags::CLOEXEC)?,
        })
    }

    /// What the supervisor is told.
    fn supervise(&self, session: &Fork, host: &OwnedFd) -> Result<CString, Failed> {
        let supervise = Supervise {
            host: host.as_raw_fd(),
            kernel: self.channel.0.as_raw_fd(),
            stdout: self.stdout.0.as_raw_fd(),
            stderr: self.stderr.0.as_raw_fd(),
            fork: session.clone(),
        };
        Ok(CString::new(serde_json::to_string(&supervise)?)?)
    }

    /// Becomes the supervisor, without leaving anything behind in memory that is borrowed.
    fn execute(&self, host: &OwnedFd, program: &OwnedFd, told: &CStr, kernel: Pid) -> Result<Infallible, Failed> {
        for kept in [host, &self.channel.0, &self.stdout.0, &self.stderr.0] {
            fcntl_setfd(kept, FdFlags::empty())?;
        }
        let mut digits = [0; 16];
        write!(&mut digits[..], "{}", kernel.as_raw_nonzero())?;
        let kernel = CStr::from_bytes_until_nul(&digits)?;
        Err(execute(program, [c"qianshou-supervisor", told, kernel]).into())
    }
}

fn become_kernel(
    python: Python<'_>,
    package: &Bound<'_, PyModule>,
    session: &Fork,
    filters: &Filters,
    ends: &Ends,
) -> Result<(), Failed> {
    dup2_stdout(&ends.stdout.1)?;
    dup2_stderr(&ends.stderr.1)?;
    let channel = close_all_but(&ends.channel.1)?;
    // A group of its own, so that the supervisor can stop all of the session's processes at one time.
    setpgid(None, None)?;
    let channel = Channel::new(channel);
    if let Err(refused) = kernel::confine(session, filters) {
        return channel.send(&FromKernel::NotConfined(refused.to_string()));
    }
    let environment = python.import("os")?.getattr("environ")?;
    environment.set_item("HOME", session.workspace.as_os_str())?;
    if session.tier != Tier::Namespaces {
        environment.set_item("TMPDIR", session.workspace.as_os_str())?;
    }
    let options = PyDict::new(python);
    options.set_item("workspace", session.workspace.as_os_str())?;
    options.set_item("network", session.network != Network::Off)?;
    let session = package.getattr("Session")?.call1((options,))?;
    cells::serve(python, &session, channel)
}
