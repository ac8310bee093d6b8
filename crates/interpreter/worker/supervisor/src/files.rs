//! The workspace, seen from outside the cell: what changed, and files in and out.
//!
//! The cell may swap any name for a link while we look, so every path is resolved beneath the
//! workspace's own descriptor, through no link and no other mount, and only regular files count.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Component, Path};

use qianshou_interpreter_protocol::NewFile;
use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Mode, OFlags, ResolveFlags, Stat, fstat, mkdirat, openat, openat2, statat, unlinkat,
};
use rustix::io::Errno;

/// Folders below the workspace that are looked into, and files that are told of, at most.
const DEEPEST: usize = 16;
const MOST: usize = 256;

/// What tells one content of a file from another without reading it.
type Mark = (u64, i64, i64, i64);

/// Every regular file, as it was at one time.
pub(crate) type Snapshot = BTreeMap<String, Mark>;

#[derive(Debug)]
pub(crate) struct Workspace(OwnedFd);

impl Workspace {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(openat(CWD, path, OFlags::DIRECTORY | OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?))
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let mut files = Snapshot::new();
        if let Ok(folder) = self.resolve(".", OFlags::DIRECTORY | OFlags::RDONLY, Mode::empty()) {
            collect(&folder, "", DEEPEST, &mut files);
        }
        files
    }

    /// What is new or different in `after`.
    pub(crate) fn changes(before: &Snapshot, after: &Snapshot) -> Vec<NewFile> {
        let changed = after.iter().filter(|(path, mark)| before.get(*path) != Some(mark));
        changed.take(MOST).map(|(path, mark)| NewFile { path: path.clone(), bytes: mark.0 }).collect()
    }

    /// The content of a regular file of at most `most` bytes.
    pub(crate) fn read(&self, path: &str, most: u64) -> io::Result<Vec<u8>> {
        let descriptor = self.resolve(path, OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty())?;
        let about = fstat(&descriptor)?;
        if FileType::from_raw_mode(about.st_mode) != FileType::RegularFile || about.st_nlink != 1 {
            return Err(io::Error::other("not a regular file with one name"));
        }
        let mut content = Vec::new();
        File::from(descriptor).take(most.saturating_add(1)).read_to_end(&mut content)?;
        if content.len() as u64 > most {
            return Err(io::Error::other(format!("larger than {most} bytes")));
        }
        Ok(content)
    }

    /// Makes a file, in place of what has its name.
    pub(crate) fn write(&self, path: &str, content: &[u8]) -> io::Result<()> {
        let path = Path::new(path);
        if !path.components().all(|component| matches!(component, Component::Normal(_))) {
            return Err(io::Error::other("not a path inside the workspace"));
        }
        let mut folder = self.resolve(".", OFlags::DIRECTORY | OFlags::PATH, Mode::empty())?;
        for component in path.parent().unwrap_or(Path::new("")) {
            match mkdirat(&folder, component, Mode::from_raw_mode(0o755)) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
            folder = beneath(&folder, Path::new(component), OFlags::DIRECTORY | OFlags::PATH, Mode::empty())?;
        }
        let name = path.file_name().ok_or_else(|| io::Error::other("a path without a name"))?;
        match unlinkat(&folder, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => return Err(error.into()),
        }
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
        File::from(beneath(&folder, Path::new(name), flags, Mode::from_raw_mode(0o644))?).write_all(content)
    }

    fn resolve(&self, path: &str, flags: OFlags, mode: Mode) -> io::Result<OwnedFd> {
        beneath(&self.0, Path::new(path), flags, mode)
    }
}

fn beneath(folder: impl AsFd, path: &Path, flags: OFlags, mode: Mode) -> io::Result<OwnedFd> {
    let resolve =
        ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_XDEV;
    Ok(openat2(folder, path, flags | OFlags::NOFOLLOW | OFlags::CLOEXEC, mode, resolve)?)
}

fn collect(folder: &OwnedFd, prefix: &str, depth: usize, files: &mut Snapshot) {
    let Ok(entries) = Dir::read_from(folder) else { return };
    for entry in entries.flatten() {
        // Names that are no text, that would break a line or change its order, are not told of.
        let Ok(name) = entry.file_name().to_str() else { continue };
        if name == "." || name == ".." || name.chars().any(is_misleading) {
            continue;
        }
        let Ok(about) = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
        let path = format!("{prefix}{name}");
        match FileType::from_raw_mode(about.st_mode) {
            FileType::RegularFile => drop(files.insert(path, mark(&about))),
            FileType::Directory if depth > 0 && !name.starts_with("__pycache__") => {
                let flags = OFlags::DIRECTORY | OFlags::RDONLY;
                if let Ok(inner) = beneath(folder, Path::new(name), flags, Mode::empty()) {
                    collect(&inner, &format!("{path}/"), depth - 1, files);
                }
            }
            _ => {}
        }
    }
}

fn is_misleading(character: char) -> bool {
    character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn mark(about: &Stat) -> Mark {
    (about.st_size.unsigned_abs(), about.st_mtime, about.st_mtime_nsec as i64, about.st_ino as i64)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::os::unix::ffi::OsStrExt;

    use super::*;

    fn workspace() -> (tempfile::TempDir, Workspace) {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::open(folder.path()).unwrap();
        (folder, workspace)
    }

    #[test]
    fn what_is_written_is_read_and_told_of() {
        let (_folder, workspace) = workspace();
        let before = workspace.snapshot();
        workspace.write("data/table.csv", b"a,b").unwrap();
        assert_eq!(workspace.read("data/table.csv", 3).unwrap(), b"a,b");
        assert!(workspace.read("data/table.csv", 2).is_err());
        let changes = Workspace::changes(&before, &workspace.snapshot());
        assert_eq!(changes, [NewFile { path: "data/table.csv".into(), bytes: 3 }]);
    }

    #[test]
    fn no_link_leads_out() {
        let (folder, workspace) = workspace();
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("secret"), "secret").unwrap();
        std::os::unix::fs::symlink(outside.path().join("secret"), folder.path().join("file")).unwrap();
        std::os::unix::fs::symlink(outside.path(), folder.path().join("folder")).unwrap();
        std::fs::hard_link(outside.path().join("secret"), folder.path().join("hard")).unwrap();
        for path in ["file", "folder/secret", "hard", "../secret", "/etc/hostname", "."] {
            assert!(workspace.read(path, 100).is_err(), "{path}");
        }
        assert!(workspace.write("folder/new", b"").is_err());
        assert!(workspace.write("../new", b"").is_err());
        workspace.write("file", b"inside").unwrap();
        assert_eq!(std::fs::read(outside.path().join("secret")).unwrap(), b"secret");
        assert_eq!(workspace.snapshot().keys().collect::<Vec<_>>(), ["file", "hard"]);
    }

    #[test]
    fn names_that_mislead_are_not_told_of() {
        let (folder, workspace) = workspace();
        for name in ["line\nbreak", "\u{202e}gnp.exe", "\u{1b}[2J", "plain 名字"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        std::fs::write(folder.path().join(std::ffi::OsStr::from_bytes(b"\xff\xfe")), "").unwrap();
        assert_eq!(workspace.snapshot().keys().collect::<Vec<_>>(), ["plain 名字"]);
    }

    /// Number 17 of the threat model: between the look at a name and its opening it becomes a link.
    #[test]
    fn a_name_that_is_swapped_meanwhile_leads_nowhere() {
        let (folder, workspace) = workspace();
        let outside = tempfile::tempdir().unwrap();
        let (secret, name) = (outside.path().join("secret"), folder.path().join("file"));
        std::fs::write(&secret, "secret").unwrap();
        let stop = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    let (link, file) = (folder.path().join("link"), folder.path().join("new"));
                    std::os::unix::fs::symlink(&secret, &link).unwrap();
                    std::fs::rename(&link, &name).unwrap();
                    std::fs::write(&file, "inside").unwrap();
                    std::fs::rename(&file, &name).unwrap();
                }
            });
            for _ in 0..2000 {
                if let Ok(content) = workspace.read("file", 100) {
                    assert_eq!(content, b"inside");
                }
                let snapshot = workspace.snapshot();
                assert!(snapshot.get("file").is_none_or(|mark| mark.0 <= 6));
            }
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
        });
        assert_eq!(std::fs::read(&secret).unwrap(), b"secret");
    }

    #[test]
    fn a_pipe_is_no_file_and_holds_nobody_up() {
        let (folder, workspace) = workspace();
        rustix::fs::mknodat(CWD, folder.path().join("pipe"), FileType::Fifo, Mode::RWXU, 0).unwrap();
        assert!(workspace.read("pipe", 100).is_err());
        assert!(workspace.snapshot().is_empty());
    }
}
