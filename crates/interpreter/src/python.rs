//! Which Python: found, asked about itself, and checked.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use serde::Deserialize;

use crate::environment::managed_python;

/// Asks a Python about itself, in a word or two each.
const QUESTIONS: &str = include_str!("questions.py");

const OLDEST: (u32, u32) = (3, 9);
const PATIENCE: Duration = Duration::from_secs(60);

/// Why there is no Python to use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PythonError {
    /// None was found.
    #[error("no Python found; install python3 (3.9 or newer), run `qianshou setup`, or name one with `--python`")]
    None,
    /// It does not run.
    #[error("{program} does not run as a Python: {reason}")]
    Broken {
        /// The program.
        program: String,
        /// What it said.
        reason: String,
    },
    /// It is too old.
    #[error("{program} is Python {version}; 3.9 or newer is needed")]
    Old {
        /// The program.
        program: String,
        /// Its version.
        version: String,
    },
    /// It is a free-threaded build.
    #[error("{program} is a free-threaded Python, which is not supported yet; name another one with `--python`")]
    FreeThreaded {
        /// The program.
        program: String,
    },
    /// Its virtual environment was made by another version.
    #[error("the environment {prefix} was made for Python {made_for}, and its program is {version}; make it anew")]
    Environment {
        /// The environment.
        prefix: String,
        /// The version in its `pyvenv.cfg`.
        made_for: String,
        /// The version of the program.
        version: String,
    },
    /// It lives where showing it would show everything.
    #[error("{program} has {prefix} for its prefix, which would show all of it to the sandbox; name another Python")]
    Prefix {
        /// The program.
        program: String,
        /// The folder.
        prefix: String,
    },
}

/// A Python that has passed every check.
#[derive(Clone, Debug)]
#[cfg_attr(not(sandboxed), expect(dead_code, reason = "it is chosen and checked, and then refused"))]
pub(crate) struct Chosen {
    pub(crate) program: PathBuf,
    /// The folders that it needs to see.
    pub(crate) visible: Vec<PathBuf>,
}

#[derive(Deserialize)]
struct Answers {
    executable: PathBuf,
    version: (u32, u32, u32),
    free_threaded: bool,
    prefixes: Vec<PathBuf>,
    made_for: Option<String>,
}

/// Finds a Python and checks it.
pub(crate) async fn choose(named: Option<&Path>) -> Result<Chosen, PythonError> {
    let program = named.map(Path::to_path_buf).or_else(found).ok_or(PythonError::None)?;
    let shown = program.display().to_string();
    let broken = |reason: String| PythonError::Broken { program: shown.clone(), reason };
    let output = ask(&program).await.map_err(|error| broken(error.to_string()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(broken(said.lines().last().map_or_else(|| output.status.to_string(), str::to_owned)));
    }
    let answers: Answers = serde_json::from_slice(&output.stdout).map_err(|error| broken(error.to_string()))?;
    check(shown, answers)
}

fn check(program: String, answers: Answers) -> Result<Chosen, PythonError> {
    let (major, minor, micro) = answers.version;
    let version = format!("{major}.{minor}.{micro}");
    if (major, minor) < OLDEST {
        return Err(PythonError::Old { program, version });
    }
    if answers.free_threaded {
        return Err(PythonError::FreeThreaded { program });
    }
    if let Some(made_for) = answers.made_for
        && !made_for.starts_with(&format!("{major}.{minor}."))
        && made_for != format!("{major}.{minor}")
    {
        let prefix = answers.prefixes.first().map(|prefix| prefix.display().to_string()).unwrap_or_default();
        return Err(PythonError::Environment { prefix, made_for, version });
    }
    let home = env::home_dir();
    if let Some(prefix) =
        answers.prefixes.iter().find(|prefix| prefix.parent().is_none() || Some(*prefix) == home.as_ref())
    {
        return Err(PythonError::Prefix { program, prefix: prefix.display().to_string() });
    }
    Ok(Chosen { program: answers.executable, visible: answers.prefixes })
}

/// That of `VIRTUAL_ENV`, else of the managed environment, else on the path.
fn found() -> Option<PathBuf> {
    let activated = env::var_os("VIRTUAL_ENV").map(|environment| Path::new(&environment).join("bin/python"));
    activated.filter(|program| program.is_file()).or_else(managed_python).or_else(on_path)
}

/// `python3` on the path.
pub(crate) fn on_path() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).map(|folder| folder.join("python3")).find(|program| program.is_file())
}

async fn ask(program: &Path) -> io::Result<Output> {
    let mut command = tokio::process::Command::new(program);
    command.args(["-I", "-c", QUESTIONS]).env_clear().stdin(Stdio::null()).kill_on_drop(true);
    // Shims that choose a version need these to find it.
    for name in ["HOME", "PATH", "PYENV_ROOT", "PYENV_VERSION"].map(OsStr::new) {
        if let Some(value) = env::var_os(name) {
            command.env(name, value);
        }
    }
    tokio::time::timeout(PATIENCE, command.output())
        .await
        .unwrap_or_else(|_| Err(io::Error::other(format!("no answer within {} seconds", PATIENCE.as_secs()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(version: (u32, u32, u32)) -> Answers {
        let prefixes = vec!["/opt/python".into()];
        Answers {
            executable: "/opt/python/bin/python3".into(),
            version,
            free_threaded: false,
            prefixes,
            made_for: None,
        }
    }

    #[test]
    fn what_cannot_be_used_is_refused_with_its_reason() {
        let check = |answers| check("python3".into(), answers);
        assert!(check(answers((3, 9, 0))).is_ok());
        assert!(matches!(check(answers((3, 8, 20))), Err(PythonError::Old { version, .. }) if version == "3.8.20"));
        let free_threaded = Answers { free_threaded: true, ..answers((3, 14, 0)) };
        assert!(matches!(check(free_threaded), Err(PythonError::FreeThreaded { .. })));
        let other = Answers { made_for: Some("3.1.2".into()), ..answers((3, 11, 2)) };
        assert!(matches!(check(other), Err(PythonError::Environment { .. })));
        let same = Answers { made_for: Some("3.11.9".into()), ..answers((3, 11, 2)) };
        assert!(check(same).is_ok());
        let everything = Answers { prefixes: vec!["/".into()], ..answers((3, 11, 2)) };
        assert!(matches!(check(everything), Err(PythonError::Prefix { .. })));
    }
}
