//! The managed environment, as `qianshou setup` makes it.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]
#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;
use std::process::Command;

use qianshou_interpreter::{Interpreter, make_environment};

/// In the environment of the process that plays `qianshou setup`.
const SETUP: &str = "QIANSHOU_TEST_SETUP";

/// Runs the set-up in a process with this home and these variables; what it printed.
fn set_up(home: &Path, variables: &[(&str, &str)]) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--include-ignored", "--exact", "plays_setup", "--nocapture"])
        .env(SETUP, "1")
        .env("QIANSHOU_HOME", home)
        .env_remove("VIRTUAL_ENV")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// Not a test of its own: the process that `set_up` starts.
#[tokio::test]
async fn plays_setup() {
    if std::env::var_os(SETUP).is_none() {
        return;
    }
    match make_environment(None, |progress| println!("progress: {progress:?}")).await {
        Ok(folder) => println!("whole: {}", folder.display()),
        Err(error) => println!("failed: {error}"),
    }
    let interpreter = Interpreter::builder().preload(["numpy"]).build().await.unwrap();
    println!("chosen: {} with {:?}", interpreter.python().python.prefix, interpreter.python().missing);
}

#[test]
fn without_an_index_the_way_out_is_told_and_nothing_half_made_counts() {
    let home = tempfile::tempdir().unwrap();
    let nowhere = [
        ("PIP_INDEX_URL", "http://127.0.0.1:9/simple"),
        ("PIP_FIND_LINKS", ""),
        ("PIP_NO_CACHE_DIR", "1"),
        ("PIP_RETRIES", "1"),
    ];
    let said = set_up(home.path(), &nowhere);
    if said.contains("cannot make a virtual environment") {
        println!("not run: {said}");
        return;
    }
    assert!(said.contains("progress: Making"), "{said}");
    assert!(said.contains("failed: the index of Python packages cannot be reached"), "{said}");
    assert!(said.contains("Connection refused"), "{said}");
    assert!(!said.contains(&format!("chosen: {}", home.path().display())), "{said}");
    // The next attempt goes on: the empty environment is there.
    assert!(!set_up(home.path(), &nowhere).contains("progress: Making"));
}

#[test]
fn a_folder_that_is_no_environment_is_left_alone() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("python");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("notes.txt"), "mine").unwrap();
    let said = set_up(home.path(), &[]);
    assert!(said.contains(&format!("failed: {} is there and is no virtual environment", folder.display())), "{said}");
    assert!(!said.contains("progress: Making"), "{said}");
    assert_eq!(fs::read_to_string(folder.join("notes.txt")).unwrap(), "mine");
}

#[test]
#[ignore = "fetches a hundred megabytes of packages"]
fn the_environment_is_made_once_and_chosen() {
    let home = tempfile::tempdir().unwrap();
    let said = set_up(home.path(), &[]);
    let whole = format!("whole: {}", home.path().join("python").display());
    assert!(said.contains(&whole), "{said}");
    assert!(said.contains("Fetching(\"numpy\")") && said.contains("progress: Installing"), "{said}");
    assert!(said.contains(&format!("chosen: {} with []", home.path().join("python").display())), "{said}");
    let again = set_up(home.path(), &[]);
    assert!(again.contains(&whole) && !again.contains("progress:"), "{again}");
}
