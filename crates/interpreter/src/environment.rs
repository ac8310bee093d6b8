//! The managed environment: a virtual environment with the scientific packages, pinned and hash-checked.
//!
//! It is made by Python's own `venv` and `pip`, so the user's index, proxy and cache hold. A virtual
//! environment cannot be moved, so it is made in its place; it counts once a stamp says that it is whole and for
//! which pins. To make it again goes on where it stopped: what is installed stays, and what was fetched is in
//! pip's cache.

use std::collections::VecDeque;
use std::env;
use std::fs::{self, File, TryLockError};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use etcetera::BaseStrategy;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::Command;

use crate::python::{self, PythonError};

const REQUIREMENTS: &str = include_str!("../python/requirements.txt");

/// Why there is no managed environment.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnvironmentError {
    /// No folder for it is known.
    #[error("no folder for Python's packages is known; set QIANSHOU_HOME to a folder of yours")]
    NoFolder,
    /// No Python to make it with.
    #[error(transparent)]
    Python(#[from] PythonError),
    /// In its place is something else, which would be lost.
    #[error(
        "{folder} is there and is no virtual environment, so it is left alone; move it, or set QIANSHOU_HOME to another \
         folder"
    )]
    Occupied {
        /// The environment's place.
        folder: String,
    },
    /// Python cannot make one.
    #[error(
        "{program} cannot make a virtual environment: {reason}; on Debian and Ubuntu, `apt-get install python3-venv`"
    )]
    Make {
        /// The program.
        program: String,
        /// What it said.
        reason: String,
    },
    /// The index of packages cannot be reached.
    #[error(
        "the index of Python packages cannot be reached ({reason}); check the network, HTTPS_PROXY and PIP_INDEX_URL, \
         then run this again: it goes on where it stopped"
    )]
    Network {
        /// What pip said.
        reason: String,
    },
    /// The packages cannot be installed.
    #[error("pip cannot install the packages into {folder}: {reason}")]
    Install {
        /// The environment.
        folder: String,
        /// What pip said.
        reason: String,
    },
    /// A file of the environment cannot be written.
    #[error("cannot write {folder}: {source}; set QIANSHOU_HOME to another folder")]
    Write {
        /// The environment.
        folder: String,
        /// Why.
        source: io::Error,
    },
}

/// What is being done to make the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EnvironmentProgress {
    /// Another process makes it.
    Waiting,
    /// The empty environment.
    Making,
    /// A package is looked up and fetched.
    Fetching(String),
    /// All packages are unpacked.
    Installing,
}

/// The folder of the environment that `qianshou setup` makes: `python` in `QIANSHOU_HOME`, else in the user's data.
#[must_use]
pub fn managed_environment() -> Option<PathBuf> {
    let named = env::var_os("QIANSHOU_HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
    let usual = || Some(etcetera::choose_base_strategy().ok()?.data_dir().join("qianshou"));
    Some(named.or_else(usual)?.join("python"))
}

/// The program of the managed environment, if that is whole. It may be of earlier pins.
pub(crate) fn managed_python() -> Option<PathBuf> {
    let folder = managed_environment()?;
    stamp(&folder).is_file().then(|| program(&folder))
}

/// Makes the managed environment, or finds it whole, and returns its folder. It is made of `python`, or of `python3`
/// on the path.
///
/// # Errors
/// [`EnvironmentError`]. What has been done until then is kept.
pub async fn make_environment(
    python: Option<&Path>,
    progress: impl Fn(EnvironmentProgress),
) -> Result<PathBuf, EnvironmentError> {
    let folder = managed_environment().ok_or(EnvironmentError::NoFolder)?;
    let write = |source| EnvironmentError::Write { folder: folder.display().to_string(), source };
    let _lock = lock(&folder, &progress).await.map_err(write)?;
    let wanted = fingerprint(REQUIREMENTS);
    let works = python::choose(Some(&program(&folder))).await.is_ok();
    if works && fs::read_to_string(stamp(&folder)).is_ok_and(|found| found == wanted) {
        return Ok(folder);
    }
    if !works {
        if !may_be_cleared(&folder).map_err(write)? {
            return Err(EnvironmentError::Occupied { folder: folder.display().to_string() });
        }
        progress(EnvironmentProgress::Making);
        make(python, &folder).await?;
    }
    // Not whole any more: other pins replace packages one by one.
    match fs::remove_file(stamp(&folder)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(write(error)),
        _ => {}
    }
    let requirements = folder.join("requirements.txt");
    fs::write(&requirements, REQUIREMENTS).map_err(write)?;
    install(&folder, &requirements, &progress).await?;
    fs::write(stamp(&folder), wanted).map_err(write)?;
    Ok(folder)
}

/// Whether nobody misses what is in the folder: a virtual environment, or nothing.
fn may_be_cleared(folder: &Path) -> io::Result<bool> {
    if folder.join("pyvenv.cfg").is_file() {
        return Ok(true);
    }
    match fs::read_dir(folder) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(false),
        Err(error) => Err(error),
    }
}

fn program(folder: &Path) -> PathBuf {
    folder.join("bin/python")
}

fn stamp(folder: &Path) -> PathBuf {
    folder.join("qianshou-complete")
}

fn fingerprint(requirements: &str) -> String {
    let mut hasher = DefaultHasher::new();
    requirements.hash(&mut hasher);
    format!("{:016x}\n", hasher.finish())
}

/// Holds until it is dropped, or this process ends.
async fn lock(folder: &Path, progress: impl Fn(EnvironmentProgress)) -> io::Result<File> {
    if let Some(parent) = folder.parent() {
        fs::create_dir_all(parent)?;
    }
    let file = File::create(folder.with_extension("lock"))?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::Error(error)) => return Err(error),
        Err(TryLockError::WouldBlock) => progress(EnvironmentProgress::Waiting),
    }
    let waiting = tokio::task::spawn_blocking(move || file.lock().map(|()| file));
    waiting.await.map_err(io::Error::other)?
}

async fn make(python: Option<&Path>, folder: &Path) -> Result<(), EnvironmentError> {
    let base = match python {
        Some(program) => program.to_path_buf(),
        None => python::on_path().ok_or(PythonError::None)?,
    };
    let base = python::choose(Some(&base)).await?.program;
    let failed = |reason| EnvironmentError::Make { program: base.display().to_string(), reason };
    let mut command = Command::new(&base);
    command.args(["-I", "-m", "venv", "--clear"]).arg(folder).stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let line = said.lines().find(|line| line.contains("rror") || line.contains("not available"));
    Err(failed(line.or(said.lines().last()).map_or_else(|| output.status.to_string(), str::to_owned)))
}

async fn install(
    folder: &Path,
    requirements: &Path,
    progress: impl Fn(EnvironmentProgress),
) -> Result<(), EnvironmentError> {
    let failed = |reason| EnvironmentError::Install { folder: folder.display().to_string(), reason };
    let broken = |error: io::Error| failed(error.to_string());
    let mut command = Command::new(program(folder));
    command
        .args(["-I", "-m", "pip", "install", "--require-hashes", "--only-binary", ":all:", "--no-input"])
        .args(["--disable-pip-version-check", "--progress-bar", "off", "--requirement"])
        .arg(requirements)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut pip = command.spawn().map_err(broken)?;
    let (stdout, stderr) = (pip.stdout.take(), pip.stderr.take());
    let listen = async {
        let Some(stdout) = stdout else { return Ok(()) };
        let mut lines = BufReader::new(stdout).lines();
        while let Some(line) = lines.next_line().await? {
            progress_of(&line).into_iter().for_each(&progress);
        }
        Ok::<_, io::Error>(())
    };
    let (listened, complaints, status) = tokio::join!(listen, last_lines(stderr), pip.wait());
    listened.map_err(broken)?;
    let status = status.map_err(broken)?;
    if status.success() {
        return Ok(());
    }
    let complaints = complaints.map_err(broken)?;
    let unreachable = ["NewConnectionError", "NameResolutionError", "name resolution", "ConnectTimeout", "ProxyError"];
    if let Some(line) = complaints.iter().find(|line| unreachable.iter().any(|sign| line.contains(sign))) {
        return Err(EnvironmentError::Network { reason: cause(line) });
    }
    let line = complaints.iter().find(|line| line.starts_with("ERROR:")).or(complaints.back());
    Err(failed(line.map_or_else(|| status.to_string(), |line| line.trim_start_matches("ERROR: ").to_owned())))
}

/// What pip's line means, if it is of interest.
fn progress_of(line: &str) -> Option<EnvironmentProgress> {
    if line.starts_with("Installing collected packages") {
        return Some(EnvironmentProgress::Installing);
    }
    let package = line.strip_prefix("Collecting ")?;
    let name = package.split(['=', '<', '>', ' ', ';']).next()?;
    Some(EnvironmentProgress::Fetching(name.to_owned()))
}

/// The system's own words in pip's warning, else what the warning says was wrong.
fn cause(line: &str) -> String {
    let after = |sign: &str| line.split_once(sign).map(|(_, rest)| rest);
    let (mark, rest) = after("[Errno").map_or(("", after("broken by '").unwrap_or(line)), |rest| ("[Errno", rest));
    format!("{mark}{}", rest.split(['"', '\'', '(', ')']).next().unwrap_or(rest))
}

/// The last lines of a stream, and not all of a long one.
async fn last_lines(stream: Option<impl AsyncReadExt + Unpin>) -> io::Result<VecDeque<String>> {
    const MOST: usize = 40;
    let mut last = VecDeque::new();
    let Some(stream) = stream else { return Ok(last) };
    let mut lines = BufReader::new(stream).lines();
    while let Some(line) = lines.next_line().await? {
        if last.len() == MOST {
            last.pop_front();
        }
        last.push_back(line);
    }
    Ok(last)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn only_an_environment_or_nothing_may_be_cleared() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("python");
        assert!(may_be_cleared(&place).unwrap());
        fs::create_dir(&place).unwrap();
        assert!(may_be_cleared(&place).unwrap());
        fs::write(place.join("notes.txt"), "mine").unwrap();
        assert!(!may_be_cleared(&place).unwrap());
        assert!(!may_be_cleared(&place.join("notes.txt")).unwrap());
        fs::write(place.join("pyvenv.cfg"), "").unwrap();
        assert!(may_be_cleared(&place).unwrap());
    }

    #[test]
    fn pips_lines_are_progress() {
        let numpy = Some(EnvironmentProgress::Fetching("numpy".into()));
        assert_eq!(progress_of("Collecting numpy==2.4.6 (from -r requirements.txt (line 9))"), numpy);
        assert_eq!(progress_of("Installing collected packages: pytz, numpy"), Some(EnvironmentProgress::Installing));
        assert_eq!(progress_of("  Using cached numpy-2.4.6.whl (16 MB)"), None);
    }

    #[test]
    fn the_cause_of_a_lost_connection_is_the_systems() {
        let line = "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError('<Connection>: \
                    Failed to establish a new connection: [Errno 111] Connection refused')': /simple/numpy/";
        assert_eq!(cause(line), "[Errno 111] Connection refused");
        assert_eq!(cause("after connection broken by 'ProxyError('Cannot connect')': /simple/"), "ProxyError");
    }

    #[test]
    fn every_package_is_pinned_with_hashes() {
        let pins = REQUIREMENTS.lines().filter(|line| line.contains("==") && !line.starts_with('#')).count();
        assert!(pins >= 9);
        let ends = REQUIREMENTS.lines().filter(|line| line.contains("--hash=sha256:") && !line.ends_with('\\')).count();
        assert_eq!(pins, ends);
    }
}
