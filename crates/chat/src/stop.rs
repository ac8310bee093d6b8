//! Finding stop strings in text that arrives piece by piece.

/// Where a stop string was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StopMatch {
    /// Offset of its first byte, counted from the first byte ever pushed.
    pub start: usize,
    /// Which of the stop strings.
    pub index: usize,
}

/// Watches a stream of bytes for stop strings, however it is split.
///
/// It works on bytes, so that text may be pushed before its last character is complete. Everything
/// before [`safe`](Self::safe) can be shown: no stop string can begin there any more.
///
/// ```
/// use qianshou_chat::StopScanner;
///
/// let mut scanner = StopScanner::new(["Observation:"]);
/// assert!(scanner.push(b"so.\nObserv").is_none());
/// assert_eq!(scanner.safe(), 4);
/// assert_eq!(scanner.push(b"ation: 3").map(|found| found.start), Some(4));
/// ```
#[derive(Clone, Debug)]
pub struct StopScanner {
    stops: Vec<Vec<u8>>,
    /// The last bytes seen: at most one less than the longest stop string.
    tail: Vec<u8>,
    seen: usize,
    found: Option<StopMatch>,
}

impl StopScanner {
    /// A scanner for these stop strings; empty ones are ignored.
    pub fn new(stops: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Self {
        let stops = stops.into_iter().map(|stop| stop.as_ref().to_vec()).collect();
        Self { stops, tail: Vec::new(), seen: 0, found: None }
    }

    /// Takes more bytes. Returns the first stop string that is complete; when several end at the same
    /// byte, the longest. After a match nothing more is read.
    pub fn push(&mut self, bytes: &[u8]) -> Option<StopMatch> {
        let keep = self.stops.iter().map(Vec::len).max().unwrap_or(0);
        for &byte in bytes {
            if self.found.is_some() {
                break;
            }
            self.seen += 1;
            self.tail.push(byte);
            if self.tail.len() > keep {
                self.tail.remove(0);
            }
            self.found = self
                .stops
                .iter()
                .enumerate()
                .filter(|(_, stop)| !stop.is_empty() && self.tail.ends_with(stop))
                .max_by_key(|(_, stop)| stop.len())
                .map(|(index, stop)| StopMatch { start: self.seen - stop.len(), index });
        }
        self.found
    }

    /// How many bytes from the beginning can no longer be part of a stop string.
    pub fn safe(&self) -> usize {
        if let Some(found) = self.found {
            return found.start;
        }
        let begins_a_stop = |length: usize| {
            let end = &self.tail[self.tail.len() - length..];
            self.stops.iter().any(|stop| stop.len() > length && stop.starts_with(end))
        };
        let held = (1..=self.tail.len()).rev().find(|&length| begins_a_stop(length)).unwrap_or(0);
        self.seen - held
    }
}
