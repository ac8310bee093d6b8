//! The warm Python: it has imported what people use, runs no user code, and forks a session on request.

use std::io;

use pyo3::prelude::*;
use qianshou_interpreter_confine::kernel::Filters;
use qianshou_interpreter_confine::system::inherit;
use qianshou_interpreter_protocol::{Fork, Warm};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::process::{WaitOptions, wait};
use rustix::stdio::{dup2_stdin, stderr, stdin};

use crate::channel::Channel;
use crate::{Failed, python, session, template};

/// Until the host goes away.
pub(crate) fn serve(python: Python<'_>, program: i32, preload: Vec<String>) -> Result<(), Failed> {
    let mut control = Channel::new(take_standard_input()?);
    let program = inherit(program)?;
    template::begin();
    let warmed = python::package(python).and_then(|package| {
        let report = package.getattr("warm_up")?.call1((preload,))?;
        Ok((package, python::warm_report(&report)?))
    });
    let (package, report) = match warmed {
        Ok(warm) => warm,
        Err(error) => {
            control.send(&Warm::Failed(error.to_string()))?;
            return Err(error.into());
        }
    };
    if let Err(error) = template::share() {
        // For the operator: sessions are slower to start, and nothing else.
        let _ = rustix::io::write(stderr(), format!("memory is not shared: {error}\n").as_bytes());
    }
    control.send(&Warm::Ready(report))?;
    let mut filters = None;
    loop {
        python.detach(|| wait_and_reap(&control))?;
        let Some(fork) = control.receive::<Fork>(python)? else { return Ok(()) };
        let host = control.descriptor().ok_or("a session without its socket")?;
        let group = if fork.has_group { control.descriptor() } else { None };
        // All sessions of one warm Python are locked in alike.
        let filters = match &filters {
            Some(filters) => filters,
            None => filters.insert(Filters::new(fork.network, fork.tier)?),
        };
        session::start(python, &package, &fork, filters, host, group, &program);
    }
}

/// Waits for a request, and reaps the supervisors that have ended meanwhile.
fn wait_and_reap(control: &Channel) -> io::Result<()> {
    let second = Timespec { tv_sec: 1, tv_nsec: 0 };
    loop {
        while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
        match poll(&mut [PollFd::new(control.socket(), PollFlags::IN)], Some(&second)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => {}
            Ok(_) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Standard input was the control socket; it must be nothing when a session inherits it.
fn take_standard_input() -> io::Result<std::os::fd::OwnedFd> {
    let control = rustix::io::fcntl_dupfd_cloexec(stdin(), 3)?;
    dup2_stdin(openat(CWD, "/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?)?;
    Ok(control)
}
