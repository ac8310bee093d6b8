//! The cells of `cells/` give what plain `python3` gives: in a session, inside the sandbox.
//!
//! `QIANSHOU_TEST_PYTHON` names a Python that has the scientific packages; what a Python lacks is printed as not run.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]
#![cfg(target_os = "linux")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use qianshou_interpreter::{Interpreter, Status};
use serde::Deserialize;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cells");
const PLAIN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/worker/kernel/tests/plain.py");

/// A file of cells that share their names.
struct Group {
    name: String,
    packages: Vec<String>,
    /// Title and code.
    cells: Vec<(String, String)>,
}

impl Group {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let mut parts = format!("\n{text}").split("\n# %% ").map(str::to_owned).collect::<Vec<_>>().into_iter();
        let head = parts.next().unwrap();
        let needs = head.lines().find_map(|line| line.strip_prefix("# needs: ")).unwrap_or_default();
        let cells = parts.map(|cell| {
            let (title, code) = cell.split_once('\n').unwrap();
            (title.to_owned(), format!("{code}\n"))
        });
        Self {
            name: path.file_stem().unwrap().to_string_lossy().into_owned(),
            packages: needs.split_whitespace().map(str::to_owned).collect(),
            cells: cells.collect(),
        }
    }

    fn all() -> Vec<Self> {
        let mut files: Vec<PathBuf> = fs::read_dir(FOLDER).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "py"));
        files.sort();
        files.iter().map(|file| Self::read(file)).collect()
    }
}

/// What plain Python shows, raises and prints.
#[derive(Debug, PartialEq)]
struct Outcome {
    text: Option<String>,
    error: Option<String>,
    stdout: String,
}

#[derive(Deserialize)]
struct Reply {
    text: Option<String>,
    error: Option<String>,
    printed: usize,
}

fn plain(python: &str, cells: &[(String, String)]) -> Vec<Outcome> {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let codes: Vec<&String> = cells.iter().map(|(_, code)| code).collect();
    fs::write(path("cells.json"), serde_json::to_vec(&codes).unwrap()).unwrap();
    fs::create_dir(path("workspace")).unwrap();
    // It replies on standard error, beside the warnings.
    let run = Command::new(python)
        .args(["-X", "utf8", PLAIN])
        .arg(path("cells.json"))
        .arg("2")
        .current_dir(path("workspace"))
        .env_clear()
        .envs([("PATH", "/usr/local/bin:/usr/bin:/bin"), ("OPENBLAS_NUM_THREADS", "1"), ("MPLBACKEND", "agg")])
        .env("HOME", path("workspace"))
        .env("PYTHONPATH", path("workspace"))
        .stdin(Stdio::null())
        .stdout(File::create(path("stdout")).unwrap())
        .stderr(File::create(path("replies")).unwrap())
        .status()
        .unwrap();
    assert!(run.success());
    let (printed, mut begin) = (fs::read(path("stdout")).unwrap(), 0);
    let replies = String::from_utf8_lossy(&fs::read(path("replies")).unwrap()).into_owned();
    let replies = replies.lines().filter_map(|line| serde_json::from_str::<Reply>(line).ok());
    replies
        .map(|reply| {
            let stdout = String::from_utf8(printed[begin..reply.printed].to_vec()).unwrap();
            begin = reply.printed;
            Outcome { text: reply.text, error: reply.error, stdout }
        })
        .collect()
}

#[tokio::test]
async fn every_cell_gives_what_python_gives() {
    let builder = Interpreter::builder();
    let interpreter = match std::env::var_os("QIANSHOU_TEST_PYTHON") {
        Some(python) => builder.python(python),
        None => builder,
    };
    let interpreter = interpreter.build().await.unwrap();
    let python = interpreter.python().python.executable.clone();
    let (mut compared, mut different) = (0, Vec::new());
    for group in Group::all() {
        let session = interpreter.session().await.unwrap();
        let wanted = serde_json::to_string(&group.packages).unwrap();
        let look = format!("import importlib.util\n[p for p in {wanted} if importlib.util.find_spec(p) is None]");
        let missing = session.execute(look).await.unwrap();
        if missing.value_text() != Some("[]") {
            eprintln!("NOT RUN: {} without {}", group.name, missing.value_text().unwrap_or_default());
            continue;
        }
        session.close().await;
        // A new one, because the first number is the first cell's.
        let session = interpreter.session().await.unwrap();
        let expected = plain(&python, &group.cells);
        assert_eq!(expected.len(), group.cells.len(), "{}", group.name);
        for ((title, code), expected) in group.cells.iter().zip(expected) {
            let cell = session.execute(code.clone()).await.unwrap();
            let found = Outcome {
                text: cell.value_text().map(str::to_owned),
                error: match cell.status {
                    Status::Exited(_) => Some("SystemExit".to_owned()),
                    _ => cell.error.as_ref().map(|error| error.name.clone()),
                },
                stdout: cell.stdout.clone(),
            };
            compared += 1;
            if found != expected {
                different.push(format!("{}, {title}:\n{found:?}\nplain: {expected:?}\n{:?}", group.name, cell.status));
            }
        }
        session.close().await;
    }
    assert!(compared >= 150, "{compared} cells");
    assert!(different.is_empty(), "{} of {compared}:\n{}", different.len(), different.join("\n\n"));
}
