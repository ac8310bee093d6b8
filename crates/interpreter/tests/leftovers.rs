//! What sessions and hosts leave behind: nothing.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]
#![cfg(target_os = "linux")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use qianshou_interpreter::{Interpreter, InterpreterBuilder, Tier};

/// In the environment of the process that plays the host.
const HOST: &str = "QIANSHOU_TEST_HOST";

/// How long processes have to end once nobody wants them.
const DEADLINE: Duration = Duration::from_secs(30);

fn parents() -> BTreeMap<i32, i32> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers
        .filter_map(|process: i32| {
            let line = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
            Some((process, line.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()?))
        })
        .collect()
}

fn descendants(of: i32) -> BTreeSet<i32> {
    let parents = parents();
    let mut found = BTreeSet::from([of]);
    loop {
        let more: Vec<i32> = parents
            .iter()
            .filter(|(process, parent)| found.contains(parent) && !found.contains(process))
            .map(|(process, _)| *process)
            .collect();
        if more.is_empty() {
            found.remove(&of);
            return found;
        }
        found.extend(more);
    }
}

/// Waits until `condition` holds; false when it never does.
async fn eventually(mut condition: impl FnMut() -> bool) -> bool {
    let holds = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(DEADLINE, holds).await.is_ok()
}

/// Descriptors, mounts and temporary folders of this process.
fn belongings() -> (usize, usize, usize) {
    let descriptors = fs::read_dir("/proc/self/fd").unwrap().count();
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap().lines().count();
    (descriptors, mounts, folders(std::process::id()))
}

fn folders(host: u32) -> usize {
    let own = format!("qianshou-{host}-");
    let all = fs::read_dir(std::env::temp_dir()).unwrap().flatten();
    all.filter(|entry| entry.file_name().to_string_lossy().starts_with(&own)).count()
}

fn builder(tier: Tier) -> InterpreterBuilder {
    let builder = Interpreter::builder().tier(tier).preload(Vec::<String>::new());
    // Without namespaces root becomes a user that cannot reach a Python in root's own folder.
    if tier == Tier::Landlock && rustix::process::geteuid().is_root() {
        builder.python("/usr/bin/python3")
    } else {
        builder
    }
}

async fn open_and_close(tier: Tier, sessions: usize) {
    let Ok(interpreter) = builder(tier).build().await else {
        println!("not run: sessions in tier {tier:?}");
        return;
    };
    drop(interpreter.session().await.unwrap());
    let own = std::process::id().cast_signed();
    // The launcher and the warm Python.
    assert!(eventually(|| descendants(own).len() == 2).await, "{:?}", descendants(own));
    let before = belongings();
    for number in 0..sessions {
        let session = interpreter.session().await.unwrap();
        let cell = session.execute(format!("open('file', 'w').write('x')\n{number} + 1")).await.unwrap();
        assert_eq!(cell.value_text(), Some((number + 1).to_string().as_str()));
    }
    let settled = eventually(|| belongings() == before && descendants(own).len() == 2).await;
    assert!(settled, "{before:?} became {:?} with {:?}", belongings(), descendants(own));
    drop(interpreter);
    assert!(eventually(|| descendants(own).is_empty()).await, "{:?}", descendants(own));
}

/// One test, because it counts the processes of the whole program.
#[tokio::test]
async fn many_sessions_leave_nothing() {
    if std::env::var_os(HOST).is_some() {
        return;
    }
    open_and_close(Tier::Namespaces, 200).await;
    open_and_close(Tier::Landlock, 50).await;
    for tier in [Tier::Namespaces, Tier::Landlock] {
        a_killed_host_leaves_nothing(tier).await;
    }
}

#[tokio::test]
#[ignore = "takes minutes; run with --ignored and alone"]
async fn a_thousand_sessions_leave_nothing() {
    open_and_close(Tier::Namespaces, 1000).await;
}

async fn a_killed_host_leaves_nothing(tier: Tier) {
    let name = if tier == Tier::Namespaces { "namespaces" } else { "landlock" };
    let mut host = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "plays_the_host", "--nocapture"])
        .env(HOST, name)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(host.stdout.take().unwrap()).lines().map_while(Result::ok);
    if !lines.any(|line| line.contains("a cell is running") || line.contains("not run")) {
        panic!("the host did not start");
    }
    let left = descendants(host.id().cast_signed());
    if left.is_empty() {
        println!("not run: a killed host in tier {tier:?}");
    }
    host.kill().unwrap();
    host.wait().unwrap();
    assert!(eventually(|| left.iter().all(|process| !parents().contains_key(process))).await, "left: {left:?}");
    assert!(eventually(|| folders(host.id()) == 0).await, "folders are left");
}

/// Not a test of its own: the process that `a_killed_host_leaves_nothing` starts.
#[tokio::test]
async fn plays_the_host() {
    let Ok(tier) = std::env::var(HOST) else { return };
    let tier = if tier == "namespaces" { Tier::Namespaces } else { Tier::Landlock };
    let Ok(interpreter) = builder(tier).build().await else {
        println!("not run");
        return;
    };
    let session = interpreter.session().await.unwrap();
    session.execute("import os\nif os.fork() == 0:\n    os.setsid()\n    while True:\n        pass").await.unwrap();
    let endless = tokio::spawn(async move { session.execute("while True:\n    pass").await });
    println!("a cell is running");
    endless.await.unwrap().unwrap();
}
