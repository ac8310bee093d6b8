//! The leaderboard's rules and data.

use std::{env, fs};

use qianshou_bench::bfcl::check::{Call, check};
use qianshou_bench::bfcl::{read, task};
use qianshou_bench::{Log, RunOptions, SolverSettings, run};
use serde_json::{Value, json};

use crate::support::{Instant, golden};

/// The calls of a prediction.
fn calls(row: &Value) -> Vec<Call> {
    let call = |call: &Value| {
        let (name, arguments) = call.as_object().unwrap().iter().next().unwrap();
        (name.clone(), arguments.as_object().unwrap().clone())
    };
    row["calls"].as_array().unwrap().iter().map(call).collect()
}

fn every_verdict_is_the_package_s(rows: &[Value]) {
    let described = rows[0].as_array().unwrap();
    for row in &rows[1..] {
        let functions = match row["functions"].as_u64() {
            Some(count) => &described[..usize::try_from(count).unwrap()],
            None => row["functions"].as_array().unwrap(),
        };
        let underscored = row["underscored"] == true;
        let category = row["category"].as_str().unwrap();
        let found = check(functions, &calls(row), row["answers"].as_array().unwrap(), category, underscored);
        assert_eq!(json!(found.err()), row["error"], "{row}");
    }
}

#[test]
fn every_prediction_has_the_verdict_of_the_package_s_checker() {
    let rows = golden("bfcl/cases.jsonl");
    assert_eq!(rows.len(), 601);
    every_verdict_is_the_package_s(&rows);
}

/// Over the package's own data, which are not in the repository: `QIANSHOU_BFCL_CASES` names the file that
/// `goldens/bfcl/make.py` wrote with `--published`.
#[test]
#[ignore = "needs a file that is made from the package"]
fn every_prediction_for_published_data_has_the_package_s_verdict() {
    let path = env::var_os("QIANSHOU_BFCL_CASES").expect("set QIANSHOU_BFCL_CASES");
    let rows: Vec<Value> =
        fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    every_verdict_is_the_package_s(&rows);
}

#[tokio::test]
async fn published_files_are_read_run_and_scored() {
    let folder = tempfile::tempdir().unwrap();
    let function = json!({"name": "trips.plan", "description": "Plans a trip.", "parameters": {"type": "dict",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}, "required": ["city"]}});
    let question = |id: &str| json!({"id": id, "question": [[{"role": "user", "content": "Plan a trip to Rome."}]], "function": [function]});
    fs::create_dir(folder.path().join("possible_answer")).unwrap();
    fs::write(folder.path().join("BFCL_v4_simple_python.json"), question("s_0").to_string()).unwrap();
    fs::write(folder.path().join("BFCL_v4_irrelevance.json"), question("i_0").to_string()).unwrap();
    let answer = json!({"id": "s_0", "ground_truth": [{"trips.plan": {"city": ["Rome"], "days": ["", 3]}}]});
    fs::write(folder.path().join("possible_answer/BFCL_v4_simple_python.json"), answer.to_string()).unwrap();

    let (samples, data) = read(folder.path(), &["simple_python", "irrelevance"]).unwrap();
    let task = task(samples, data, SolverSettings::default());
    let model = Instant::model(|_| {
        Ok("Thought: x\nAction: trips.plan\nAction Input: {\"city\": \"rome\"}\nObservation:".into())
    });
    let outcome = run(&task, model, folder.path(), &RunOptions::default(), &|_| {}).await.unwrap();
    assert!(outcome.is_complete(), "{:?}", outcome.faults);
    let log = Log::read(folder.path()).unwrap();
    let scores: Vec<_> = log.samples.iter().map(|record| record.verdict.scores["ast.correct"]).collect();
    assert_eq!(scores, [1.0, 0.0]);
    assert_eq!(log.samples[1].verdict.labels["error"], "irrelevance_error:decoder_success");

    let missing = read(folder.path(), &["parallel"]).unwrap_err().to_string();
    assert!(missing.contains("BFCL_v4_parallel.json cannot be read"), "{missing}");
}
