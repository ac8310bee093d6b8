//! Where things are.

use std::{
    env,
    path::{Path, PathBuf},
};

/// The repository.
pub(crate) fn root() -> &'static Path {
    // Two folders above this crate.
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here)
}

/// Cargo's target folder.
pub(crate) fn target() -> PathBuf {
    root().join(env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

/// Our own folder for everything that a command makes: removed by `cargo clean`, ignored by Git.
pub(crate) fn made() -> PathBuf {
    target().join("xtask")
}
