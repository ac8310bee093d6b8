//! Launcher: makes the outer layer, starts the warm Python in it, and waits.
//!
//! Standard input is the control socket. The launcher reads one message from it and leaves the rest to
//! Python. When the host goes away, so does the launcher, and with it Python and every session.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, stderr, stdin};
use std::os::fd::AsRawFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitCode, ExitStatus};
use std::thread::sleep;
use std::time::{Duration, Instant};

use qianshou_interpreter_confine::system::{Fork, exit_now};
use qianshou_interpreter_confine::{Failure, outer};
use qianshou_interpreter_protocol::{Decoder, Launch, Tier, VERSION, Warm, json, parse};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions, kill_process, pidfd_open, waitpid};
use rustix::stdio::dup2_stdout;

use crate::Failed;

/// How long the processes of sessions may take to leave their control groups.
const LEAVING: Duration = Duration::from_secs(10);

pub(crate) fn run() -> Result<ExitCode, Failed> {
    let launch = read_launch()?;
    let module = File::open(&launch.module)?;
    let program = File::open("/proc/self/exe")?;
    let side = outer::fork(launch.tier);
    match side {
        Ok(Fork::Parent(python)) => {
            drop((module, program));
            let ended = wait(python);
            if let Some(group) = &launch.group {
                remove_group(group, python);
            }
            if let Some(scratch) = &launch.scratch {
                // The host removes it too, unless it was killed.
                drop(fs::remove_dir_all(scratch));
            }
            ended
        }
        Ok(Fork::Child) => {
            let error = start(&launch, &module, &program);
            say_failed(&*error);
            exit_now(1)
        }
        Err(error) => {
            say_failed(&error);
            Ok(ExitCode::FAILURE)
        }
    }
}

fn read_launch() -> Result<Launch, Failed> {
    // Unbuffered, so that nothing of what follows the message is taken from Python.
    let mut control = File::from(rustix::io::dup(stdin())?);
    let mut decoder = Decoder::default();
    let frame = loop {
        if let Some(frame) = decoder.frame()? {
            break frame;
        }
        let mut piece = vec![0; decoder.missing()];
        control.read_exact(&mut piece)?;
        decoder.push(&piece);
    };
    let launch: Launch = parse(&frame)?;
    if launch.version != VERSION {
        return Err(format!("the host speaks version {} of the protocol, not {VERSION}", launch.version).into());
    }
    Ok(launch)
}

/// Becomes the warm Python; returns only what went wrong.
fn start(launch: &Launch, module: &File, program: &File) -> Failed {
    let locked_in = match launch.tier {
        Tier::Namespaces => outer::enter(&launch.visible),
        Tier::Landlock => outer::leave_root(),
        Tier::Off => Ok(()),
    };
    if let Err(error) = locked_in.and_then(|()| outer::die_with_parent()) {
        return error.into();
    }
    // What imports print is for the operator; and Python must find a pipe here, as a session will have.
    if let Err(error) = dup2_stdout(stderr()) {
        return error.into();
    }
    for kept in [module, program] {
        if let Err(error) = fcntl_setfd(kept, FdFlags::empty()) {
            return error.into();
        }
    }
    let error = Command::new(&launch.python)
        .args(["-I", "-X", "utf8", "-c", &launch.bootstrap])
        .arg(module.as_raw_fd().to_string())
        .arg(program.as_raw_fd().to_string())
        .args(&launch.preload)
        .env_clear()
        .envs(launch.environment.iter().map(|(name, value)| (name, value)))
        .exec();
    let denied = error.kind() == ErrorKind::PermissionDenied;
    let failure = Failure::new(format!("start {}", launch.python.display()), error);
    // The host itself can start it: then it is the user that root has become who may not.
    if denied { failure.into() } else { failure.to_string().into() }
}

fn say_failed(error: &(dyn std::error::Error + 'static)) {
    let message = error.to_string();
    let said = if error.is::<Failure>() { Warm::NotConfined(message) } else { Warm::Failed(message) };
    if let Ok(frame) = json(&said) {
        let _ = rustix::io::write(stdin(), &frame);
    }
}

/// Removes the control group of the sessions, which end with Python.
fn remove_group(group: &Path, python: Pid) {
    let _ = kill_process(python, Signal::KILL);
    let until = Instant::now() + LEAVING;
    let sessions = || fs::read_dir(group).into_iter().flatten().flatten();
    while fs::remove_dir(group).is_err_and(|error| error.kind() != ErrorKind::NotFound) && Instant::now() < until {
        for session in sessions().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
            // In tier B a session ends when it notices that the host is gone.
            drop(fs::remove_dir(session.path()));
        }
        sleep(Duration::from_millis(5));
    }
}

/// Until Python ends or the host goes away.
fn wait(python: Pid) -> Result<ExitCode, Failed> {
    let process = pidfd_open(python, PidfdFlags::empty())?;
    let control = stdin();
    loop {
        let mut events = [PollFd::new(&control, PollFlags::empty()), PollFd::new(&process, PollFlags::IN)];
        match poll(&mut events, None) {
            Err(rustix::io::Errno::INTR) => continue,
            result => result?,
        };
        if !events[0].revents().is_empty() {
            // Python is tied to this process and dies with it.
            return Ok(ExitCode::SUCCESS);
        }
        if let Some((_, status)) = waitpid(Some(python), WaitOptions::NOHANG)? {
            let status = ExitStatus::from_raw(status.as_raw());
            return Err(format!("Python ended ({status})").into());
        }
    }
}
