//! Frozen copies of the kernel, for the session to go back to.
//!
//! A new copy takes its time to make, and may fail. The last one stays until the new one has said that it is
//! frozen, so that a session always has a state to go back to, be it an older one.

use std::time::{Duration, Instant};

use qianshou_interpreter_protocol::{Checkpoint as Told, FromKernel, ToKernel, json, parse};
use rustix::process::Pid;

use crate::kernel::{Kernel, ONE_WORD, wait_for};
use crate::link::{Link, Received};
use crate::memory;

/// How long a copy may take to say its word while the kernel runs: no longer than the supervisor may look away.
const SHORTLY: Duration = Duration::from_millis(100);

/// How long it may take when the kernel has ended, on a machine that has much else to do. It is forked by then, if it
/// ever was; but a cell may have left the other end of its channel with somebody who lives on, so that nothing closes.
const LAST_WORD: Duration = Duration::from_secs(5);

/// The newest frozen copy, and the one that is being made.
#[derive(Debug, Default)]
pub(crate) struct Checkpoints {
    frozen: Option<Frozen>,
    coming: Option<Coming>,
}

/// A frozen copy. It dies when this is dropped, because its channel closes.
#[derive(Debug)]
struct Frozen {
    link: Link,
    /// The number is the system's, whatever the process says.
    process: Pid,
    state: u64,
}

#[derive(Debug)]
struct Coming {
    link: Link,
    state: u64,
}

impl Checkpoints {
    /// The kernel has been asked for a copy of its state, which is that after the cell `state`.
    pub(crate) fn expect(&mut self, link: Link, state: u64) {
        self.coming = Some(Coming { link, state });
    }

    /// Whether there is a copy of this state, or will be.
    pub(crate) fn has(&self, state: u64) -> bool {
        let frozen = self.frozen.as_ref().map(|frozen| frozen.state);
        let coming = self.coming.as_ref().map(|coming| coming.state);
        frozen == Some(state) || coming == Some(state)
    }

    /// Where the copy that is being made will say that it is frozen.
    pub(crate) fn awaited(&self) -> Option<&Link> {
        self.coming.as_ref().map(|coming| &coming.link)
    }

    /// Hears that word if it has come.
    pub(crate) fn listen(&mut self) {
        let Some(coming) = &mut self.coming else { return };
        match coming.link.receive() {
            Ok(Received::Nothing) => {}
            Ok(Received::Frame(frame)) => self.settle(parse(&frame).ok()),
            Ok(Received::Closed) | Err(_) => self.coming = None,
        }
    }

    /// Waits a moment for that word, where the kernel says that it has done with the copy. It may not be true, and the
    /// other end in the hands of a cell: without a word there is no copy.
    pub(crate) fn await_word(&mut self) {
        if let Some(coming) = &mut self.coming {
            let said = wait_for(&mut coming.link, Instant::now() + SHORTLY, || true);
            self.settle(said);
        }
    }

    /// Waits for that word when the kernel has ended, so that it comes soon or never will; as long as `go_on` says.
    pub(crate) fn await_last_word(&mut self, go_on: impl FnMut() -> bool) {
        if let Some(coming) = &mut self.coming {
            let said = wait_for(&mut coming.link, Instant::now() + LAST_WORD, go_on);
            self.settle(said);
        }
    }

    /// The kernel could not make the copy that it was asked for.
    pub(crate) fn refused(&mut self) {
        self.coming = None;
    }

    fn settle(&mut self, said: Option<FromKernel>) {
        let frozen = said.is_some_and(|said| matches!(said, FromKernel::Checkpoint(Told::Frozen)));
        if let (Some(Coming { link, state }), true) = (self.coming.take(), frozen)
            && let Some(process) = link.sender()
        {
            // It was forked from a kernel that is offered, and is what the session goes back to.
            memory::spare(process);
            self.frozen = Some(Frozen { link, process, state });
        }
    }

    /// The frozen copy's process.
    pub(crate) fn process(&self) -> Option<Pid> {
        self.frozen.as_ref().map(|frozen| frozen.process)
    }

    /// Makes the frozen copy the kernel, once everything else is dead; with the cell after which its state is. Code of
    /// cells may run when a copy wakes up, so `go_on` is asked whether to wait for it.
    pub(crate) fn wake(&mut self, go_on: impl FnMut() -> bool) -> Result<(Kernel, u64), &'static str> {
        let Frozen { mut link, process, state } = self.frozen.take().ok_or("there was no room for a copy of it")?;
        let wake = json(&ToKernel::Wake).map_err(|_| "the copy of it cannot be woken")?;
        link.send(&wake);
        let kernel = match wait_for(&mut link, Instant::now() + ONE_WORD, go_on) {
            Some(FromKernel::Ready) => Kernel::new(link, process).ok(),
            _ => None,
        };
        kernel.map(|kernel| (kernel, state)).ok_or("the copy of it does not wake up")
    }
}
