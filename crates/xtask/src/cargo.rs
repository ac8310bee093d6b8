//! Cargo, called from a program that Cargo itself runs.

use std::{env, process::Command};

use crate::folders;

/// Variables that Cargo sets for the program it runs. Handed on to another Cargo, they would look
/// to build scripts like a change of the environment, and much would be built again for nothing.
const SET_BY_CARGO: [&str; 5] =
    ["CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH", "CARGO_MANIFEST_LINKS", "CARGO_BIN_NAME", "CARGO_CRATE_NAME"];

/// Cargo in the root of the repository.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || SET_BY_CARGO.contains(&&*text) {
            command.env_remove(&name);
        }
    }
    command.env_remove("CARGO").args(arguments).current_dir(folders::root());
    command
}
