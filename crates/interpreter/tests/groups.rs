//! Control groups, where this user may make some: what the system bounds, and what is left of them.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]
#![cfg(target_os = "linux")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use qianshou_interpreter::{Interpreter, InterpreterBuilder, LayerState, Session, State, Status};

/// In the environment of the process that plays the host.
const HOST: &str = "QIANSHOU_TEST_HOST";

/// How long groups have to go once nobody wants them.
const DEADLINE: Duration = Duration::from_secs(30);

const MEBIBYTE: u64 = 1 << 20;

fn builder() -> InterpreterBuilder {
    Interpreter::builder().preload(["json"]).memory(256 * MEBIBYTE).cell_time(Duration::from_secs(120))
}

/// An interpreter whose sessions have groups; none where there can be none.
async fn interpreter() -> Option<Interpreter> {
    let interpreter = builder().verify_anew().build().await.unwrap();
    let memory = interpreter.isolation_report().layers.iter().find(|layer| layer.name == "memory").unwrap();
    if let LayerState::Partial(how) = &memory.state {
        println!("not run: {how}");
        return None;
    }
    Some(interpreter)
}

/// The groups of hosts, below wherever cgroup v2 is mounted.
fn groups() -> Vec<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    let mounts = mounts.lines().filter(|line| line.contains(" cgroup2 "));
    let mut found = Vec::new();
    for mount in mounts.filter_map(|line| line.split(' ').nth(1)) {
        search(Path::new(mount), &mut found);
    }
    found
}

fn search(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            if entry.file_name().to_string_lossy().starts_with("qianshou-") {
                found.push(entry.path());
            }
            search(&entry.path(), found);
        }
    }
}

async fn eventually(mut condition: impl FnMut() -> bool) -> bool {
    let holds = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(DEADLINE, holds).await.is_ok()
}

async fn run(session: &Session, code: &str) -> qianshou_interpreter::Cell {
    session.execute(code).await.unwrap()
}

/// One test, because it looks at the groups of the whole system.
#[tokio::test]
async fn the_system_bounds_memory_and_no_group_is_left() {
    if std::env::var_os(HOST).is_some() {
        return;
    }
    let Some(interpreter) = interpreter().await else { return };
    let session = interpreter.session().await.unwrap();
    run(&session, "x = 'kept'").await;

    // Processes that are each within their limit.
    let many = "import os, signal\nchildren = []\nfor _ in range(8):\n    child = os.fork()\n    if child == 0:\n        \
                block = bytearray(b'x') * (100 << 20)\n        signal.pause()\n    children.append(child)\n\
                ended, status = os.wait()\nfor child in children:\n    child != ended and os.kill(child, 9)\nstatus";
    let cell = run(&session, many).await;
    assert_eq!((cell.status, cell.value_text()), (Status::Ok, Some("9")), "{cell:?}");
    assert!(cell.notes.iter().any(|note| note.contains("ended a process")), "{cell:?}");

    // Files in memory and a process together.
    let both = "with open('/dev/shm/file', 'wb') as file:\n    for _ in range(100):\n        file.write(bytes(1 << 20))\n\
                block = bytearray(b'x') * (200 << 20)";
    let cell = run(&session, both).await;
    assert_eq!((cell.status, cell.state), (Status::OutOfMemory, State::Restored), "{cell:?}");
    assert_eq!(run(&session, "x").await.value_text(), Some("'kept'"));

    // A peak between two looks of the supervisor is seen too.
    let fresh = interpreter.session().await.unwrap();
    let peak = run(&fresh, "block = bytearray(b'x') * (150 << 20)\ndel block").await.peak_memory;
    assert!((150 * MEBIBYTE..256 * MEBIBYTE).contains(&peak), "{peak}");
    assert_eq!(run(&fresh, "open('/proc/self/cgroup').read().strip().endswith(':/')").await.value_text(), Some("True"));

    let group = groups();
    assert_eq!(group.len(), 1, "{group:?}");
    let sessions = || fs::read_dir(&group[0]).unwrap().flatten().filter(|entry| entry.path().is_dir()).count();
    assert_eq!(sessions(), 2);
    fresh.close().await;
    assert_eq!(sessions(), 1);
    drop(session);
    assert!(eventually(|| sessions() == 0).await);
    drop(interpreter);
    assert!(eventually(|| groups().is_empty()).await, "{:?}", groups());

    let mut host = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "plays_the_host", "--nocapture"])
        .env(HOST, "")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(host.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("a cell is running")), "the host did not start");
    assert_eq!(groups().len(), 1);
    host.kill().unwrap();
    host.wait().unwrap();
    assert!(eventually(|| groups().is_empty()).await, "{:?}", groups());
}

/// Not a test of its own: the process that the test above kills.
#[tokio::test]
async fn plays_the_host() {
    if std::env::var_os(HOST).is_none() {
        return;
    }
    let session = builder().build().await.unwrap().session().await.unwrap();
    let endless = tokio::spawn(async move { session.execute("while True:\n    pass").await });
    println!("a cell is running");
    endless.await.unwrap().unwrap();
}
