//! Landlock: which files, no TCP, no signals and no abstract sockets across the border.

use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, LandlockStatus, PathBeneath, PathFd, Ruleset, RulesetAttr, RulesetCreated,
    RulesetCreatedAttr, Scope,
};
use qianshou_interpreter_protocol::{Fork, Network, Tier};

use crate::failure::{Failure, Step};
use crate::outer::devices;
use crate::seccomp::Kept;

/// The newest rules that are asked for; an older kernel gives what it has, and the self-test says what that is.
const NEWEST: ABI = ABI::V6;

/// Allows reading `readable` and writing the workspace; returns what this system's Landlock keeps inside.
pub(crate) fn apply(fork: &Fork, readable: &[PathBuf]) -> Result<Kept, Failure> {
    let status = restrict(fork, readable).map_err(std::io::Error::other).step("restrict file access by Landlock")?;
    Ok(match status {
        LandlockStatus::Available { effective_abi, .. } if effective_abi >= ABI::V6 => Kept::Signals,
        LandlockStatus::Available { effective_abi, .. } if effective_abi >= ABI::V3 => Kept::Cuts,
        _ => Kept::Opening,
    })
}

fn restrict(fork: &Fork, readable: &[PathBuf]) -> Result<LandlockStatus, landlock::RulesetError> {
    let mut ruleset = Ruleset::default().handle_access(AccessFs::from_all(NEWEST))?.scope(Scope::from_all(NEWEST))?;
    if fork.network == Network::Off {
        ruleset = ruleset.handle_access(AccessNet::from_all(NEWEST))?;
    }
    let mut ruleset = ruleset.create()?;
    let read = AccessFs::from_read(NEWEST);
    for path in readable {
        ruleset = allow(ruleset, path, read)?;
    }
    for device in devices() {
        ruleset = allow(ruleset, device, AccessFs::ReadFile | AccessFs::WriteFile)?;
    }
    ruleset = allow(ruleset, &fork.workspace, AccessFs::from_all(NEWEST))?;
    if fork.tier == Tier::Namespaces {
        for folder in ["/tmp", "/dev/shm"] {
            ruleset = allow(ruleset, Path::new(folder), AccessFs::from_all(NEWEST))?;
        }
    } else {
        // This process alone: the folder of processes would show the host's.
        ruleset = allow(ruleset, Path::new("/proc/self"), read)?;
    }
    Ok(ruleset.restrict_self()?.landlock)
}

/// A path that does not exist needs no rule.
fn allow(
    ruleset: RulesetCreated,
    path: &Path,
    access: landlock::BitFlags<AccessFs>,
) -> Result<RulesetCreated, landlock::RulesetError> {
    let Ok(file) = PathFd::new(path) else { return Ok(ruleset) };
    let access = if path.is_dir() { access } else { access & AccessFs::from_file(NEWEST) };
    ruleset.add_rule(PathBeneath::new(file, access))
}
