//! The base model of SPEC `tiny`, fetched by the product itself.

use std::{
    env,
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::folders;

/// The path of the base model: the one that `QIANSHOU_BASE` names, else one in our own folder, which
/// `qianshou setup` fetches the first time. The program must be built.
pub(crate) fn fetch() -> Result<PathBuf> {
    eprintln!("xtask: base model");
    let setup = Command::new(program())
        .args(["setup", "--only", "model"])
        .env("QIANSHOU_HOME", folders::made().join("home"))
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run `qianshou setup`")?;
    if !setup.status.success() {
        bail!("`qianshou setup` ended with {}", setup.status);
    }
    let path = String::from_utf8(setup.stdout).context("the base model's path is not UTF-8")?;
    // The tests run in other folders than this one.
    std::path::absolute(path.trim()).context("`qianshou setup` has printed no path")
}

/// The product's program.
pub(crate) fn program() -> PathBuf {
    folders::target().join("release").join(format!("qianshou{}", env::consts::EXE_SUFFIX))
}
