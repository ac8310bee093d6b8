//! A channel to the supervisor or the host, read and written one message at a time, blocking.

use std::collections::VecDeque;
use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;

use pyo3::Python;
use qianshou_interpreter_protocol::{Decoder, json, parse};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendFlags, recvmsg, send};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Failed;

pub(crate) struct Channel {
    socket: OwnedFd,
    decoder: Decoder,
    descriptors: VecDeque<OwnedFd>,
}

impl Channel {
    pub(crate) fn new(socket: OwnedFd) -> Self {
        Self { socket, decoder: Decoder::default(), descriptors: VecDeque::new() }
    }

    pub(crate) fn socket(&self) -> &OwnedFd {
        &self.socket
    }

    /// The next of the descriptors that came with a message.
    pub(crate) fn descriptor(&mut self) -> Option<OwnedFd> {
        self.descriptors.pop_front()
    }

    pub(crate) fn send(&self, message: &impl Serialize) -> Result<(), Failed> {
        let frame = json(message)?;
        let mut rest = frame.as_slice();
        while !rest.is_empty() {
            match send(&self.socket, rest, SendFlags::NOSIGNAL) {
                Ok(length) => rest = &rest[length..],
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// The next message; `None` when the other end is closed. Python's other threads run meanwhile.
    pub(crate) fn receive<M: DeserializeOwned>(&mut self, python: Python<'_>) -> Result<Option<M>, Failed> {
        self.receive_by(|channel, piece| python.detach(|| channel.read(piece)))
    }

    /// The next message, waited for without a word to Python.
    pub(crate) fn receive_apart<M: DeserializeOwned>(&mut self) -> Result<Option<M>, Failed> {
        self.receive_by(Self::read)
    }

    fn receive_by<M: DeserializeOwned>(
        &mut self,
        read: impl Fn(&mut Self, &mut [u8]) -> rustix::io::Result<usize>,
    ) -> Result<Option<M>, Failed> {
        loop {
            if let Some(frame) = self.decoder.frame()? {
                return Ok(Some(parse(&frame)?));
            }
            // No more than the frame has: a descriptor belongs to the message that it came with.
            let mut piece = vec![0; self.decoder.missing().min(1 << 20)];
            match read(self, &mut piece) {
                Ok(0) => return Ok(None),
                Ok(length) => self.decoder.push(&piece[..length]),
                Err(Errno::INTR) => {}
                Err(error) => return Err(io::Error::from(error).into()),
            }
        }
    }

    /// Whether a message has come, or the other end is closed.
    pub(crate) fn has_come(&self) -> bool {
        let mut events = [PollFd::new(&self.socket, PollFlags::IN)];
        poll(&mut events, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok_and(|ready| ready > 0)
    }

    fn read(&mut self, piece: &mut [u8]) -> rustix::io::Result<usize> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let message = recvmsg(&self.socket, &mut [IoSliceMut::new(piece)], &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(descriptors) = message {
                self.descriptors.extend(descriptors);
            }
        }
        Ok(message.bytes)
    }
}
