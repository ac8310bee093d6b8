//! The verdicts of a self-test, remembered: under the same circumstances the next one would find the same.
//!
//! Circumstances are all that decides what the system enforces: the kernel and its boot, the namespaces and the
//! security profile that this process is in, its user, the worker's programs, Python, the way to lock in, whether there are control groups. They are
//! remembered for a day, in the folder of those programs, which nobody else can write; and only if nothing got through
//! that must not.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use qianshou_interpreter_protocol::{Fork, Network, Tier, Verdict};
use serde::{Deserialize, Serialize};

use crate::payload::Payload;

const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// The namespaces that bear on what a process may do.
const NAMESPACES: [&str; 5] = ["mnt", "net", "pid", "user", "ipc"];

/// Where verdicts are remembered, and under which circumstances.
#[derive(Debug)]
pub(crate) struct Memory {
    path: PathBuf,
    circumstances: Circumstances,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Circumstances {
    kernel: String,
    boot: String,
    namespaces: Vec<String>,
    profile: String,
    user: u32,
    programs: [PathBuf; 2],
    python: PathBuf,
    tier: Tier,
    network: Network,
    has_group: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct Record {
    circumstances: Circumstances,
    at: SystemTime,
    verdicts: Vec<Verdict>,
}

impl Memory {
    pub(crate) fn new(payload: &Payload, python: &Path, fork: &Fork) -> Self {
        let said = |path: &str| fs::read_to_string(path).unwrap_or_default().trim().to_owned();
        let link = |name: &str| fs::read_link(format!("/proc/self/ns/{name}")).unwrap_or_default();
        let circumstances = Circumstances {
            kernel: said("/proc/sys/kernel/osrelease"),
            boot: said("/proc/sys/kernel/random/boot_id"),
            namespaces: NAMESPACES.map(|name| link(name).display().to_string()).to_vec(),
            profile: said("/proc/self/attr/current"),
            user: rustix::process::geteuid().as_raw(),
            programs: [payload.supervisor.clone(), payload.kernel.clone()],
            python: python.to_path_buf(),
            tier: fork.tier,
            network: fork.network,
            has_group: fork.has_group,
        };
        let name = format!("verdicts-{:?}-{:?}.json", fork.tier, fork.network).to_lowercase();
        Self { path: payload.supervisor.with_file_name(name), circumstances }
    }

    /// What was found, if it still holds.
    pub(crate) fn recall(&self) -> Option<Vec<Verdict>> {
        let record: Record = serde_json::from_slice(&fs::read(&self.path).ok()?).ok()?;
        // A clock that was set back makes the age an error.
        let young = record.at.elapsed().is_ok_and(|age| age < KEPT);
        (young && record.circumstances == self.circumstances).then_some(record.verdicts)
    }

    /// Remembers what was found.
    pub(crate) fn keep(self, verdicts: &[Verdict]) {
        let record = Record { circumstances: self.circumstances, at: SystemTime::now(), verdicts: verdicts.to_vec() };
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let written = serde_json::to_vec(&record).map_err(std::io::Error::other).and_then(|text| {
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(&text)?;
            file.persist(&self.path).map_err(|error| error.error)
        });
        if let Err(error) = written {
            tracing::debug!(%error, "the self-test will run again next time");
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn memory(folder: &Path, kernel: &str) -> Memory {
        let programs = [folder.join("supervisor"), folder.join("kernel.so")];
        let circumstances = Circumstances {
            kernel: kernel.into(),
            boot: "boot".into(),
            namespaces: Vec::new(),
            profile: String::new(),
            user: 0,
            programs,
            python: "/usr/bin/python3".into(),
            tier: Tier::Namespaces,
            network: Network::Off,
            has_group: false,
        };
        Memory { path: folder.join("verdicts.json"), circumstances }
    }

    #[test]
    fn verdicts_hold_for_a_day_and_the_same_circumstances() {
        let folder = tempfile::tempdir().unwrap();
        let verdicts = vec![Verdict { attempt: "files: read".into(), stopped: true, how: "refused".into() }];
        assert_eq!(memory(folder.path(), "6.1").recall(), None);
        memory(folder.path(), "6.1").keep(&verdicts);
        assert_eq!(memory(folder.path(), "6.1").recall(), Some(verdicts.clone()));
        assert_eq!(memory(folder.path(), "6.2").recall(), None);
        let old = Record {
            circumstances: memory(folder.path(), "6.1").circumstances,
            at: SystemTime::now() - KEPT,
            verdicts,
        };
        fs::write(folder.path().join("verdicts.json"), serde_json::to_vec(&old).unwrap()).unwrap();
        assert_eq!(memory(folder.path(), "6.1").recall(), None);
        fs::write(folder.path().join("verdicts.json"), "no record").unwrap();
        assert_eq!(memory(folder.path(), "6.1").recall(), None);
    }
}
