//! The kernel's process and its frozen copy, as the supervisor holds them.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use qianshou_interpreter_protocol::{Checkpoint as Told, FromKernel, ToKernel, json, parse};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair, sockopt::set_socket_passcred};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};

use crate::link::{Link, Received};

/// How long a process that only has to say one word may take, on a machine that has much else to do.
const ONE_WORD: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(crate) struct Kernel {
    pub(crate) link: Link,
    pub(crate) process: Pid,
    /// Readable once the process has ended.
    pub(crate) ended: OwnedFd,
}

impl Kernel {
    pub(crate) fn new(link: Link, process: Pid) -> io::Result<Self> {
        Ok(Self { link, process, ended: pidfd_open(process, PidfdFlags::empty())? })
    }

    pub(crate) fn tell(&mut self, message: &ToKernel) {
        // Only code can be long, and the host bounds it.
        if let Ok(frame) = json(message) {
            self.link.send(&frame);
        }
    }

    pub(crate) fn interrupt(&self) {
        let _ = kill_process(self.process, Signal::INT);
    }

    /// Has the kernel fork a frozen copy of itself.
    pub(crate) fn checkpoint(&mut self) -> io::Result<Checkpoint> {
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        set_socket_passcred(&ours, true)?;
        let frame = json(&ToKernel::Checkpoint).map_err(io::Error::other)?;
        self.link.send_with(&frame, theirs.as_fd())?;
        Ok(Checkpoint { link: Link::new(ours) })
    }
}

/// A frozen copy of the kernel. It dies when this is dropped, because its channel closes.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    link: Link,
}

impl Checkpoint {
    /// Which process it is; waits for its word if that has not come yet. The number is the system's,
    /// whatever the process says.
    pub(crate) fn process(&mut self) -> Option<Pid> {
        match wait_for(&mut self.link)? {
            FromKernel::Checkpoint(Told::Frozen) => self.link.sender(),
            _ => None,
        }
    }

    /// Makes it the kernel, once everything else is dead.
    pub(crate) fn wake(mut self, process: Pid) -> Option<Kernel> {
        self.link.send(&json(&ToKernel::Wake).ok()?);
        match wait_for(&mut self.link)? {
            FromKernel::Ready => Kernel::new(self.link, process).ok(),
            _ => None,
        }
    }
}

/// The next message, if it comes in time and is one.
fn wait_for(link: &mut Link) -> Option<FromKernel> {
    let until = Instant::now() + ONE_WORD;
    loop {
        match link.receive().ok()? {
            Received::Frame(frame) => return parse(&frame).ok(),
            Received::Closed => return None,
            Received::Nothing => {
                let left = until.checked_duration_since(Instant::now())?;
                let timeout = Timespec::try_from(left).ok()?;
                let _ = poll(&mut [PollFd::new(&*link, PollFlags::IN)], Some(&timeout));
            }
        }
    }
}
