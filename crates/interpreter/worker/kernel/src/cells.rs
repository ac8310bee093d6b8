//! The kernel's loop: one message, one answer.

use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use pyo3::types::{PyCFunction, PyDict, PyTuple};
use qianshou_interpreter_protocol::{FromKernel, ToKernel};
use rustix::io::fcntl_dupfd_cloexec;
use rustix::stdio::{dup2_stderr, dup2_stdout, stderr, stdout};

use crate::channel::Channel;
use crate::{Failed, checkpoint, python, selftest, to_python_error};

/// The channel, shared with the function that cells show things through.
type Shared = Arc<Mutex<Channel>>;

/// Until the supervisor closes the channel.
pub(crate) fn serve(python: Python<'_>, session: &Bound<'_, PyAny>, channel: Channel) -> Result<(), Failed> {
    let streams = [fcntl_dupfd_cloexec(stdout(), 3)?, fcntl_dupfd_cloexec(stderr(), 3)?];
    let channel: Shared = Arc::new(Mutex::new(channel));
    let emit = emitter(python, &channel)?;
    lock(python, &channel).send(&FromKernel::Ready)?;
    loop {
        let message = lock(python, &channel).receive(python)?;
        match message {
            None => return Ok(()),
            Some(ToKernel::Checkpoint) => {
                let mut channel = lock(python, &channel);
                let theirs = channel.descriptor().ok_or("a checkpoint without its socket")?;
                match checkpoint::take(python, &channel, theirs)? {
                    Some(own) => *channel = own,
                    // What every cell writes to is shared with the copy now. Who does not wait for a cell does not
                    // wait for that either.
                    None if !channel.has_come() => drop(session.call_method0("rehearse")?),
                    None => {}
                }
            }
            Some(ToKernel::Execute { number, code }) => {
                restore(&streams)?;
                let result = session.call_method1("execute", (number, code, &emit))?;
                let outcome = Box::new(python::outcome(&result)?);
                lock(python, &channel).send(&FromKernel::Done { number, outcome })?;
            }
            Some(ToKernel::SelfTest(test)) => {
                let verdicts = python.detach(|| selftest::run(&test));
                lock(python, &channel).send(&FromKernel::Tested(verdicts))?;
            }
            // The answer to a display that a cell sent past us; it ended without reading it.
            Some(ToKernel::Taken) => {}
            Some(ToKernel::Wake) => return Err("a message out of turn".into()),
        }
    }
}

/// Standard output and error as they were, in case a cell closed or moved them.
fn restore([out, err]: &[OwnedFd; 2]) -> Result<(), Failed> {
    dup2_stdout(out)?;
    dup2_stderr(err)?;
    Ok(())
}

/// `emit(kind, payload)`: returns when the supervisor has taken the display, and all output before it.
fn emitter<'py>(python: Python<'py>, channel: &Shared) -> PyResult<Bound<'py, PyCFunction>> {
    let channel = Arc::clone(channel);
    let emit = move |arguments: &Bound<'_, PyTuple>, _: Option<&Bound<'_, PyDict>>| -> PyResult<()> {
        let python = arguments.py();
        let data = python::bundle(&arguments.get_item(1)?.get_item("data")?)?;
        let mut channel = lock(python, &channel);
        channel.send(&FromKernel::Display { data }).map_err(to_python_error)?;
        match channel.receive(python).map_err(to_python_error)? {
            Some(ToKernel::Taken) => Ok(()),
            _ => Err(to_python_error("the supervisor did not take a display".into())),
        }
    };
    PyCFunction::new_closure(python, None, None, emit)
}

/// Lets Python go while it waits: who has the channel waits for a message, and then for Python.
fn lock<'channel>(python: Python<'_>, channel: &'channel Shared) -> MutexGuard<'channel, Channel> {
    channel.lock_py_attached(python).unwrap_or_else(PoisonError::into_inner)
}
