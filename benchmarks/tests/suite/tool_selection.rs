//! Tool selection, from data to scores.

use std::sync::Arc;

use proptest::prelude::*;
use qianshou_bench::code_interpreter;
use qianshou_bench::tool_selection::{own, task};
use qianshou_bench::{CallFormat, Log, RunOptions, SolverSettings, Verdict, rescore, run};
use qianshou_chat::{ChatModel, NativeCall, ScriptedModel, ScriptedReply};
use serde_json::{Value, json};

use crate::support::{Instant, samples, tools, weather};

/// What the model's reply is worth for one sample.
fn verdict(sample: Value, replies: &'static [&'static str]) -> Verdict {
    let left = std::sync::Mutex::new(replies.iter());
    let model = Instant::model(move |_| Ok((*left.lock().unwrap().next().expect("the run asks too often")).to_owned()));
    verdict_of(sample, model, SolverSettings::default())
}

fn verdict_of(sample: Value, model: Arc<dyn ChatModel>, settings: SolverSettings) -> Verdict {
    let task = task(samples(&[sample]), Vec::new(), settings, None);
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let outcome = run(&task, model, folder.path(), &RunOptions::default(), &|_| {}).await.unwrap();
        assert!(outcome.is_complete(), "{:?}", outcome.faults);
        let log = Log::read(folder.path()).unwrap();
        // The record alone gives the same scores.
        assert_eq!(rescore(&task.samples, &*task.scorer, &log).await.unwrap(), [log.samples[0].verdict.clone()]);
        log.samples[0].verdict.clone()
    })
}

fn scores(verdict: &Verdict, names: &[&str]) -> Vec<Option<f64>> {
    names.iter().map(|name| verdict.scores.get(*name).copied()).collect()
}

const BOTH: &[&str] = &["upstream.selection", "strict.correct", "valid.first", "valid.repaired"];

#[test]
fn a_right_call_is_right_both_ways() {
    let verdict = verdict(
        weather("a", "Rome"),
        &["Thought: I look.\nAction: weather\nAction Input: {\"city\": \"Rome\"}\nObservation: sunny"],
    );
    assert_eq!(scores(&verdict, BOTH), [Some(1.0); 4]);
    assert_eq!(verdict.labels["called tool"], "weather");
    assert!(!verdict.labels.contains_key("disagreement"));
}

#[test]
fn a_mended_input_counts_as_repaired() {
    let verdict = verdict(
        weather("a", "Rome"),
        &["Thought: I look.\nAction: weather\nAction Input: {'city': 'Rome',}\nObservation:"],
    );
    assert_eq!(scores(&verdict, BOTH), [Some(1.0), Some(1.0), Some(0.0), Some(1.0)]);
}

#[test]
fn a_call_that_is_mended_when_told_counts_as_repaired() {
    let replies = &[
        "Thought: I look.\nAction: weather\nAction Input: {\"town\": \"Rome\"}\nObservation:",
        " I see.\nAction: weather\nAction Input: {\"city\": \"Rome\"}\nObservation:",
    ];
    let verdict = verdict(weather("a", "Rome"), replies);
    assert_eq!(
        scores(&verdict, &["strict.correct", "valid.first", "valid.repaired"]),
        [Some(1.0), Some(0.0), Some(1.0)]
    );
}

#[test]
fn where_the_rules_disagree_is_told() {
    // No space behind the colon: no call for the official script, one for an agent.
    let verdict =
        verdict(weather("a", "Rome"), &["Thought: x\nAction:weather\nAction Input:{\"city\":\"Rome\"}\nObservation:"]);
    assert_eq!(scores(&verdict, &["upstream.selection", "strict.selection"]), [Some(0.0), Some(1.0)]);
    assert_eq!(verdict.labels["disagreement"], "only the strict reader takes the choice for right");
}

#[test]
fn all_native_calls_of_a_reply_count() {
    let mut sample = weather("a", "Rome");
    let calls = ["Rome", "Oslo"].map(|city| json!({"name": "weather", "arguments": {"city": city}}));
    sample["calls"] = json!(calls);
    let calls = ["Rome", "Oslo"].map(|city| NativeCall {
        id: String::new(),
        name: "weather".to_owned(),
        arguments: json!({"city": city}).to_string(),
    });
    let model = Arc::new(ScriptedModel::new([ScriptedReply::Calls(String::new(), calls.to_vec())]));
    let settings = SolverSettings { format: CallFormat::Native, ..SolverSettings::default() };
    let verdict = verdict_of(sample, model, settings);
    let names = &["upstream.selection", "strict.selection", "strict.correct", "valid.first", "valid.repaired"];
    assert_eq!(scores(&verdict, names), [Some(1.0); 5], "{:?}", verdict.why);
    assert_eq!(verdict.labels["called tool"], "weather + weather");
}

#[test]
fn a_call_that_nobody_needs_is_a_false_positive() {
    let sample =
        json!({"id": "a", "lang": "zh", "query": "为什么？", "tools": ["calculator"], "calls": [], "why": "no-need"});
    let call = verdict(
        sample.clone(),
        &["Thought: x\nAction: calculator\nAction Input: {\"expression\": \"1\"}\nObservation:"],
    );
    let names = &["upstream.false_positive", "strict.false_positive", "strict.correct"];
    assert_eq!(scores(&call, names), [Some(1.0), Some(1.0), Some(0.0)]);
    assert_eq!(call.why, ["the call calculator({\"expression\": \"1\"}) is not needed"]);
    let answer = verdict(sample, &["Thought: x\nFinal Answer: 因为。"]);
    assert_eq!(scores(&answer, names), [Some(0.0), Some(0.0), Some(1.0)]);
}

#[test]
fn bad_data_is_named_with_line_and_field() {
    let good = weather("a", "Rome").to_string();
    let fault = |line: &str| {
        let text = format!("{good}\n{line}\n");
        let read = own::read(("t.jsonl".as_ref(), tools().as_bytes()), ("s.jsonl".as_ref(), text.as_bytes()));
        read.unwrap_err().to_string()
    };
    let cases = [
        (&good[..good.len() / 2], "EOF while parsing"),
        (&good, "line 2 of s.jsonl: `id`: \"a\" stands in line 1 already"),
        (&weather("b", "x").to_string().replace("\"en\"", "\"fr\""), "line 2 of s.jsonl: `lang`: unknown variant `fr`"),
        (
            &weather("b", "x").to_string().replace("\"calculator\"", "\"nothing\""),
            "`tools[1]`: there is no tool \"nothing\"",
        ),
        (
            &weather("b", "x").to_string().replace("{\"city\"", "{\"town\""),
            "`calls[0]`: weather has no parameter \"town\"",
        ),
        (
            r#"{"id": "b", "lang": "en", "query": "?", "tools": ["weather"], "calls": []}"#,
            "`why`: a sample without calls",
        ),
    ];
    for (line, expected) in cases {
        let fault = fault(line);
        assert!(fault.contains(expected), "{fault}");
    }
}

proptest! {
    #[test]
    fn no_data_make_a_reader_panic(cut in 0.0..1.0_f64, from in 0..200_usize, with in "[\\[\\]{}\",:0-9a-z ]{0,6}") {
        // Right lines with something else in the place of a part of them.
        let sample = weather("a", "Rome").to_string();
        let at = ((sample.len() as f64) * cut) as usize;
        let spoilt = format!("{}{with}{}", &sample[..at], sample.get(at + from % 5..).unwrap_or_default());
        let read = own::read(("t.jsonl".as_ref(), tools().as_bytes()), ("s.jsonl".as_ref(), spoilt.as_bytes()));
        if let Err(error) = read {
            prop_assert!(error.to_string().contains("s.jsonl"), "{error}");
        }
        let task = r#"{"id": "c", "lang": "en", "category": "math", "query": "?", "files": [], "answer": {"number": 1, "tolerance": 0}, "figure": null, "solution": ""}"#;
        let at = ((task.len() as f64) * cut) as usize;
        let spoilt = format!("{}{with}{}", &task[..at], task.get(at + from % 5..).unwrap_or_default());
        if let Err(error) = code_interpreter::own::read(("c.jsonl".as_ref(), spoilt.as_bytes()), |_| None) {
            prop_assert!(error.to_string().contains("c.jsonl"), "{error}");
        }
    }
}
