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

/// The folder in which Cargo has `release`, whatever settings name it: this program was built there, too.
pub(crate) fn target() -> PathBuf {
    let program = env::current_exe().unwrap_or_default();
    program.ancestors().nth(2).map_or_else(|| root().join("target"), Path::to_owned)
}

/// Our own folder for everything that a command makes: removed by `cargo clean`, ignored by Git.
pub(crate) fn made() -> PathBuf {
    target().join("xtask")
}
