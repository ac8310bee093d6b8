//! Writing logs.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

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
        let mut log = Self { path: path.to_owned(), file };
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

    /// Appends samples and waits until they are on the disk.
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

    fn put(&mut self, lines: &[u8]) -> Result<(), LogError> {
        let written = self.file.write_all(lines).and_then(|()| self.file.sync_data());
        written.map_err(LogError::io("write", &self.path))
    }

    fn cut(&mut self, length: u64) -> Result<(), LogError> {
        self.file.set_len(length).map_err(LogError::io("shorten", &self.path))
    }
}

pub(super) fn checksum(content: &[u8]) -> String {
    let mut digits = sha256(content);
    digits.truncate(CHECKSUM_DIGITS);
    digits
}
