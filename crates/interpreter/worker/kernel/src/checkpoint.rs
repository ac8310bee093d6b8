//! Checkpoints: a frozen copy of the kernel that takes its place if the cell ends badly.
//!
//! The kernel runs the cell and the *copy* waits, so that threads and children of the session live on in
//! the common case. The copy is a grandchild, whose parent ends at once: it belongs to the supervisor,
//! and a cell that waits for its own children does not meet it.

use std::os::fd::OwnedFd;

use pyo3::Python;
use qianshou_interpreter_confine::system::exit_now;
use qianshou_interpreter_protocol::{Checkpoint, FromKernel, ToKernel};
use rustix::io::Errno;
use rustix::process::{Signal, WaitOptions, set_parent_process_death_signal, waitpid};
use rustix::thread::UnshareFlags;

use crate::Failed;
use crate::channel::Channel;
use crate::fork::{Side, fork_between};

/// Forks a copy with the channel `theirs`. In the kernel it returns `None` at once; in the copy it returns
/// the new channel, when and if the supervisor wakes it.
///
/// The copy waits before Python hears that it is one: most copies are thrown away, and what Python puts in order
/// after a fork would write to pages that both share until then.
pub(crate) fn take(python: Python<'_>, channel: &Channel, theirs: OwnedFd) -> Result<Option<Channel>, Failed> {
    let refuse = || channel.send(&FromKernel::Checkpoint(Checkpoint::Refused));
    // Taken by the copy alone: here it is closed at the end.
    let mut theirs = Some(theirs);
    let wait = |()| theirs.take().and_then(|own| freeze(Channel::new(own)).ok()).unwrap_or_else(|| exit_now(1));
    // The process in between has nothing to do but end, and leave its child to the supervisor.
    let forked = fork_between(python, UnshareFlags::empty(), || Ok(()), wait, |(), _| exit_now(0), |_| drop(refuse()));
    match forked {
        Ok(Side::Copy(own)) => {
            own.send(&FromKernel::Ready)?;
            Ok(Some(own))
        }
        Ok(Side::Original(between)) => {
            // A cell that ignores the end of children has the system reap them; then there is none.
            while let Err(Errno::INTR) = waitpid(Some(between), WaitOptions::empty()) {}
            Ok(None)
        }
        Err(_) => refuse().map(|()| None),
    }
}

fn freeze(mut own: Channel) -> Result<Channel, Failed> {
    own.send(&FromKernel::Checkpoint(Checkpoint::Frozen))?;
    match own.receive_apart()? {
        Some(ToKernel::Wake) => {}
        _ => exit_now(0),
    }
    // A fork forgets whose death it follows.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    Ok(own)
}
