//! The bench commands as people meet them, on the default model.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::{Command, Output};

fn bench(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_qianshou"));
    command.arg("bench").args(arguments).env("NO_COLOR", "1").env("NODEVICE_SELECT", "1").output().unwrap()
}

#[track_caller]
fn stdout(arguments: &[&str]) -> String {
    let output = bench(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_run_goes_on_is_scored_again_and_compared() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let run = run.to_str().unwrap();
    let tool_selection = |limit| stdout(&["tool-selection", "--limit", limit, "--device", "cpu", "--out", run]);
    let records = || std::fs::read_to_string(format!("{run}/log.jsonl")).unwrap().lines().count();

    assert!(tool_selection("1").contains("1 of the task's 299 samples"));
    // The header, and a record a sample.
    assert_eq!(records(), 2);
    let table = tool_selection("2");
    assert!(table.contains("2 of the task's 299 samples"), "{table}");
    assert_eq!(records(), 3);

    assert!(stdout(&["replay", run]).starts_with("2 samples have the same scores"));
    assert!(stdout(&["report", run, "--published"]).contains("published"));
    assert!(stdout(&["compare", run, run]).contains("+0.00 (+0.00 to +0.00)"));
    let page = std::fs::read_to_string(format!("{run}/report.html")).unwrap();
    assert!(page.contains("2 of 299 samples"));

    // Another run does not go into the same log.
    let other = bench(&["tool-selection", "--limit", "1", "--device", "cpu", "--temperature", "1", "--out", run]);
    assert_eq!(other.status.code(), Some(1));
    let message = String::from_utf8(other.stderr).unwrap();
    assert!(message.starts_with("error: ") && message.contains("temperature"), "{message}");
    assert_eq!(records(), 3);
}

#[test]
fn what_cannot_be_measured_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let (run, data) = (folder.path().join("run"), folder.path().join("data.jsonl"));
    std::fs::write(&data, "{\"prompt\": 5}\n").unwrap();
    let (run, data) = (run.to_str().unwrap(), data.to_str().unwrap());
    for (arguments, words) in [
        (["tool-selection", "--out", run, "--data", data].as_slice(), ["data.jsonl", "prompt"]),
        (&["tool-selection", "--out", run, "--data", "nowhere.jsonl"], ["nowhere.jsonl", "error: "]),
        (&["report", "nowhere"], ["nowhere", "error: "]),
        (&["replay", "nowhere"], ["nowhere", "error: "]),
    ] {
        let output = bench(arguments);
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert!(words.iter().all(|word| message.contains(word)) && !message.contains("panicked"), "{message}");
        assert!(output.stdout.is_empty());
    }
}
