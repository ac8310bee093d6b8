//! What the host asks for.

use qianshou_interpreter_protocol::{Event, Frame, MAX_BYTES, Request, bytes, parse};

use crate::Failed;
use crate::link::Received;
use crate::supervisor::Supervisor;

/// A file on its way in.
#[derive(Debug)]
pub(crate) struct Incoming {
    id: u64,
    path: String,
    missing: u64,
    content: Vec<u8>,
}

impl Supervisor {
    /// Serves what the host has asked for; false when the host is gone.
    pub(crate) fn read_host(&mut self) -> Result<bool, Failed> {
        loop {
            match self.host.receive()? {
                Received::Nothing => return Ok(true),
                Received::Closed => return Ok(false),
                Received::Frame(frame) => match (frame, self.incoming.take()) {
                    (Frame::Bytes(piece), Some(incoming)) => self.take_in(incoming, &piece)?,
                    (frame, None) => self.serve_request(parse(&frame)?),
                    (Frame::Json(_), Some(_)) => return Err("the host left a file unfinished".into()),
                },
            }
        }
    }

    fn serve_request(&mut self, request: Request) {
        match request {
            Request::Interrupt { id } => self.interrupt(id),
            Request::Put { id, path, bytes } => self.put(Incoming { id, path, missing: bytes, content: Vec::new() }),
            Request::Execute { id, .. } | Request::Get { id, .. } | Request::SelfTest { id, .. } if !self.is_idle() => {
                self.tell(&Event::Refused { id, message: "a cell is running".into() });
            }
            Request::Execute { id, code, streams } => self.execute(id, code, streams),
            Request::Get { id, path, most } => self.get(id, &path, most),
            Request::SelfTest { id, test } => self.test(id, test),
        }
    }

    fn take_in(&mut self, mut incoming: Incoming, piece: &[u8]) -> Result<(), Failed> {
        let left = incoming.missing.checked_sub(piece.len() as u64);
        incoming.missing = left.ok_or("the host sent more of a file than it said")?;
        incoming.content.extend_from_slice(piece);
        self.put(incoming);
        Ok(())
    }

    fn put(&mut self, incoming: Incoming) {
        if incoming.missing > 0 {
            self.incoming = Some(incoming);
            return;
        }
        let id = incoming.id;
        let stored = self.workspace.write(&incoming.path, &incoming.content);
        if self.is_idle() {
            // What the host brings is not a cell's doing.
            self.files = self.workspace.snapshot();
        }
        self.tell(&match stored {
            Ok(()) => Event::Stored { id },
            Err(error) => Event::Refused { id, message: error.to_string() },
        });
    }

    fn get(&mut self, id: u64, path: &str, most: u64) {
        match self.workspace.read(path, most) {
            Err(error) => self.tell(&Event::Refused { id, message: error.to_string() }),
            Ok(content) => {
                self.tell(&Event::Content { id, bytes: content.len() as u64 });
                for piece in content.chunks(MAX_BYTES) {
                    if let Ok(frame) = bytes(piece) {
                        self.host.send(&frame);
                    }
                }
            }
        }
    }
}
