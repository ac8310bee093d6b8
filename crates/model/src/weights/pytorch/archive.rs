//! The container: a zip archive whose records are stored plainly, so that they can be mapped.

use std::collections::HashMap;
use std::ops::Range;

use rawzip::{CompressionMethod, ZipArchive};

use super::PyTorchError;

/// How a file of the format before the archive begins: a pickle of its magic number.
const LEGACY: &[u8] = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";

/// The records of an archive.
pub(super) struct Archive {
    records: HashMap<String, Range<usize>>,
}

impl Archive {
    /// Reads the directory of the archive with these bytes.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, PyTorchError> {
        if bytes.starts_with(LEGACY) {
            return Err(PyTorchError::Legacy);
        }
        let damaged = |reason: &str| PyTorchError::Archive { reason: reason.to_owned() };
        let unreadable = |error: rawzip::Error| PyTorchError::Archive { reason: error.to_string() };
        let archive = ZipArchive::from_slice(bytes).map_err(unreadable)?;
        let mut records = HashMap::new();
        let mut count = 0;
        let mut entries = archive.entries();
        while let Some(entry) = entries.next_entry().map_err(unreadable)? {
            count += 1;
            let path = entry.file_path();
            let path = str::from_utf8(path.as_bytes()).map_err(|_| damaged("a record's name is not UTF-8"))?;
            // All records are in one folder, which has the name that the file was saved under.
            let Some((_, name)) = path.split_once('/') else {
                return Err(damaged("a record is in no folder"));
            };
            if entry.compression_method() != CompressionMethod::STORE || entry.flags().is_encrypted() {
                return Err(PyTorchError::NotPlain { record: name.to_owned() });
            }
            // This checks that the record lies within the bytes.
            let (start, end) = archive.get_entry(entry.wayfinder()).map_err(unreadable)?.compressed_data_range();
            if records.insert(name.to_owned(), start as usize..end as usize).is_some() {
                return Err(damaged("two records have one name"));
            }
        }
        if count != archive.entries_hint() {
            return Err(damaged("it has not as many records as it says"));
        }
        let archive = Self { records };
        // Older files do not say it; they were written by little-endian machines.
        match archive.record("byteorder") {
            Ok(order) if &bytes[order.clone()] != b"little" => Err(PyTorchError::BigEndian),
            _ => Ok(archive),
        }
    }

    /// The bytes of a record.
    pub(super) fn record(&self, name: &str) -> Result<Range<usize>, PyTorchError> {
        self.records.get(name).cloned().ok_or_else(|| PyTorchError::MissingRecord { record: name.to_owned() })
    }
}
