//! The bench commands as people meet them, on the default model.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::{Command, Output};

use serde_json::{Value, json};

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

    // All that the scores depend on stands in the header.
    let text = std::fs::read_to_string(format!("{run}/log.jsonl")).unwrap();
    let line: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    let header = &line["bench"];
    let provenance = header["provenance"].as_object().unwrap();
    assert_eq!((&provenance["model"], &provenance["precision"]), (&json!("tiny"), &json!("F32")));
    // Weights and tokenizer are one file here.
    assert_eq!(provenance.keys().filter(|key| key.starts_with("sha256 of ")).count(), 2, "{provenance:?}");
    let is_hash = |value: &Value| value.as_str().is_some_and(|hash| hash.len() == 64);
    assert!(
        header["data"].as_array().unwrap().iter().all(|file| is_hash(&file["sha256"])) && is_hash(&header["prompts"])
    );
    assert_eq!(header["solver"]["sampling"]["temperature"], 0.0);
    assert_eq!(header["solver"]["constrained"], true);
    assert!(header["solver"]["sampling"].as_object().unwrap().contains_key("seed"));
    assert_eq!(header["environment"]["device"], "cpu");
    let commit = header["environment"]["commit"].as_str().unwrap();
    let hash = commit.split(',').next().unwrap();
    assert!(commit.starts_with("unknown") || hash.len() == 40 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()));

    assert!(stdout(&["replay", run]).starts_with("2 samples have the same scores"));
    assert!(stdout(&["report", run, "--published"]).contains("published"));
    assert!(stdout(&["compare", run, run]).contains("+0.00 (+0.00 to +0.00)"));
    let page = std::fs::read_to_string(format!("{run}/report.html")).unwrap();
    assert!(page.contains("2 of 299 samples"));

    // Another run does not go into the same log.
    for (other, differing) in
        [(["--temperature", "1"].as_slice(), "temperature"), (&["--unconstrained"], "constrained")]
    {
        let arguments = ["tool-selection", "--limit", "1", "--device", "cpu", "--out", run];
        let other = bench(&[arguments.as_slice(), other].concat());
        assert_eq!(other.status.code(), Some(1));
        let message = String::from_utf8(other.stderr).unwrap();
        assert!(message.starts_with("error: ") && message.contains(differing), "{message}");
        assert_eq!(records(), 3);
    }

    // What a run measured is measured again, or it is told that it is not.
    let path = format!("{run}/log.jsonl");
    let (line, records) = text.split_once('\n').unwrap();
    let mut measured: Value = serde_json::from_str(line).unwrap();
    let measure = json!({"name": "upstream.input", "title": "Tool input (Rouge-L)", "less_is_better": false});
    measured["bench"]["measures"].as_array_mut().unwrap().push(measure);
    std::fs::write(&path, format!("{measured}\n{records}")).unwrap();
    assert_replay_fails(run, "--vocabulary");
    let content = records.lines().next().unwrap().split_once("\"sample\":").unwrap().1.strip_suffix('}').unwrap();
    let mut record: Value = serde_json::from_str(content).unwrap();
    record["verdict"]["scores"]["upstream.input"] = json!(0.5);
    let checksum = &qianshou::bench::sha256(record.to_string().as_bytes())[..16];
    let record = format!("{{\"record\":\"sample\",\"version\":1,\"checksum\":\"{checksum}\",\"sample\":{record}}}");
    std::fs::write(&path, format!("{line}\n{record}\n")).unwrap();
    let said = assert_replay_fails(run, "1 scores differ");
    assert!(said.contains("upstream.input is nothing, and was 0.5"), "{said}");
}

/// Scores a run again, which has to fail with these words; gives what it prints besides.
#[track_caller]
fn assert_replay_fails(run: &str, words: &str) -> String {
    let output = bench(&["replay", run]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.starts_with("error: ") && message.contains(words), "{message}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_run_over_one_category_is_scored_again_with_its_data_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (data, run) = (folder.path().join("data"), folder.path().join("run"));
    std::fs::create_dir(&data).unwrap();
    let function = json!({"name": "trips.plan", "description": "Plans a trip.", "parameters": {"type": "dict",
        "properties": {"city": {"type": "string"}}, "required": ["city"]}});
    let asked = json!([[{"role": "user", "content": "How are you?"}]]);
    let question = json!({"id": "live_irrelevance_0", "question": asked, "function": [function]});
    std::fs::write(data.join("BFCL_v4_live_irrelevance.json"), question.to_string()).unwrap();
    let (data, run) = (data.to_str().unwrap(), run.to_str().unwrap());
    let arguments = ["--categories", "live_irrelevance", "--max-reply-tokens", "16", "--device", "cpu"];
    stdout(&[["bfcl", "--data", data, "--out", run].as_slice(), &arguments].concat());
    assert!(stdout(&["replay", run, "--data", data]).starts_with("1 samples have the same scores"));
}

#[test]
fn official_files_are_named_and_checked() {
    let places = stdout(&["fetch"]);
    for name in ["exam_plugin_v1_react_positive.jsonl", "eval_code_interpreter_v1.jsonl", "qwen.tiktoken", "bfcl-eval"]
    {
        assert!(places.contains(name), "{places}");
    }

    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let line = |response: &str| json!({"prompt": "Question: ?", "response": response}).to_string();
    let call = line("Thought: x\nAction: a\nAction Input: {}\nObservation: 1");
    let positive = file("exam_plugin_v1_react_positive.jsonl", format!("{call}\n{call}\n"));
    let said = stdout(&["fetch", &positive]);
    assert!(said.ends_with("positive.jsonl: no published hash to compare with; 2 samples\n"), "{said}");
    assert!(said.len() > 64 && said[..64].bytes().all(|byte| byte.is_ascii_hexdigit()), "{said}");

    // A file of another kind, and one that is not what was published.
    let swapped = file("exam_plugin_v20231206_react_positive.jsonl", line("Final Answer: 5"));
    let vocabulary = file("qwen.tiktoken", "IQ== 0\n".to_owned());
    let output = bench(&["fetch", &positive, &swapped, &vocabulary]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("line 1 of") && said.contains("`response`"), "{said}");
    assert!(said.contains("qwen.tiktoken: not as published, which is b2b1b8df"), "{said}");
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.starts_with("error: 2 of 3 files cannot be used"), "{message}");
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
