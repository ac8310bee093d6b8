//! What a cell prints: head and tail are kept, everything is read.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use qianshou_interpreter_protocol::Printed;
use rustix::io::Errno;

/// What is passed on at one time at most, in bytes; the rest is left out.
const PASSED_ON: usize = 16 * 1024;

/// One stream of the kernel.
#[derive(Debug)]
pub(crate) struct Output {
    pipe: OwnedFd,
    closed: bool,
    head: Vec<u8>,
    tail: VecDeque<u8>,
    bytes: u64,
    kept: usize,
    fresh: Option<Fresh>,
}

/// What has not been passed on yet.
#[derive(Debug, Default)]
struct Fresh {
    bytes: Vec<u8>,
    omitted: u64,
}

impl Output {
    /// `kept` bytes at most: a quarter from the start, the rest from the end.
    pub(crate) fn new(pipe: OwnedFd, kept: u64) -> rustix::io::Result<Self> {
        rustix::io::ioctl_fionbio(&pipe, true)?;
        let kept = usize::try_from(kept).unwrap_or(usize::MAX);
        Ok(Self { pipe, closed: false, head: Vec::new(), tail: VecDeque::new(), bytes: 0, kept, fresh: None })
    }

    pub(crate) fn is_open(&self) -> bool {
        !self.closed
    }

    /// What has been printed since the last [`take`](Self::take).
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether what is printed from now on is to be had by [`chunk`](Self::chunk).
    pub(crate) fn stream(&mut self, streams: bool) {
        self.fresh = streams.then(Fresh::default);
    }

    pub(crate) fn has_chunk(&self) -> bool {
        self.fresh.as_ref().is_some_and(|fresh| !fresh.bytes.is_empty())
    }

    /// What has been printed since the last one, but for a character that has only begun unless this is the last.
    pub(crate) fn chunk(&mut self, last: bool) -> Option<String> {
        let fresh = self.fresh.as_mut().filter(|fresh| !fresh.bytes.is_empty())?;
        let begun = if last || fresh.omitted > 0 { 0 } else { begun(&fresh.bytes) };
        let rest = fresh.bytes.split_off(fresh.bytes.len() - begun);
        let whole = std::mem::replace(&mut fresh.bytes, rest);
        let mut text = String::from_utf8_lossy(&whole).into_owned();
        match std::mem::take(&mut fresh.omitted) {
            0 => {}
            omitted => text += &mark(omitted),
        }
        (!text.is_empty()).then_some(text)
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
        if let Some(fresh) = &mut self.fresh {
            let passed_on = &piece[..piece.len().min(PASSED_ON.saturating_sub(fresh.bytes.len()))];
            fresh.bytes.extend_from_slice(passed_on);
            fresh.omitted += (piece.len() - passed_on.len()) as u64;
        }
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
            format!("{head}{}{tail}", mark(omitted))
        };
        Printed { text, bytes }
    }
}

fn mark(omitted: u64) -> String {
    format!("\n… {omitted} bytes left out …\n")
}

/// The length of a character at the end that has only begun.
fn begun(text: &[u8]) -> usize {
    let is_begun = |end: &[u8]| {
        std::str::from_utf8(end).is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
    };
    (1..=text.len().min(3)).find(|length| is_begun(&text[text.len() - length..])).unwrap_or(0)
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
    fn chunks_are_whole_characters_and_together_all_that_is_printed() {
        let (read, write) = rustix::pipe::pipe().unwrap();
        let mut output = Output::new(read, 64).unwrap();
        output.stream(true);
        let text = "千手 of ünï\u{1f600}".as_bytes();
        let mut chunks = String::new();
        for byte in text {
            rustix::io::write(&write, &[*byte]).unwrap();
            output.drain();
            chunks += &output.chunk(false).unwrap_or_default();
        }
        assert_eq!(chunks.as_bytes(), text);
        rustix::io::write(&write, b"wrong: \xff \xe5\x8d").unwrap();
        output.drain();
        assert_eq!(output.chunk(false).unwrap(), "wrong: \u{fffd} ");
        assert_eq!(output.chunk(true).unwrap(), "\u{fffd}");
        assert_eq!(output.chunk(true), None);
    }

    #[test]
    fn a_chunk_of_a_flood_is_bounded_and_says_so() {
        let (read, write) = rustix::pipe::pipe().unwrap();
        let mut output = Output::new(read, 64).unwrap();
        output.stream(true);
        rustix::io::write(&write, &[b'x'; 40_000]).unwrap();
        output.drain();
        let chunk = output.chunk(false).unwrap();
        assert!(chunk.len() < PASSED_ON + 64 && chunk.ends_with("x\n… 23616 bytes left out …\n"), "{}", chunk.len());
        output.stream(false);
        rustix::io::write(&write, b"x").unwrap();
        output.drain();
        assert!(!output.has_chunk());
    }

    #[test]
    fn what_does_not_fit_leaves_head_and_tail() {
        let expected = Printed { text: "01\n… 2 bytes left out …\n456789".into(), bytes: 10 };
        assert_eq!(printed(&[b"0123456789"], 8), expected);
        assert_eq!(printed(&[b"0", b"12", b"3456", b"789"], 8), expected);
    }
}
