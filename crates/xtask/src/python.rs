//! Python environments inside the target folder.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::{folders, process};

const HOW_TO_INSTALL: &str = "install it with `apt-get install python3-pip python3-venv` (Debian, Ubuntu), \
    `dnf install python3-pip` (Fedora) or `brew install python` (macOS)";

/// An error that says how to install it, unless there is a `python3` with `modules`.
pub(crate) fn require(modules: &[&str]) -> Result<()> {
    let imports = format!("import {}", modules.join(", "));
    if process::works(Command::new("python3").args(["-c", &imports])) {
        return Ok(());
    }
    bail!("no `python3` with {} found: {HOW_TO_INSTALL}", modules.join(" and "))
}

/// The Python of an environment called `name` with what `requirements` lists; `None` if that lists
/// nothing. It is made again when the list changes.
pub(crate) fn environment(name: &str, requirements: &Path, variables: &[(&str, &str)]) -> Result<Option<PathBuf>> {
    let wanted = fs::read_to_string(requirements).with_context(|| format!("cannot read {}", requirements.display()))?;
    if wanted.lines().map(str::trim).all(|line| line.is_empty() || line.starts_with('#')) {
        return Ok(None);
    }
    let folder = folders::made().join(name);
    let python = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    // Written last, so that an interrupted installation counts as none.
    let installed = folder.join("requirements.txt");
    if python.exists() && fs::read_to_string(&installed).is_ok_and(|installed| installed == wanted) {
        return Ok(Some(python));
    }
    require(&["venv", "ensurepip"])?;
    eprintln!("xtask: Python environment in {}", folder.display());
    process::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    let quiet: &[&str] = if env::var_os("CI").is_some() { &["--quiet"] } else { &[] };
    process::run(
        Command::new(&python)
            .args(["-m", "pip", "install", "--disable-pip-version-check"])
            .args(quiet)
            .arg("--requirement")
            .arg(requirements)
            .envs(variables.iter().copied()),
    )?;
    fs::write(&installed, wanted).with_context(|| format!("cannot write {}", installed.display()))?;
    Ok(Some(python))
}
