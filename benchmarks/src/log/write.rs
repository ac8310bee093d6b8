//! Writing logs.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};

use serde::Serialize;

use super::{Header, LOG_VERSION, Log, LogError, SampleRecord};
use crate::hash::sha256;

/// What a line of a sample is made of, around checksum and content.
pub(super) const SAMPLE_HEAD: &str = "{\"record\":\"sample\",\"version\":1,\"checksum\":\"";
pub(super) const SAMPLE_MIDDLE: &str = "\",\"sample\":";
pub(super) const CHECKSUM_DIGITS: usize = 16;

#[derive(Serialize)]
struct HeaderLine<'a> {
    record: &'static str,
    version: u32,
    bench: &'a Header,
}

/// A log that samples are appended to. No other process can open it meanwhile.
#[derive(Debug)]
pub(crate) struct LogFile {
    path: PathBuf,
    file: File,
    disk: Disk,
}

impl LogFile {
    /// Begins a log, or goes on with the one that is there. A last line that is cut off is removed.
    ///
    /// # Errors
    /// When the file cannot be opened or read, or is of another run.
    pub(crate) fn open(path: &Path, header: &Header) -> Result<(Self, Vec<SampleRecord>), LogError> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(LogError::io("create the folder of", path))?;
        }
        let file = OpenOptions::new().append(true).read(true).create(true).open(path);
        let file = file.map_err(LogError::io("open", path))?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => LogError::Locked { path: path.to_owned() },
            TryLockError::Error(source) => LogError::io("lock", path)(source),
        })?;
        let disk = file.try_clone().and_then(Disk::start).map_err(LogError::io("open", path))?;
        let mut log = Self { path: path.to_owned(), file, disk };
        let Some(begun) = Log::read_if_begun(path)? else {
            log.cut(0)?;
            let line = HeaderLine { record: "bench", version: LOG_VERSION, bench: header };
            let mut line = serde_json::to_vec(&line).map_err(io::Error::from).map_err(LogError::io("write", path))?;
            line.push(b'\n');
            log.put(&line)?;
            return Ok((log, Vec::new()));
        };
        if let Some((field, before, now)) = begun.header.difference(header) {
            return Err(LogError::OtherRun { path: path.to_owned(), field, before, now });
        }
        if begun.truncated.is_some() {
            log.cut(begun.whole)?;
        }
        Ok((log, begun.samples))
    }

    /// Appends samples. They are out of this process then, and on the disk a moment later.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(crate) fn append(&mut self, samples: &[SampleRecord]) -> Result<(), LogError> {
        let mut lines = Vec::new();
        for sample in samples {
            let content = serde_json::to_vec(sample).map_err(io::Error::from);
            let content = content.map_err(LogError::io("write", &self.path))?;
            lines.extend_from_slice(SAMPLE_HEAD.as_bytes());
            lines.extend_from_slice(checksum(&content).as_bytes());
            lines.extend_from_slice(SAMPLE_MIDDLE.as_bytes());
            lines.extend_from_slice(&content);
            lines.extend_from_slice(b"}\n");
        }
        self.put(&lines)
    }

    /// Waits until all samples are on the disk.
    ///
    /// # Errors
    /// When they cannot be brought there.
    pub(crate) fn close(mut self) -> Result<(), LogError> {
        self.disk.finish().map_err(LogError::io("write", &self.path))
    }

    fn put(&mut self, lines: &[u8]) -> Result<(), LogError> {
        let written = self.file.write_all(lines).and_then(|()| self.disk.synchronise());
        written.map_err(LogError::io("write", &self.path))
    }

    fn cut(&mut self, length: u64) -> Result<(), LogError> {
        self.file.set_len(length).map_err(LogError::io("shorten", &self.path))
    }
}

/// Brings what is written to the disk, on a thread of its own: a disk takes longer than the harness, and one
/// wait serves all that was written since the last.
#[derive(Debug)]
struct Disk {
    requests: Option<Sender<()>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Disk {
    fn start(file: File) -> io::Result<Self> {
        let (requests, received) = mpsc::channel();
        let thread = thread::Builder::new().name("log".to_owned()).spawn(move || {
            while received.recv().is_ok() {
                while received.try_recv().is_ok() {}
                file.sync_data()?;
            }
            Ok(())
        })?;
        Ok(Self { requests: Some(requests), thread: Some(thread) })
    }

    /// Has all that is written brought to the disk; tells of an earlier failure.
    fn synchronise(&mut self) -> io::Result<()> {
        match &self.requests {
            Some(requests) if requests.send(()).is_ok() => Ok(()),
            // The thread ends early only with an error.
            _ => self.finish(),
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        self.requests = None;
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(result)) => result,
            Some(Err(_)) => Err(io::Error::other("the thread that synchronises ended")),
            None => Ok(()),
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Whoever wants to know calls `finish`.
        let _ = self.finish();
    }
}

pub(super) fn checksum(content: &[u8]) -> String {
    let mut digits = sha256(content);
    digits.truncate(CHECKSUM_DIGITS);
    digits
}
