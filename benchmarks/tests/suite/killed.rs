//! A run that is killed again and again ends as one that is not.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use qianshou_bench::tool_selection::{ToolSample, task};
use qianshou_bench::{Log, RunOptions, SolverSettings, Task, run};

use crate::log::timeless;
use crate::support::{samples, weather, weather_model};

const FOLDER: &str = "QIANSHOU_BENCH_TEST_FOLDER";
const SAMPLES: usize = 120;

fn towns() -> Task<ToolSample> {
    let lines: Vec<_> = (0..SAMPLES).map(|index| weather(&format!("s{index}"), &format!("Town {index}"))).collect();
    task(samples(&lines), Vec::new(), SolverSettings::default(), None)
}

fn run_to_the_end(out: &Path) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let options = RunOptions { concurrency: 2, ..RunOptions::default() };
    let outcome = runtime.block_on(run(&towns(), weather_model(), out, &options, &|_| {})).unwrap();
    assert!(outcome.is_complete());
}

/// What the test below starts and kills.
#[test]
#[ignore = "the other side of `killed_at_ten_points_a_run_ends_as_any_other`"]
fn child() {
    run_to_the_end(&PathBuf::from(env::var_os(FOLDER).unwrap()));
}

#[test]
fn killed_at_ten_points_a_run_ends_as_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let (killed, whole) = (folder.path().join("killed"), folder.path().join("whole"));
    let log = killed.join("log.jsonl");
    let length = || std::fs::metadata(&log).map_or(0, |data| data.len());
    run_to_the_end(&whole);
    let total = std::fs::metadata(whole.join("log.jsonl")).unwrap().len();
    let mut kills = 0;
    for point in 1..=10 {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--ignored", "--exact", "killed::child"])
            .env(FOLDER, &killed)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Kill it when the log has grown so far; where in a write that is, is chance.
        while length() < total * point / 11 && child.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        kills += usize::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
        if point % 2 == 0 && length() > 40 {
            // As if the kill had come in the middle of a write.
            let file = std::fs::OpenOptions::new().write(true).open(&log).unwrap();
            file.set_len(length() - 17).unwrap();
        }
    }
    assert!(kills > 0, "no run was there to be killed");
    run_to_the_end(&killed);
    assert_eq!(timeless(&Log::read(&killed).unwrap()), timeless(&Log::read(&whole).unwrap()));
    // Nothing is done twice.
    assert_eq!(Log::read(&killed).unwrap().samples.len(), SAMPLES);
}
