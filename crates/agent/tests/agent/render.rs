#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
//! Rendered prompts against those that models were trained on, byte for byte.

use qianshou_agent::{Protocol as _, ReAct, ToolSpec};
use qianshou_chat::{Message, Role};
use serde_json::{Value, json};

fn rows(text: &str) -> impl Iterator<Item = Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn chatml(messages: &[Message]) -> String {
    let turns = messages.iter().map(|message| {
        let role = message.role.as_str();
        format!("<|im_start|>{role}\n{}<|im_end|>\n", message.text())
    });
    turns.collect::<String>() + "<|im_start|>assistant\n"
}

#[test]
fn prompts_equal_the_official_example_s() {
    let mut count = 0;
    for row in rows(include_str!("goldens/react_prompts.jsonl")) {
        let tools: Vec<_> =
            row["tools"].as_array().unwrap().iter().map(|tool| ToolSpec::from_plugin(tool).unwrap()).collect();
        let mut conversation = vec![Message::system("You are a helpful assistant.")];
        for turn in row["history"].as_array().unwrap() {
            conversation.push(Message::user(text(&turn["user"])));
            conversation.push(Message::assistant(text(&turn["bot"])));
        }
        conversation.push(Message::user(text(&row["query"])));
        let messages = ReAct::default().render(&conversation, &tools);
        assert_eq!(chatml(&messages), text(&row["prompt"]));
        count += 1;
    }
    assert_eq!(count, 100);
}

#[test]
fn prompts_equal_those_that_the_adapter_was_trained_on() {
    let mut count = 0;
    for row in rows(include_str!("goldens/adapter_cases.jsonl")) {
        let spec = |tool: &Value| {
            let manifest = json!({
                "name_for_model": tool["name"],
                "name_for_human": tool["name"],
                "description_for_model": tool["description"],
                "parameters": tool["parameters"],
            });
            ToolSpec::from_plugin(&manifest).unwrap()
        };
        let tools: Vec<_> = row["tools"].as_array().unwrap().iter().map(spec).collect();
        let conversation = [Message::system("You are a helpful assistant."), Message::user(text(&row["question"]))];
        let messages = ReAct::default().names_joined_by(",").render(&conversation, &tools);
        assert_eq!(chatml(&messages), text(&row["prompt"]));
        count += 1;
    }
    assert_eq!(count, 22);
}

/// The built-in tools show exactly what the adapter was trained on.
#[test]
fn the_built_in_tools_are_those_of_the_cases() {
    let row = rows(include_str!("goldens/adapter_cases.jsonl")).next().unwrap();
    let shown = |spec: &ToolSpec| {
        let parameters = qianshou_agent::python_json(&spec.parameters);
        (spec.name.clone(), spec.name_for_people.clone(), spec.description.clone(), parameters)
    };
    let expected: Vec<_> = row["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| {
            let name = text(&tool["name"]).to_owned();
            let parameters = qianshou_agent::python_json(&tool["parameters"]);
            (name.clone(), name, text(&tool["description"]).to_owned(), parameters)
        })
        .collect();
    let tools = qianshou_tools::default_tools();
    let actual: Vec<_> = tools.iter().map(|tool| shown(&tool.spec())).collect();
    assert_eq!(actual, expected);
}

#[test]
fn an_observation_begins_on_a_line_of_its_own_and_moves_nothing() {
    for (written, expected) in [
        ("Action Input: {}\n", "Action Input: {}\nObservation: 5\nThought:"),
        ("Action Input: {}", "Action Input: {}\nObservation: 5\nThought:"),
        ("Action Input: {}\n\n", "Action Input: {}\n\nObservation: 5\nThought:"),
    ] {
        let mut messages = vec![Message::user("q"), Message { role: Role::Assistant, content: Vec::new() }];
        messages[1].push_generated(written, &[1, 2]);
        let before = messages[1].content.clone();
        ReAct::default().observe(&mut messages, &["5"]);
        assert_eq!(messages[1].text(), expected);
        assert_eq!(messages[1].content[..1], before);
    }
}
