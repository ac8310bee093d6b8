//! What a cell prints: head and tail are kept, everything is read.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use qianshou_interpreter_protocol::Printed;
use rustix::io::Errno;

/// One stream of the kernel.
#[derive(Debug)]
pub(crate) struct Output {
    pipe: OwnedFd,
    closed: bool,
    head: Vec<u8>,
    tail: VecDeque<u8>,
    bytes: u64,
    kept: usize,
}

impl Output {
    /// `kept` bytes at most: a quarter from the start, the rest from the end.
    pub(crate) fn new(pipe: OwnedFd, kept: u64) -> rustix::io::Result<Self> {
        rustix::io::ioctl_fionbio(&pipe, true)?;
        let kept = usize::try_from(kept).unwrap_or(usize::MAX);
        Ok(Self { pipe, closed: false, head: Vec::new(), tail: VecDeque::new(), bytes: 0, kept })
    }

    pub(crate) fn is_open(&self) -> bool {
        !self.closed
    }

    /// What has been printed since the last [`take`](Self::take).
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Reads what there is, a bounded amount at a time, so that nothing else has to wait for a flood.
    pub(crate) fn drain(&mut self) {
        let mut piece = [0; 65536];
        for _ in 0..64 {
            match rustix::io::read(&self.pipe, &mut piece) {
                Ok(0) => {
                    self.closed = true;
                    return;
                }
                Ok(length) => self.keep(&piece[..length]),
                Err(Errno::INTR) => {}
                Err(_) => return,
            }
        }
    }

    fn keep(&mut self, piece: &[u8]) {
        self.bytes += piece.len() as u64;
        let (head, tail) = piece.split_at(piece.len().min(self.kept / 4 - self.head.len()));
        self.head.extend_from_slice(head);
        let most = self.kept - self.kept / 4;
        self.tail.extend(&tail[tail.len().saturating_sub(most)..]);
        self.tail.drain(..self.tail.len().saturating_sub(most));
    }

    /// Hands over what is kept and starts anew.
    pub(crate) fn take(&mut self) -> Printed {
        let head = std::mem::take(&mut self.head);
        let tail = Vec::from(std::mem::take(&mut self.tail));
        let bytes = std::mem::take(&mut self.bytes);
        let omitted = bytes - (head.len() + tail.len()) as u64;
        let text = if omitted == 0 {
            String::from_utf8_lossy(&[head, tail].concat()).into_owned()
        } else {
            let (head, tail) = (String::from_utf8_lossy(&head), String::from_utf8_lossy(&tail));
            format!("{head}\n… {omitted} bytes left out …\n{tail}")
        };
        Printed { text, bytes }
    }
}

impl AsFd for Output {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pipe.as_fd()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn printed(pieces: &[&[u8]], kept: u64) -> Printed {
        let (read, write) = rustix::pipe::pipe().unwrap();
        let mut output = Output::new(read, kept).unwrap();
        for piece in pieces {
            assert_eq!(rustix::io::write(&write, piece).unwrap(), piece.len());
            output.drain();
        }
        output.take()
    }

    #[test]
    fn what_fits_is_kept_whole() {
        assert_eq!(printed(&[b"one ", b"two"], 8), Printed { text: "one two".into(), bytes: 7 });
        assert_eq!(printed(&["千".as_bytes(), "手".as_bytes()], 8).text, "千手");
    }

    #[test]
    fn what_does_not_fit_leaves_head_and_tail() {
        let expected = Printed { text: "01\n… 2 bytes left out …\n456789".into(), bytes: 10 };
        assert_eq!(printed(&[b"0123456789"], 8), expected);
        assert_eq!(printed(&[b"0", b"12", b"3456", b"789"], 8), expected);
    }
}
