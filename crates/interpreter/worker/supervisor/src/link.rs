//! One end of a channel: frames in, frames out, never blocking.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use qianshou_interpreter_protocol::{Decoder, Frame, FrameError};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};
use rustix::process::Pid;

/// What the peer did.
#[derive(Debug)]
pub(crate) enum Received {
    /// It sent a frame.
    Frame(Frame),
    /// It has nothing more to say for now.
    Nothing,
    /// It closed its end.
    Closed,
}

#[derive(Debug)]
pub(crate) struct Link {
    socket: OwnedFd,
    decoder: Decoder,
    unsent: Vec<u8>,
    sender: Option<Pid>,
}

impl Link {
    pub(crate) fn new(socket: OwnedFd) -> Self {
        Self { socket, decoder: Decoder::default(), unsent: Vec::new(), sender: None }
    }

    /// The process that sent what was read last, vouched for by the kernel; for sockets that pass credentials.
    pub(crate) fn sender(&self) -> Option<Pid> {
        self.sender
    }

    pub(crate) fn has_unsent(&self) -> bool {
        !self.unsent.is_empty()
    }

    /// The next frame, reading as much as there is for it.
    pub(crate) fn receive(&mut self) -> Result<Received, FrameError> {
        loop {
            if let Some(frame) = self.decoder.frame()? {
                return Ok(Received::Frame(frame));
            }
            let mut piece = [0; 65536];
            match self.read(&mut piece) {
                Ok(0) => return Ok(Received::Closed),
                Ok(length) => self.decoder.push(&piece[..length]),
                Err(Errno::AGAIN) => return Ok(Received::Nothing),
                Err(Errno::INTR) => {}
                Err(_) => return Ok(Received::Closed),
            }
        }
    }

    fn read(&mut self, piece: &mut [u8]) -> rustix::io::Result<usize> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmCredentials(1))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
        let message = recvmsg(&self.socket, &mut [IoSliceMut::new(piece)], &mut ancillary, flags)?;
        // Descriptors that a peer passes are closed here, unseen.
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmCredentials(credentials) = message {
                self.sender = Some(credentials.pid);
            }
        }
        Ok(message.bytes)
    }

    /// Sends what it can of a frame, and keeps the rest for [`flush`](Self::flush).
    pub(crate) fn send(&mut self, frame: &[u8]) {
        self.unsent.extend_from_slice(frame);
        self.flush();
    }

    /// Sends what is kept, as far as the peer takes it. A peer that is gone is noticed on reading.
    pub(crate) fn flush(&mut self) {
        let mut sent = 0;
        while sent < self.unsent.len() {
            match rustix::net::send(&self.socket, &self.unsent[sent..], SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
                Ok(length) => sent += length,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                Err(_) => sent = self.unsent.len(),
            }
        }
        self.unsent.drain(..sent);
    }

    /// Sends what is kept while the peer takes it, for so long at most.
    pub(crate) fn flush_within(&mut self, time: Duration) {
        let until = Instant::now() + time;
        self.flush();
        while self.has_unsent()
            && let Some(Ok(left)) = until.checked_duration_since(Instant::now()).map(Timespec::try_from)
        {
            let _ = poll(&mut [PollFd::new(&self.socket, PollFlags::OUT)], Some(&left));
            self.flush();
        }
    }

    /// Sends a short frame together with a descriptor.
    pub(crate) fn send_with(&mut self, frame: &[u8], descriptor: BorrowedFd<'_>) -> io::Result<()> {
        let descriptors = [descriptor];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        ancillary.push(SendAncillaryMessage::ScmRights(&descriptors));
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        if self.has_unsent() || sendmsg(&self.socket, &[IoSlice::new(frame)], &mut ancillary, flags)? < frame.len() {
            return Err(io::Error::other("the kernel does not read"));
        }
        Ok(())
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
