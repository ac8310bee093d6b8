//! `cargo xtask bench`.

use std::process::Command;

use anyhow::{Context, Result};

use crate::{base, cargo::cargo, folders, process, python, vocabulary};

/// Runs what `arguments` begin with, with the rest of them: `agent`, `tokenizer`, `interpreter`, or else the engine.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    match arguments.split_first() {
        Some((first, rest)) if first == "agent" => agent(rest),
        _ => beside_python(arguments),
    }
}

/// Builds and runs the program in `benchmarks/speed/agent`, a workspace of its own.
fn agent(arguments: &[String]) -> Result<()> {
    let target = folders::made().join("bench-agent");
    let mut build = cargo(&["build", "--release", "--locked", "--manifest-path", "benchmarks/speed/agent/Cargo.toml"]);
    process::run(build.arg("--target-dir").arg(&target))?;
    process::run(Command::new(target.join("release/qianshou-agent-speed")).args(arguments))
}

/// Builds the product and its peers, and runs a script of `benchmarks/speed` with `arguments`: `tokenizer.py`
/// when they begin with `tokenizer`, `interpreter.py` when they begin with that, else `run.py`.
fn beside_python(arguments: &[String]) -> Result<()> {
    let scripts = folders::root().join("benchmarks/speed");
    process::run(&mut cargo(&["build", "--release"]))?;
    let native = [("CMAKE_ARGS", "-DGGML_NATIVE=ON")];
    let python = python::environment("bench-python", &scripts.join("requirements.txt"), &native)?
        .context("benchmarks/speed/requirements.txt lists nothing")?;
    let mut measure = Command::new(python);
    // Else Python leaves compiled copies of the scripts in the repository.
    measure.env("PYTHONDONTWRITEBYTECODE", "1");
    match arguments.split_first() {
        Some((first, rest)) if first == "interpreter" => {
            process::run(&mut cargo(&["build", "--release", "--workspace", "--example", "timing"]))?;
            let timing = base::program().with_file_name("examples").join("timing");
            return process::run(measure.arg(scripts.join("interpreter.py")).arg("--timing").arg(timing).args(rest));
        }
        Some((first, rest)) if first == "tokenizer" => {
            measure.arg(scripts.join("tokenizer.py")).arg("--vocabulary").arg(vocabulary::fetch()?).args(rest);
        }
        _ => {
            let folder = folders::made().join("bench");
            measure.arg(scripts.join("run.py")).arg("--model").arg(base::fetch()?);
            measure.arg("--folder").arg(folder).args(arguments);
        }
    }
    process::run(measure.arg("--binary").arg(base::program()))
}
