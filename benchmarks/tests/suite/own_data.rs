//! Our own data: a model that gives the right answers gets full marks.

use std::collections::HashMap;
use std::sync::Arc;

use qianshou_bench::{
    CallFormat, Log, RunOptions, Sample, SolverSettings, code_interpreter, embedded, run, tool_selection,
};
use qianshou_chat::ChatModel;
use qianshou_interpreter::Interpreter;
use serde_json::Value;

use crate::support::Instant;

/// What is wrong with the samples that have not full marks.
fn faults(log: &Log) -> Vec<String> {
    let wrong = log.samples.iter().filter(|record| record.verdict.scores.get("strict.correct") != Some(&1.0));
    wrong.map(|record| format!("{}: {:?}", record.id, record.verdict.why)).collect()
}

#[tokio::test]
async fn right_calls_get_full_marks() {
    let (samples, data) = embedded::tool_selection().unwrap();
    let mut replies = HashMap::new();
    for sample in &samples {
        let call = |call: &tool_selection::ExpectedCall| {
            let arguments = Value::Object(call.arguments.clone());
            format!("Thought: x\nAction: {}\nAction Input: {arguments}\nObservation:", call.name)
        };
        replies.insert(sample.question().to_owned(), sample.calls.iter().map(call).collect::<Vec<_>>());
    }
    let model: Arc<dyn ChatModel> = Instant::model(move |asked| {
        let question = asked.rsplit_once("\nQuestion: ").unwrap().1;
        let calls = replies.iter().find(|(known, _)| question.starts_with(known.trim())).unwrap().1;
        let made = question.matches("\nObservation: ok").count();
        Ok(calls.get(made).cloned().unwrap_or("Thought: x\nFinal Answer: done".to_owned()))
    });
    let settings = SolverSettings { format: CallFormat::React, ..SolverSettings::default() };
    let (task, folder) = (tool_selection::task(samples, data, settings, None), tempfile::tempdir().unwrap());
    let outcome = run(&task, model, folder.path(), &RunOptions { concurrency: 8, ..RunOptions::default() }, &|_| {})
        .await
        .unwrap();
    assert!(outcome.is_complete(), "{:?}", outcome.faults);
    assert_eq!(faults(&Log::read(folder.path()).unwrap()), Vec::<String>::new());
}

/// Needs numpy, pandas and matplotlib in the Python that is used.
#[tokio::test]
#[ignore = "needs a Python with pandas and matplotlib"]
async fn right_code_gets_full_marks() {
    let lines = include_str!("../../data/code-interpreter.jsonl").lines();
    let lines: Vec<Value> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
    let solutions: HashMap<String, String> = lines
        .iter()
        .map(|line| (line["query"].as_str().unwrap().to_owned(), line["solution"].as_str().unwrap().to_owned()))
        .collect();
    let model: Arc<dyn ChatModel> = Instant::model(move |asked| {
        let question = asked.rsplit_once("\nQuestion: ").unwrap().1;
        let Some((_, printed)) = question.rsplit_once("\nObservation: ") else {
            let code = solutions.iter().find(|(query, _)| question.contains(query.trim())).unwrap().1;
            return Ok(format!("Thought: x\nAction: code_interpreter\nAction Input: ```py\n{code}\n```\nObservation:"));
        };
        let stdout = printed.split_once("stdout:\n\n```\n").map_or("", |(_, rest)| rest);
        let last = stdout.split("\n```").next().and_then(|text| text.lines().last()).unwrap_or_default();
        Ok(format!(" x\nFinal Answer: It is {last} "))
    });
    let (samples, data) = embedded::code_interpreter().unwrap();
    let interpreter = Interpreter::builder().build().await.unwrap();
    let task = code_interpreter::task(samples, data, SolverSettings::default(), interpreter, None);
    let folder = tempfile::tempdir().unwrap();
    let outcome = run(&task, model, folder.path(), &RunOptions { concurrency: 2, ..RunOptions::default() }, &|_| {})
        .await
        .unwrap();
    assert!(outcome.is_complete(), "{:?}", outcome.faults);
    assert_eq!(faults(&Log::read(folder.path()).unwrap()), Vec::<String>::new());
}
