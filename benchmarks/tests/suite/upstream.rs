//! Scores equal to the official script's.

use std::path::Path;

use qianshou_bench::statistics::mean;
use qianshou_bench::tool_selection::{official, upstream};
use serde_json::{Value, json};

use crate::support::{golden, pieces};

fn text<'a>(row: &'a Value, pointer: &str) -> &'a str {
    row.pointer(pointer).and_then(Value::as_str).unwrap()
}

#[test]
fn every_reply_is_scored_as_by_the_official_script() {
    let (rows, pieces) = (golden("scoring/plugin.jsonl"), pieces());
    assert_eq!(rows.len(), 403);
    let (mut right, mut likeness, mut calls) = (Vec::new(), Vec::new(), Vec::new());
    for row in &rows {
        let (reply, golden) = (text(row, "/gen/0"), text(row, "/response"));
        let selected = upstream::selects_the_same(reply, golden);
        let like = upstream::input_likeness(reply, golden, &pieces);
        let counts = upstream::read(reply).counts_as_call;
        assert_eq!(json!(selected), row["action_right"], "{row}");
        assert_eq!(Some(like), row["action_input_rouge_l"].as_f64(), "{row}");
        assert_eq!(json!(counts), row["counts_as_call"], "{row}");
        right.push(f64::from(u8::from(selected)));
        likeness.push(like);
        calls.push(f64::from(u8::from(counts)));
    }
    let totals = include_str!("../goldens/scoring/plugin-aggregate.json");
    let totals: Value = serde_json::from_str(totals).unwrap();
    assert_eq!(mean(&right), totals["action_right_rate"].as_f64());
    assert_eq!(mean(&likeness), totals["action_input_rouge"].as_f64());
    assert_eq!(mean(&calls), totals["bad_rate_if_negative"].as_f64());
}

#[test]
fn the_official_format_is_read_with_its_tools() {
    let prompt = "Answer the following questions as best you can. You have access to the following APIs:\n\n\
        weather: Call this tool to interact with the 天气 API. What is the 天气 API useful for? 查天气。 Parameters: \
        [{\"name\": \"city\", \"description\": \"城市\", \"required\": true, \"schema\": {\"type\": \"string\"}}] Format the \
        arguments as a JSON object.\n\nodd: in a form of its own\n\nUse the following format:\n\nAction: the action to take, \
        should be one of [weather,odd]\n\nBegin!\n\nQuestion: 北京天气";
    let golden = "Thought: 查\nAction: weather\nAction Input: {\"city\": \"北京\"}\nObservation: 晴\nThought: x\nFinal Answer: 晴";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("exam.jsonl");
    let negative = json!({"prompt": prompt, "response": "Thought: x\nFinal Answer: y"});
    std::fs::write(&path, format!("{}\n{negative}\n", json!({"prompt": prompt, "response": golden}))).unwrap();
    let (samples, file) = official::read(&path, official::Holds::Both).unwrap();
    assert_eq!(file.name, "exam.jsonl");
    let names: Vec<_> = samples[0].tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names, ["weather", "odd"]);
    assert_eq!(samples[0].tools[0].schema["required"], json!(["city"]));
    assert_eq!(samples[0].calls[0].name, "weather");
    assert_eq!(json!(samples[0].calls[0].arguments), json!({"city": "北京"}));
    assert!(samples[0].needs_call && !samples[1].needs_call);

    let error = official::read(&path, official::Holds::Positive).unwrap_err().to_string();
    assert!(error.contains("line 2 of") && error.contains("`response`"), "{error}");
    assert!(official::read(Path::new("nowhere.jsonl"), official::Holds::Both).is_err());
}
