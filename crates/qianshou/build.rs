//! Notes the commit that is built, for the headers of benchmark logs.

use std::path::Path;
use std::process::Command;
use std::{fs, io};

/// What a build depends on, from the workspace's root; beside these, `crates/*/src`.
const SOURCES: [&str; 5] = ["Cargo.lock", "benchmarks/data", "benchmarks/src", "prompts", "tools/src"];

fn main() -> io::Result<()> {
    let root = Path::new("../..");
    let crates = fs::read_dir(root.join("crates"))?.map(|entry| Ok(entry?.path().join("src")));
    let crates = crates.collect::<io::Result<Vec<_>>>()?;
    let log = git(&["rev-parse", "--git-path", "logs/HEAD"]).map(Into::into);
    // A path that does not exist would have this run in every build.
    let sources = SOURCES.iter().map(|source| root.join(source)).chain(crates).chain(log);
    for source in sources.filter(|source| source.exists()) {
        println!("cargo::rerun-if-changed={}", source.display());
    }
    let commit = match (git(&["rev-parse", "HEAD"]), git(&["status", "--porcelain", "--untracked-files=no"])) {
        (Some(commit), Some(changes)) if changes.is_empty() => commit,
        (Some(commit), _) => format!("{commit}, changed"),
        (None, _) => "unknown: built outside of a git repository".to_owned(),
    };
    println!("cargo::rustc-env=QIANSHOU_COMMIT={commit}");
    Ok(())
}

/// What git says, if it is there and this is a repository.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
