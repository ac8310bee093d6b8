//! Checkpoints: a frozen copy of the kernel that takes its place if the cell ends badly.
//!
//! The kernel runs the cell and the *copy* waits, so that threads and children of the session live on in
//! the common case. The copy is a grandchild, whose parent ends at once: it belongs to the supervisor,
//! and a cell that waits for its own children does not meet it.

use std::os::fd::OwnedFd;

use pyo3::Python;
use qianshou_interpreter_confine::system::{self, Fork, exit_now};
use qianshou_interpreter_protocol::{Checkpoint, FromKernel, ToKernel};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, set_parent_process_death_signal, waitpid};

use crate::Failed;
use crate::channel::Channel;
use crate::fork::fork;

/// Forks a copy with the channel `theirs`. In the kernel it returns `None` at once; in the copy it returns
/// the new channel, when and if the supervisor wakes it.
pub(crate) fn take(python: Python<'_>, channel: &Channel, theirs: OwnedFd) -> Result<Option<Channel>, Failed> {
    match fork(python) {
        Err(error) => refuse(channel, error.raw_os_error()).map(|()| None),
        Ok(Fork::Parent(between)) => {
            if !went_well(between) {
                refuse(channel, None)?;
            }
            Ok(None)
        }
        Ok(Fork::Child) => match system::fork() {
            Ok(Fork::Parent(_)) => exit_now(0),
            Err(_) => exit_now(1),
            Ok(Fork::Child) => freeze(python, Channel::new(theirs)).map(Some).or_else(|_| exit_now(1)),
        },
    }
}

fn refuse(channel: &Channel, error: Option<i32>) -> Result<(), Failed> {
    let error = error.unwrap_or(Errno::AGAIN.raw_os_error());
    channel.send(&FromKernel::Checkpoint(Checkpoint::Refused(error)))
}

fn went_well(between: Pid) -> bool {
    loop {
        match waitpid(Some(between), WaitOptions::empty()) {
            Err(Errno::INTR) => {}
            Ok(Some((_, status))) => return status.exit_status() == Some(0),
            // A cell that ignores the end of children has the system reap them.
            _ => return true,
        }
    }
}

fn freeze(python: Python<'_>, mut own: Channel) -> Result<Channel, Failed> {
    own.send(&FromKernel::Checkpoint(Checkpoint::Frozen))?;
    match own.receive(python)? {
        Some(ToKernel::Wake) => {}
        _ => exit_now(0),
    }
    // A fork forgets whose death it follows.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    own.send(&FromKernel::Ready)?;
    Ok(own)
}
