//! Builds the worker (supervisor and kernel module) with a nested cargo, for the library to embed.
//!
//! A dependency on the binary artifact of another package would do this, once cargo has it on stable.

use std::env;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the outer cargo sets for its own build and must not reach the nested one.
const OUTER: [&str; 10] = [
    "CARGO_BUILD_RUSTC",
    "CARGO_BUILD_RUSTC_WRAPPER",
    "CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER",
    "CARGO_BUILD_TARGET",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_MAKEFLAGS",
    "MAKEFLAGS",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_WRAPPER",
    "RUSTFLAGS",
];

fn main() -> Result<(), Box<dyn Error>> {
    let worker = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("worker");
    for path in ["Cargo.toml", "Cargo.lock", "confine", "kernel", "protocol", "supervisor"] {
        println!("cargo::rerun-if-changed={}", worker.join(path).display());
    }
    println!("cargo::rustc-check-cfg=cfg(sandboxed)");
    let architecture = env::var("CARGO_CFG_TARGET_ARCH")?;
    if env::var("CARGO_CFG_TARGET_OS")? != "linux" || !matches!(&*architecture, "x86_64" | "aarch64" | "riscv64") {
        return Ok(());
    }
    println!("cargo::rustc-cfg=sandboxed");
    let built = build(&worker)?;
    println!("cargo::rustc-env=QIANSHOU_SUPERVISOR={}", built.join("qianshou-interpreter-supervisor").display());
    println!("cargo::rustc-env=QIANSHOU_KERNEL={}", built.join("libqianshou_kernel_module.so").display());
    Ok(())
}

/// Returns the folder of what was built.
fn build(worker: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let target_folder = Path::new(&env::var("OUT_DIR")?).join("worker");
    let target = env::var("TARGET")?;
    let mut cargo = Command::new(env::var("CARGO")?);
    cargo
        .current_dir(worker)
        .args(["build", "--release", "--locked", "--package", "qianshou-interpreter-supervisor"])
        .args(["--package", "qianshou-interpreter-kernel", "--target", &target, "--target-dir"])
        .arg(&target_folder)
        // Python's own development files are not needed, and an extension links no libpython.
        .env("PYO3_BUILD_EXTENSION_MODULE", "1")
        .env("PYO3_NO_PYTHON", "1");
    for name in OUTER {
        cargo.env_remove(name);
    }
    for (name, _) in env::vars_os() {
        // Profile settings given by environment are for the outer build as well.
        if name.to_string_lossy().starts_with("CARGO_PROFILE_") {
            cargo.env_remove(name);
        }
    }
    let status = cargo.status()?;
    if !status.success() {
        return Err(format!("the interpreter's worker does not build ({status}); see above").into());
    }
    Ok(target_folder.join(target).join("release"))
}
