//! `cargo xtask bench`.

use std::process::Command;

use anyhow::{Context, Result};

use crate::{base, cargo::cargo, folders, process, python};

/// Builds the product and its peer, and runs `benchmarks/speed/run.py` with `arguments`.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let scripts = folders::root().join("benchmarks/speed");
    process::run(&mut cargo(&["build", "--release"]))?;
    let base = base::fetch()?;
    let native = [("CMAKE_ARGS", "-DGGML_NATIVE=ON")];
    let python = python::environment("bench-python", &scripts.join("requirements.txt"), &native)?
        .context("benchmarks/speed/requirements.txt lists nothing")?;
    process::run(
        Command::new(python)
            .arg(scripts.join("run.py"))
            .arg("--model")
            .arg(base)
            .arg("--binary")
            .arg(base::program())
            .arg("--folder")
            .arg(folders::made().join("bench"))
            .args(arguments)
            // Else Python leaves compiled copies of the scripts in the repository.
            .env("PYTHONDONTWRITEBYTECODE", "1"),
    )
}
