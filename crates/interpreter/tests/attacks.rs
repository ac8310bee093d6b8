//! The attack suite: what hostile code tries, by the numbers of the threat model, and what comes of it.
//!
//! Every file in `attacks/` is a cell. Each runs in a session of its own, as root (if the tests run as
//! root) and as an ordinary user, in every tier. An attack has to end as it says, the session has to
//! answer the next cell, and the canaries (a file, a folder, listeners, a process, a secret in the
//! environment, all of them made here) have to be as they were. What this machine cannot run is printed
//! as not run.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use qianshou_interpreter::{Cell, Interpreter, InterpreterBuilder, InterpreterError, NewFile, State, Status, Tier};
use tokio::sync::Semaphore;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/attacks");
const GUIDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/sandbox.md");
const PRELUDE: &str = include_str!("attacks/prelude.py");

/// In the environment of the host while the attacks run, and nowhere else.
const SECRET: &str = "the-key-that-only-the-host-has";
const SECRET_NAME: &str = "QIANSHOU_TEST_KEY";

/// Names the tier of the process that runs attacks.
const TIER: &str = "QIANSHOU_TEST_TIER";

/// Part of the name of the attacks to run, for work on one.
const ONLY: &str = "QIANSHOU_TEST_ATTACK";
const NOBODY: u32 = 65_534;

/// Threads that the user runs beside the attacks: more than a session may have.
const OTHERS: usize = 80;

/// What two small cells may take after an attack; a supervisor that waits for a word of the attacker waits for longer.
const STANDSTILL: Duration = Duration::from_secs(25);

/// What another session does before the attacks; it prints where it is.
const LEFT_BY_ANOTHER_SESSION: &str = "\
import json, os, socket
left_by_another_session = open('left_by_another_session', 'w').write('here')
try:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind('\\0left-by-another-session')
    listener.listen()
except OSError:
    pass
print(json.dumps({'process': os.getpid(), 'folder': os.getcwd()}))";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// Each attempt fails, and says so; the session's state is kept.
    Refused,
    /// It runs into a limit, or does no harm.
    Capped,
    Inert,
    /// The cell is ended, and the state before it restored.
    Killed,
    /// The cell ends its own checkpoint too, and a new session follows.
    Lost,
    /// It hurts its own cell at most, however that ends: the state is kept, or restored.
    Contained,
}

#[derive(Clone, Debug)]
struct Attack {
    file: String,
    number: String,
    title: String,
    outcome: Outcome,
    tiers: Vec<Tier>,
    machine: Option<String>,
    code: String,
}

impl Attack {
    fn read(path: &Path) -> Self {
        let code = fs::read_to_string(path).unwrap();
        let head: Vec<String> = code.lines().map_while(|line| line.strip_prefix("# ")).map(str::to_owned).collect();
        let (number, title) = head[0].split_once(". ").unwrap();
        let field = |name: &str| head.iter().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let outcome = match field("outcome:").unwrap() {
            "refused" => Outcome::Refused,
            "capped" => Outcome::Capped,
            "inert" => Outcome::Inert,
            "killed" => Outcome::Killed,
            "lost" => Outcome::Lost,
            "contained" => Outcome::Contained,
            other => panic!("{}: no such outcome: {other}", path.display()),
        };
        let tiers =
            if field("tiers:").is_some() { vec![Tier::Namespaces] } else { vec![Tier::Namespaces, Tier::Landlock] };
        let file = path.file_stem().unwrap().to_string_lossy().into_owned();
        Self {
            number: number.to_owned(),
            title: title.to_owned(),
            outcome,
            tiers,
            machine: field("machine:").map(str::to_owned),
            file,
            code,
        }
    }

    fn all() -> Vec<Self> {
        let mut files: Vec<PathBuf> = fs::read_dir(FOLDER).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "py"));
        files.retain(|file| file.file_stem().is_some_and(|stem| stem != "prelude"));
        files.sort();
        files.iter().map(|file| Self::read(file)).collect()
    }
}

/// Things of the host that no attack may touch.
struct Canaries {
    folder: tempfile::TempDir,
    tcp: TcpListener,
    abstract_socket: UnixListener,
    socket: UnixListener,
    decoy: Child,
    host: String,
}

impl Canaries {
    /// `other` describes another session, in JSON.
    fn set_up(other: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("secret"), SECRET).unwrap();
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let abstract_name = format!("attacks{}", folder.path().display());
        let address = SocketAddr::from_abstract_name(&abstract_name).unwrap();
        let abstract_socket = UnixListener::bind_addr(&address).unwrap();
        let socket = UnixListener::bind(folder.path().join("socket")).unwrap();
        tcp.set_nonblocking(true).unwrap();
        abstract_socket.set_nonblocking(true).unwrap();
        socket.set_nonblocking(true).unwrap();
        let decoy = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let host = serde_json::json!({
            "secret": path("secret"),
            "folder": folder.path().display().to_string(),
            "socket": path("socket"),
            "port": tcp.local_addr().unwrap().port(),
            "abstract": abstract_name,
            "decoy": decoy.id(),
            "other": serde_json::from_str::<serde_json::Value>(other).unwrap(),
            "canary_reversed": SECRET.chars().rev().collect::<String>(),
        });
        Self { folder, tcp, abstract_socket, socket, decoy, host: host.to_string() }
    }

    /// What has been touched.
    fn touched(&mut self) -> Vec<&'static str> {
        let mut names: Vec<String> = fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        let checks = [
            ("the secret", fs::read_to_string(self.folder.path().join("secret")).is_ok_and(|text| text == SECRET)),
            ("the folder", names == ["secret", "socket"]),
            ("the port", self.tcp.accept().is_err()),
            ("the abstract socket", self.abstract_socket.accept().is_err()),
            ("the socket file", self.socket.accept().is_err()),
            ("the decoy", matches!(self.decoy.try_wait(), Ok(None))),
        ];
        checks.into_iter().filter(|(_, untouched)| !untouched).map(|(name, _)| name).collect()
    }
}

impl Drop for Canaries {
    fn drop(&mut self) {
        drop(self.decoy.kill());
        drop(self.decoy.wait());
    }
}

#[test]
fn attacks_fail() {
    if std::env::var_os(TIER).is_some() {
        // This is the process that the other branch starts.
        return run_attacks();
    }
    // The secret must be in the environment from the start, and another user needs another process.
    let programs = tempfile::tempdir().unwrap();
    fs::set_permissions(programs.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let program = programs.path().join("attacks");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let is_root = rustix::process::geteuid().is_root();
    let users: &[Option<u32>] = if is_root { &[None, Some(NOBODY)] } else { &[None] };
    let mut failed = Vec::new();
    for (tier, name) in [(Tier::Namespaces, "namespaces"), (Tier::Landlock, "landlock")] {
        for user in users {
            let home = tempfile::tempdir().unwrap();
            let mut command = Command::new(&program);
            command.args(["--exact", "attacks_fail", "--nocapture"]).env(SECRET_NAME, SECRET).env(TIER, name);
            command.env_remove("XDG_CACHE_HOME").env_remove("VIRTUAL_ENV");
            if let Some(user) = *user {
                std::os::unix::fs::chown(home.path(), Some(user), Some(user)).unwrap();
                command.uid(user).gid(user).env("HOME", home.path()).current_dir("/");
            }
            if is_root {
                // A Python that every user can reach.
                command.env("PATH", "/usr/local/bin:/usr/bin:/bin");
            }
            let status = command.status().unwrap();
            if !status.success() {
                failed.push((tier, user));
            }
        }
    }
    assert!(failed.is_empty(), "attacks got through, or their runs broke: {failed:?}");
}

fn builder(tier: Tier, time: Duration) -> InterpreterBuilder {
    Interpreter::builder()
        .verify_anew()
        .tier(tier)
        .preload(["ctypes", "json", "signal", "socket", "subprocess", "threading"])
        .cell_time(time)
        .grace(Duration::from_millis(500))
        .memory(512 << 20)
        .workspace(192 << 20, 4096)
        .file(64 << 20)
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn run_attacks() {
    let tier = if std::env::var(TIER).unwrap() == "namespaces" { Tier::Namespaces } else { Tier::Landlock };
    let user = if rustix::process::geteuid().is_root() { "root" } else { "an ordinary user" };
    for _ in 0..OTHERS {
        // They end with this process.
        std::thread::spawn(|| {
            loop {
                std::thread::park();
            }
        });
    }
    let patient = match builder(tier, Duration::from_secs(60)).build().await {
        Ok(interpreter) => interpreter,
        Err(error @ (InterpreterError::Isolation { .. } | InterpreterError::Python(_))) => {
            eprintln!("NOT RUN: attacks as {user} in tier {tier:?}: {error}");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    let hasty = builder(tier, Duration::from_secs(5)).build().await.unwrap();
    let other = patient.session().await.unwrap();
    let left = other.execute(LEFT_BY_ANOTHER_SESSION).await.unwrap();
    let mut canaries = Canaries::set_up(&left.stdout);
    // Where processes are counted by user, sessions would count each other's.
    let at_a_time = Arc::new(Semaphore::new(if tier == Tier::Namespaces { 4 } else { 1 }));
    let mut running = Vec::new();
    for attack in Attack::all() {
        if std::env::var(ONLY).is_ok_and(|part| !attack.file.contains(&part)) {
            continue;
        }
        let elsewhere = attack.machine.as_ref().is_some_and(|machine| machine != std::env::consts::ARCH);
        if !attack.tiers.contains(&tier) || elsewhere {
            eprintln!("not run: {} as {user} in tier {tier:?}", attack.file);
            continue;
        }
        let interpreter = if attack.outcome == Outcome::Killed { hasty.clone() } else { patient.clone() };
        let (host, at_a_time) = (canaries.host.clone(), Arc::clone(&at_a_time));
        running.push(tokio::spawn(async move {
            let _turn = at_a_time.acquire().await.unwrap();
            let result = run(&interpreter, &attack, &host).await;
            (attack, result)
        }));
    }
    let mut failures = Vec::new();
    let mut passed = 0;
    for attack in running {
        match attack.await.unwrap() {
            (_, Ok(())) => passed += 1,
            (attack, Err(reason)) => failures.push(format!("{}: {reason}", attack.file)),
        }
    }
    failures.extend(canaries.touched().into_iter().map(|name| format!("touched: {name}")));
    let kept = other.execute("left_by_another_session").await.unwrap();
    if kept.value_text() != Some("4") {
        failures.push("another session was touched".into());
    }
    eprintln!("{passed} attacks as {user} in tier {tier:?} failed, as they should");
    assert!(failures.is_empty(), "as {user} in tier {tier:?}:\n{}", failures.join("\n"));
}

async fn run(interpreter: &Interpreter, attack: &Attack, host: &str) -> Result<(), String> {
    let session = interpreter.session().await.map_err(|error| error.to_string())?;
    let prelude = format!("{PRELUDE}\nhost = {host}\nbefore = 'kept'\n");
    let prepared = session.execute(prelude).await.map_err(|error| error.to_string())?;
    if prepared.status != Status::Ok {
        return Err(format!("the prelude failed: {prepared:?}"));
    }
    let cell = session.execute(attack.code.clone()).await.map_err(|error| error.to_string())?;
    judge(attack.outcome, &cell).map_err(|reason| format!("{reason}: {}", shown(&cell)))?;
    let asked = Instant::now();
    let next = session.execute("before").await.map_err(|error| format!("the next cell: {error}"))?;
    let kept = match cell.state {
        State::Lost => next.error.as_ref().is_some_and(|error| error.name == "NameError"),
        State::Kept | State::Restored | State::Earlier { .. } => next.value_text() == Some("'kept'"),
    };
    if !kept {
        return Err(format!("the next cell does not have the state before: {}\nafter {}", shown(&next), shown(&cell)));
    }
    let answer = session.execute("1 + 1").await.map_err(|error| format!("the cell after: {error}"))?;
    let took = asked.elapsed();
    session.close().await;
    if took > STANDSTILL {
        return Err(format!("the cells after took {took:?}"));
    }
    if answer.value_text() != Some("2") {
        return Err(format!("the cell after does not answer: {}", shown(&answer)));
    }
    Ok(())
}

fn judge(outcome: Outcome, cell: &Cell) -> Result<(), &'static str> {
    let breached = cell.stdout.lines().any(|line| line.starts_with("BREACH"));
    let stopped = cell.stdout.lines().any(|line| line.starts_with("stopped"));
    let killed = !matches!(cell.status, Status::Ok | Status::Error | Status::Interrupted | Status::Exited(_));
    let misleading =
        |file: &NewFile| file.path.chars().any(|character| character.is_control() || character == '\u{202e}');
    match outcome {
        _ if cell.files.iter().any(misleading) => Err("the name of a file misleads"),
        _ if cell.images.iter().any(|image| image.mime == "image/svg+xml" || image.bytes.len() > 4 << 20) => {
            Err("an image that is none")
        }
        _ if breached => Err("it got through"),
        Outcome::Refused | Outcome::Capped | Outcome::Inert if cell.status != Status::Ok => Err("it did not end well"),
        Outcome::Refused | Outcome::Capped | Outcome::Inert if !stopped => Err("it tried nothing"),
        Outcome::Killed if !killed => Err("it was not ended"),
        Outcome::Killed if cell.state == State::Lost => Err("the state before was not restored"),
        Outcome::Contained if cell.state == State::Lost => Err("the state was lost"),
        Outcome::Lost if cell.state != State::Lost => Err("the state was not lost"),
        _ => Ok(()),
    }
}

fn shown(cell: &Cell) -> String {
    let error = cell.error.as_ref().map(|error| error.traceback.as_str()).unwrap_or_default();
    format!("{:?} {:?} {:?}\n{}{}{error}", cell.status, cell.state, cell.notes, cell.stdout, cell.stderr)
}

/// The table in the guide says what this suite runs. `UPDATE=1` writes it anew.
#[test]
fn the_table_in_the_guide_is_current() {
    let mut rows = BTreeMap::new();
    for attack in Attack::all() {
        let outcome = match attack.outcome {
            Outcome::Refused => "refused",
            Outcome::Capped => "runs into a limit",
            Outcome::Inert => "does nothing",
            Outcome::Killed => "cell ended, state restored",
            Outcome::Lost => "session ended, a new one follows",
            Outcome::Contained => "hurts its own cell at most",
        };
        let tiers = if attack.tiers.len() == 2 { "both" } else { "namespaces" };
        rows.insert(attack.file, format!("| {} | {} | {outcome} | {tiers} |\n", attack.number, attack.title));
    }
    let table: String = rows.into_values().collect();
    let (begin, end) = ("<!-- attacks -->\n", "<!-- end of attacks -->");
    let guide = fs::read_to_string(GUIDE).unwrap();
    let (before, rest) = guide.split_once(begin).unwrap();
    let (_, after) = rest.split_once(end).unwrap();
    let head = "| | attack | outcome | tiers |\n|---|---|---|---|\n";
    let current = format!("{before}{begin}{head}{table}{end}{after}");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(GUIDE, &current).unwrap();
    }
    assert!(
        guide == current || std::env::var_os("UPDATE").is_some(),
        "run this test with UPDATE=1 to write the table anew"
    );
}
