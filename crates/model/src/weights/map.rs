//! Memory maps of weight files: the one place of this crate that needs `unsafe`.

#![expect(unsafe_code, reason = "mapping a file is unsafe by nature: see `map`")]

use std::fs::File;
use std::io;
use std::ops::Range;

use memmap2::{Mmap, MmapOptions};

/// Maps `range` of the file, and nothing else: dropping the map gives its pages back, so that converting a
/// checkpoint tensor by tensor never holds more of the file in memory than one tensor.
pub(crate) fn map(file: &File, range: Range<usize>) -> io::Result<Mmap> {
    // SAFETY: the map is read-only and private to this process. A file that another process cuts short or
    // writes to while it is mapped would raise SIGBUS or change weights; weight files are not written to while
    // a model that was loaded from them lives (replacing a file by another of its name does no harm), and the
    // documentation of `Checkpoint::load` asks for that.
    unsafe { MmapOptions::new().offset(range.start as u64).len(range.end - range.start).map(file) }
}
