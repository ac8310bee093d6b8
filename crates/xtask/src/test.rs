//! `cargo xtask test`.

use anyhow::Result;

use crate::{base, cargo::cargo, folders, process, python, vocabulary, vulkan};

/// Makes what the tests need and runs them, in the release profile that the product is built in.
pub(crate) fn run(mut arguments: Vec<String>) -> Result<()> {
    let all = arguments.first().is_some_and(|first| first == "--all");
    if all {
        arguments.remove(0);
    }
    // Checked before the long build: fetching packages is among what is tested.
    python::require(&["pip"])?;
    let requirements = folders::root().join("crates/xtask/requirements.txt");
    let python = python::environment("python", &requirements, &[])?;

    let vocabulary = vocabulary::fetch()?;
    vulkan::require_software_driver()?;

    // All targets at once, as the tests build them. Building the program alone first would select
    // other features of some dependencies and compile those twice.
    process::run(&mut cargo(&["build", "--release", "--workspace", "--lib", "--bins", "--tests", "--examples"]))?;
    let base = base::fetch()?;

    let mut test = cargo(&["test", "--release"]);
    if !arguments.iter().any(|argument| argument.starts_with("-p") || argument.starts_with("--package")) {
        test.arg("--workspace");
    }
    test.env("QIANSHOU_BASE", base).env("QIANSHOU_QWEN_VOCAB", vocabulary).args(&arguments);
    // Software Vulkan: no search for the fastest kernels, and no complaints about a missing desktop.
    test.env("CUBECL_AUTOTUNE_LEVEL", "minimal").env("NODEVICE_SELECT", "1");
    if all {
        if !arguments.iter().any(|argument| argument == "--") {
            test.arg("--");
        }
        test.arg("--include-ignored");
    }
    if let Some(python) = python {
        test.env("QIANSHOU_TEST_PYTHON", python);
    }
    process::run(&mut test)
}
