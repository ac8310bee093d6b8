//! Random steps of ReAct: whatever the model writes, a reader of steps finds one call or one answer in it.

use qianshou_chat::{ChatRequest, Constraint, FinishReason, Sampling};
use regex::Regex;
use serde_json::json;

use crate::engines;
use crate::schemas::fits;

/// How the template of such grammars is to be filled in.
const STEP: &str = include_str!("react.lark");

#[test]
fn a_step_that_ends_by_itself_is_a_call_or_an_answer() {
    let weather = json!({
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1, "maximum": 7}},
        "required": ["city"],
        "additionalProperties": false,
    });
    let keyword = Regex::new("(?m)^(?:Action|Action Input|Observation|Final Answer)[:：]").unwrap();
    let call = Regex::new(r"(?s)\AThought:(.*?)\nAction: (.*?)\nAction Input: (.*)\z").unwrap();
    let answer = Regex::new(r"(?s)\AThought:(.*?)\nFinal Answer: (.*)\z").unwrap();
    let (mut calls, mut answers) = (0, 0);
    for engine in engines::all() {
        for seed in 0..20 {
            let sampling = Sampling { temperature: Some(1.0), seed: Some(seed), ..Sampling::default() };
            let request = engines::request(Constraint::Grammar(STEP.to_owned()));
            let reply = engines::ask(engine, ChatRequest { sampling, ..request }).unwrap();
            if reply.finish == FinishReason::Length {
                continue;
            }
            let text = reply.text();
            let thought = if let Some(parts) = call.captures(&text) {
                calls += 1;
                let input = &parts[3];
                match &parts[2] {
                    "get_weather" => assert!(fits(&weather, input), "{text}"),
                    "get" => assert!(fits(&json!({"type": "object", "maxProperties": 0}), input), "{text}"),
                    "python" => assert!(input.starts_with("```") && input.ends_with("\n```"), "{text}"),
                    tool => panic!("no tool {tool}: {text}"),
                }
                parts[1].to_owned()
            } else {
                answers += 1;
                let parts = answer.captures(&text).unwrap_or_else(|| panic!("neither call nor answer: {text}"));
                assert!(!keyword.is_match(&format!(" {}", &parts[2])), "{text}");
                parts[1].to_owned()
            };
            assert!(!keyword.is_match(&format!(" {thought}")), "{text}");
            assert!(!engines::has_control(engine, &reply));
        }
    }
    assert!(calls > 3 && answers > 3, "{calls} calls and {answers} answers");
}
