//! What a cell prints, handed on as it comes.

use qianshou_interpreter_protocol::{Limits, Stream};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::conversation::Broken;
use crate::text::Cleaner;

/// How many pieces may wait for their reader; what comes while so many wait is left out.
pub(crate) const WAITING: usize = 64;

/// How much longer text can be than the bytes that were printed: a byte that is no text becomes a sign of three.
const LONGER: u64 = 4;

/// A piece of what a running cell prints: text that is safe to show, of a bounded length.
///
/// The pieces of a stream, one after another, are what the cell prints to it, but that `\r` begins a new line. Where
/// more is printed than can be handed on, a mark says how much is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Output {
    /// Where it is printed.
    pub stream: Stream,
    /// The text.
    pub text: String,
}

/// The way of a cell's output to its reader. Never waits for one.
#[derive(Debug)]
pub(crate) struct Outlet {
    reader: mpsc::Sender<Output>,
    cleaners: [Cleaner; 2],
    omitted: [usize; 2],
    bytes: u64,
}

impl Outlet {
    pub(crate) fn new(reader: mpsc::Sender<Output>) -> Self {
        Self { reader, cleaners: Default::default(), omitted: [0; 2], bytes: 0 }
    }

    /// Hands `text` on.
    pub(crate) fn pass(&mut self, stream: Stream, text: &str, limits: &Limits) -> Result<(), Broken> {
        self.bytes += text.len() as u64;
        if self.bytes > limits.flood_bytes.saturating_mul(LONGER) {
            return Err("it says that more was printed than may be".into());
        }
        let text = self.cleaners[stream as usize].push(text);
        self.send(stream, text);
        Ok(())
    }

    /// Hands on what was held back in case that more would come.
    pub(crate) fn finish(mut self) {
        for stream in [Stream::Stdout, Stream::Stderr] {
            let text = self.cleaners[stream as usize].finish();
            self.send(stream, text);
        }
    }

    fn send(&mut self, stream: Stream, mut text: String) {
        if text.is_empty() {
            return;
        }
        let omitted = &mut self.omitted[stream as usize];
        let length = text.len();
        if *omitted > 0 {
            text = format!("\n… {omitted} bytes left out …\n{text}");
        }
        match self.reader.try_send(Output { stream, text }) {
            Ok(()) => *omitted = 0,
            Err(TrySendError::Full(_)) => *omitted += length,
            // Nobody reads any more.
            Err(TrySendError::Closed(_)) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::Interpreter;

    #[test]
    fn a_slow_reader_misses_something_and_is_told() {
        let limits = Interpreter::builder().limits;
        let (sender, mut reader) = mpsc::channel(1);
        let mut outlet = Outlet::new(sender);
        for text in ["one\n", "two\n", "three\n"] {
            outlet.pass(Stream::Stdout, text, &limits).unwrap();
        }
        assert_eq!(reader.try_recv().unwrap().text, "one\n");
        outlet.pass(Stream::Stdout, "four\n", &limits).unwrap();
        assert_eq!(reader.try_recv().unwrap().text, "\n… 10 bytes left out …\nfour\n");
    }

    #[test]
    fn more_than_a_cell_may_print_is_no_output() {
        let mut limits = Interpreter::builder().limits;
        limits.flood_bytes = 2;
        let (sender, _reader) = mpsc::channel(8);
        let mut outlet = Outlet::new(sender);
        outlet.pass(Stream::Stderr, "12345678", &limits).unwrap();
        assert!(outlet.pass(Stream::Stderr, "9", &limits).is_err());
    }

    #[test]
    fn what_is_held_back_comes_in_the_end() {
        let limits = Interpreter::builder().limits;
        let (sender, mut reader) = mpsc::channel(8);
        let mut outlet = Outlet::new(sender);
        outlet.pass(Stream::Stdout, "50 %\r", &limits).unwrap();
        outlet.pass(Stream::Stdout, "100 %\x1b", &limits).unwrap();
        outlet.pass(Stream::Stdout, "[1mbold", &limits).unwrap();
        outlet.finish();
        let mut texts = String::new();
        while let Ok(output) = reader.try_recv() {
            texts += &output.text;
        }
        assert_eq!(texts, "50 %\n100 %bold");
    }
}
