//! Reading logs, and merging those of shards.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::write::{CHECKSUM_DIGITS, SAMPLE_HEAD, SAMPLE_MIDDLE, checksum};
use super::{Header, JUDGE_NAME, LOG_VERSION, LogError, LogFile, SampleRecord};
use crate::data;

/// A log that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Log {
    /// Where it is.
    pub path: PathBuf,
    /// What it begins with.
    pub header: Header,
    /// The samples that were made, in the order in which they ended.
    pub samples: Vec<SampleRecord>,
    /// The number of the last line, counted from 1, if it is cut off: the program that wrote it was killed.
    pub truncated: Option<usize>,
    /// Length of all whole lines in bytes.
    pub(super) whole: u64,
}

#[derive(Deserialize)]
struct Head {
    record: String,
    version: u64,
}

#[derive(Deserialize)]
struct HeaderLine {
    bench: Header,
}

impl Log {
    /// Reads a log, or the one in a folder.
    ///
    /// # Errors
    /// When the file cannot be read, or a line is malformed, changed, or of another version. A last line that
    /// is cut off is no error; see [`truncated`](Self::truncated).
    pub fn read(path: impl AsRef<Path>) -> Result<Self, LogError> {
        let path = path.as_ref();
        let path = if path.is_dir() { path.join(super::LOG_NAME) } else { path.to_owned() };
        let no_header = |path: PathBuf| LogError::Malformed {
            path,
            line: 1,
            field: ".".to_owned(),
            problem: "the file has no header: nothing was run".to_owned(),
        };
        Self::read_if_begun(&path)?.ok_or_else(|| no_header(path))
    }

    /// Reads a log; nothing if not even its header is whole.
    pub(super) fn read_if_begun(path: &Path) -> Result<Option<Self>, LogError> {
        let bytes = fs::read(path).map_err(LogError::io("read", path))?;
        let mut log: Option<Self> = None;
        let (mut whole, mut truncated) = (0, None);
        for (number, line) in (1..).zip(bytes.split_inclusive(|&byte| byte == b'\n')) {
            let Some(text) = line.strip_suffix(b"\n") else {
                truncated = Some(number);
                break;
            };
            match &mut log {
                None => log = Some(Self::begun(path, header(path, number, text)?)),
                Some(log) => log.samples.push(sample(path, number, text)?),
            }
            whole += line.len() as u64;
        }
        Ok(log.map(|log| Self { whole, truncated, ..log }))
    }

    fn begun(path: &Path, header: Header) -> Self {
        Self { path: path.to_owned(), header, samples: Vec::new(), truncated: None, whole: 0 }
    }
}

/// Merges the logs of shards into a new one. Its samples are in the order of the task; what stands in more
/// than one log is taken from the first. What judges said goes with them.
///
/// # Errors
/// When a log cannot be read, two are of different runs, or the new one cannot be written.
pub fn merge(logs: &[PathBuf], out: &Path) -> Result<Log, LogError> {
    let mut samples = BTreeMap::new();
    let mut judged = Vec::new();
    let mut header: Option<Header> = None;
    for path in logs {
        let log = Log::read(path)?;
        let first = header.get_or_insert_with(|| log.header.clone());
        if let Some((field, before, now)) = log.header.difference(first) {
            return Err(LogError::OtherRun { path: log.path, field, before, now });
        }
        for record in log.samples {
            samples.entry((record.epoch, record.index)).or_insert(record);
        }
        judged.extend(judgements(&log.path.with_file_name(JUDGE_NAME))?);
    }
    let Some(header) = header else {
        let problem = "no log is named".to_owned();
        return Err(LogError::Malformed { path: out.to_owned(), line: 0, field: ".".to_owned(), problem });
    };
    let (mut file, _) = LogFile::open(out, &header)?;
    let records: Vec<_> = samples.into_values().collect();
    file.append(&records)?;
    file.close()?;
    if !judged.is_empty() {
        let path = out.with_file_name(JUDGE_NAME);
        let file = OpenOptions::new().append(true).create(true).open(&path);
        file.and_then(|mut file| file.write_all(&judged)).map_err(LogError::io("write what is beside", &path))?;
    }
    Log::read(out)
}

/// The whole lines of what a judge said, if there was one; what is cut off is asked about again.
fn judgements(path: &Path) -> Result<Vec<u8>, LogError> {
    let mut lines = match fs::read(path) {
        Ok(lines) => lines,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(LogError::io("read what is beside", path)(error)),
    };
    let whole = lines.iter().rposition(|&byte| byte == b'\n').map_or(0, |last| last + 1);
    lines.truncate(whole);
    Ok(lines)
}

fn header(path: &Path, line: usize, text: &[u8]) -> Result<Header, LogError> {
    check_kind(path, line, text, "bench")?;
    data::parse::<HeaderLine>(text).map(|line| line.bench).map_err(malformed(path, line))
}

fn sample(path: &Path, line: usize, text: &[u8]) -> Result<SampleRecord, LogError> {
    let (stated, content) = match parts(text) {
        Some(parts) => parts,
        None => {
            check_kind(path, line, text, "sample")?;
            let problem = "it is not laid out as this program writes it".to_owned();
            return Err(malformed(path, line)((".".to_owned(), problem)));
        }
    };
    if checksum(content).as_bytes() != stated {
        return Err(LogError::Checksum { path: path.to_owned(), line });
    }
    data::parse(content).map_err(|(field, problem)| malformed(path, line)((format!("sample.{field}"), problem)))
}

/// The checksum of a line, and the text that it is of.
fn parts(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (stated, rest) = text.strip_prefix(SAMPLE_HEAD.as_bytes())?.split_at_checked(CHECKSUM_DIGITS)?;
    Some((stated, rest.strip_prefix(SAMPLE_MIDDLE.as_bytes())?.strip_suffix(b"}")?))
}

fn check_kind(path: &Path, line: usize, text: &[u8], expected: &str) -> Result<(), LogError> {
    let Head { record, version } = data::parse(text).map_err(malformed(path, line))?;
    if record != expected {
        let problem = format!("it is {record:?} where {expected:?} belongs");
        return Err(malformed(path, line)(("record".to_owned(), problem)));
    }
    if version != u64::from(LOG_VERSION) {
        return Err(LogError::Version { path: path.to_owned(), line, found: version });
    }
    Ok(())
}

fn malformed(path: &Path, line: usize) -> impl FnOnce((String, String)) -> LogError {
    move |(field, problem)| LogError::Malformed { path: path.to_owned(), line, field, problem }
}
