//! The warm Python's memory as a template: moved into a sealed file that all its forks map.
//!
//! A fork copies the page tables of all memory that a process has written, and its end takes them down
//! again. Of a Python with its libraries these are a hundred megabytes, and most of the time that a
//! session takes to start and a checkpoint to make. Pages of a file that is mapped privately need no such
//! copy until they are written to: a fork finds them in the file when it wants them. So, once everything
//! is imported, memory is written to a file in memory and the file is mapped in its place.

#![expect(unsafe_code, reason = "memory is replaced by an equal copy, which no safe interface offers")]

use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use qianshou_interpreter_confine::system::{Fork, exit_now, fork};
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::io::pwrite;
use rustix::mm::{MapFlags, ProtFlags, mmap};
use rustix::process::{WaitOptions, waitpid};

/// Has all that is allocated from now on in the heap, and nothing in a mapping of its own: the C library
/// would grow such a mapping beyond its place in the file.
pub(crate) fn begin() {
    set_mappings_at_most(0);
}

/// Shares what has been allocated since [`begin`]. Memory of this process alone reads as before.
///
/// # Errors
/// When the system has no such files, or another thread runs, which might write meanwhile. What is shared
/// by then stays so, and all works as it would without.
pub(crate) fn share() -> io::Result<()> {
    /// The C library's own bound.
    const USUAL: libc::c_int = 65_536;
    set_mappings_at_most(USUAL);
    end_pools()?;
    if fs::read_dir("/proc/self/task")?.count() != 1 {
        return Err(io::Error::other("another thread runs"));
    }
    let regions = regions(&fs::read_to_string("/proc/self/smaps")?);
    let file = memfd_create("template", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    let mut offset = 0;
    // Nothing is allocated in here: that would change what has just been written.
    for region in &regions {
        region.replace(&file, offset)?;
        offset += region.length as u64;
    }
    // For good, for everybody: a session could otherwise write to what others map.
    fcntl_add_seals(&file, SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
    Ok(())
}

fn set_mappings_at_most(most: libc::c_int) {
    // Other C libraries have no such setting, and grow no mapping in place.
    #[cfg(target_env = "gnu")]
    // SAFETY: `mallopt` has no requirement; this one only bears on allocations to come.
    unsafe {
        libc::mallopt(libc::M_MMAP_MAX, most);
    }
    #[cfg(not(target_env = "gnu"))]
    let _ = most;
}

/// Libraries of linear algebra end their threads before a fork, and start them anew when they are needed.
fn end_pools() -> io::Result<()> {
    match fork()? {
        Fork::Child => exit_now(0),
        Fork::Parent(child) => waitpid(Some(child), WaitOptions::empty()).map(drop).map_err(io::Error::from),
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Region {
    start: usize,
    length: usize,
}

impl Region {
    fn replace(&self, file: &OwnedFd, offset: u64) -> io::Result<()> {
        // SAFETY: the region is mapped and readable, as the system has just said, and no other thread is
        // there to change that.
        let content = unsafe { std::slice::from_raw_parts(self.start as *const u8, self.length) };
        let mut written = 0;
        while written < self.length {
            written += pwrite(file, &content[written..], offset + written as u64)?;
        }
        let (protection, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE | MapFlags::FIXED);
        // SAFETY: the new mapping has the content of the old one, byte for byte: no thread but this one
        // runs, and this one has written to its stack alone, which is no region.
        unsafe { mmap(self.start as *mut _, self.length, protection, flags, file.as_fd(), offset)? };
        Ok(())
    }
}

/// The regions of a `/proc/…/smaps` that are worth it: private, writable, of no file, written to for the most part,
/// and with none of the properties that a mapping of a file does not have.
fn regions(smaps: &str) -> Vec<Region> {
    /// Stacks, locked and huge pages, devices, and what a fork is not to have or to have empty.
    const SPECIAL: [&str; 9] = ["gd", "lo", "ht", "io", "pf", "sh", "dc", "wf", "dp"];
    let mut regions = Vec::new();
    let (mut candidate, mut written) = (None, 0);
    for line in smaps.lines() {
        if let Some(flags) = line.strip_prefix("VmFlags:") {
            let special = flags.split_ascii_whitespace().any(|flag| SPECIAL.contains(&flag));
            regions.extend(candidate.take().filter(|region: &Region| !special && written >= region.length / 2));
        } else if let Some(size) = line.strip_prefix("Anonymous:") {
            written = size.trim().strip_suffix(" kB").and_then(|size| size.parse().ok()).unwrap_or(0) * 1024;
        } else if let Some(region) = header(line) {
            candidate = region;
        }
    }
    regions
}

/// `start-end permissions offset device inode name`: `None` for other lines, `Some(None)` for regions that are of
/// another kind.
fn header(line: &str) -> Option<Option<Region>> {
    let mut fields = line.split_ascii_whitespace();
    let (start, end) = fields.next()?.split_once('-')?;
    let (start, end) = (usize::from_str_radix(start, 16).ok()?, usize::from_str_radix(end, 16).ok()?);
    let (permissions, inode, name) = (fields.next()?, fields.nth(2)?, fields.next().unwrap_or_default());
    let plain = permissions == "rw-p" && inode == "0";
    let named = name.is_empty() || name == "[heap]" || name.starts_with("[anon:");
    Some((plain && named).then_some(Region { start, length: end - start }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMAPS: &str = "\
55d0c0000000-55d0c0004000 rw-p 00000000 00:00 0                          [heap]
Size:                 16 kB
Anonymous:            12 kB
VmFlags: rd wr mr mw me ac sd
7f0000000000-7f0000002000 rw-p 00000000 00:00 0
Anonymous:             8 kB
VmFlags: rd wr mr mw me ac sd
7f0000010000-7f0000020000 rw-p 00000000 00:00 0
Anonymous:             4 kB
VmFlags: rd wr mr mw me ac sd
7f0000030000-7f0000031000 rw-p 00000000 00:00 0
Anonymous:             4 kB
VmFlags: rd wr mr mw me ac wf dd
7f0000040000-7f0000041000 rw-p 00001000 fe:00 4711                       /usr/lib/library.so
Anonymous:             4 kB
VmFlags: rd wr mr mw me ac sd
7f0000050000-7f0000051000 r--p 00000000 00:00 0
Anonymous:             4 kB
VmFlags: rd mr mw me ac sd
7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0                          [stack]
Anonymous:            84 kB
VmFlags: rd wr mr mw me gd ac
";

    #[test]
    fn memory_that_python_wrote_is_found_and_nothing_else() {
        let expected =
            [Region { start: 0x55d0_c000_0000, length: 0x4000 }, Region { start: 0x7f00_0000_0000, length: 0x2000 }];
        assert_eq!(regions(SMAPS), expected);
        assert_eq!(regions("no such lines"), []);
    }
}
