//! The kernel's process, as the supervisor holds it.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use qianshou_interpreter_protocol::{FromKernel, ToKernel, json, parse};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair, sockopt::set_socket_passcred};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal};

use crate::link::{Link, Received};

/// How long a process that only has to say one word may take, on a machine that has much else to do.
pub(crate) const ONE_WORD: Duration = Duration::from_secs(30);

/// Between two looks at what else there is while a word is waited for.
const LOOK: Duration = Duration::from_millis(100);

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

    /// Ends it.
    pub(crate) fn kill(&self) {
        let _ = pidfd_send_signal(&self.ended, Signal::KILL);
    }

    /// Has the kernel fork a frozen copy of itself, which will speak on the link.
    pub(crate) fn checkpoint(&mut self) -> io::Result<Link> {
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        set_socket_passcred(&ours, true)?;
        let frame = json(&ToKernel::Checkpoint).map_err(io::Error::other)?;
        self.link.send_with(&frame, theirs.as_fd())?;
        Ok(Link::new(ours))
    }
}

/// The next message, if it comes in time and is one. Who should speak may not, on purpose: `go_on` is asked now and then
/// whether there is still time.
pub(crate) fn wait_for(link: &mut Link, until: Instant, mut go_on: impl FnMut() -> bool) -> Option<FromKernel> {
    let mut looked = Instant::now();
    loop {
        match link.receive().ok()? {
            Received::Frame(frame) => return parse(&frame).ok(),
            Received::Closed => return None,
            Received::Nothing => {}
        }
        if looked.elapsed() >= LOOK {
            if !go_on() {
                return None;
            }
            looked = Instant::now();
        }
        let left = until.checked_duration_since(Instant::now())?;
        let timeout = Timespec::try_from(left.min(LOOK)).ok()?;
        let _ = poll(&mut [PollFd::new(&*link, PollFlags::IN)], Some(&timeout));
    }
}
