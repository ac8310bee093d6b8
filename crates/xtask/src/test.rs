//! `cargo xtask test`.

use std::process::Command;

use anyhow::{Context, Result};

use crate::{base, cargo::cargo, folders, process, python, vocabulary, vulkan};

/// Not in a plain build, and tested all the same.
const GPU: [&str; 2] = ["--features", "qianshou/wgpu"];

/// Makes what the tests need and runs them, in the release profile that the product is built in.
pub(crate) fn run(mut arguments: Vec<String>) -> Result<()> {
    let all = arguments.first().is_some_and(|first| first == "--all");
    if all {
        arguments.remove(0);
    }
    // Checked before the long build: fetching packages is among what is tested.
    python::require(&["pip"])?;
    let interpreter = folders::root().join("crates/interpreter");
    let python = python::environment("python", &interpreter.join("python/requirements.txt"), &[])?;

    let vocabulary = vocabulary::fetch()?;
    vulkan::require_software_driver()?;

    // All targets at once, as the tests build them. Building the program alone first would select
    // other features of some dependencies and compile those twice.
    let mut build = cargo(&["build", "--release", "--workspace", "--lib", "--bins", "--tests", "--examples"]);
    process::run(build.args(GPU))?;
    let base = base::fetch()?;

    let mut test = cargo(&["test", "--release"]);
    if !arguments.iter().any(|argument| argument.starts_with("-p") || argument.starts_with("--package")) {
        test.arg("--workspace").args(GPU);
    }
    test.env("QIANSHOU_BASE", base).env("QIANSHOU_QWEN_VOCAB", vocabulary).args(&arguments);
    if let Some(python) = &python {
        test.env("QIANSHOU_TEST_PYTHON", python);
    }
    // Software Vulkan: no search for the fastest kernels, and no complaints about a missing desktop.
    test.env("CUBECL_AUTOTUNE_LEVEL", "minimal").env("NODEVICE_SELECT", "1");
    if all {
        if !arguments.iter().any(|argument| argument == "--") {
            test.arg("--");
        }
        test.arg("--include-ignored");
    }
    process::run(&mut test)?;

    // Its worker is a workspace of its own. The part of it that Python loads is tested by sessions.
    let worker = interpreter.join("worker/Cargo.toml");
    let mut worker_tests = cargo(&["test", "--release", "--locked", "--workspace", "--manifest-path"]);
    worker_tests.arg(worker).args(["--exclude", "qianshou-interpreter-kernel"]);
    worker_tests.arg("--target-dir").arg(folders::made().join("worker"));
    process::run(worker_tests.env("PYO3_BUILD_EXTENSION_MODULE", "1").env("PYO3_NO_PYTHON", "1"))?;

    // What the interpreter makes of cells is written in Python, and tested there.
    let mut cells = Command::new(python.context("the interpreter's requirements list nothing")?);
    cells.args(["-W", "ignore", "-m", "unittest", "--quiet"]).current_dir(interpreter.join("worker/kernel"));
    process::run(cells.env("PYTHONDONTWRITEBYTECODE", "1"))
}
