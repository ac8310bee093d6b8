//! Rendered prompts against those that models were trained on, byte for byte.

use qianshou_agent::{Observation, ObservationKind, Protocol as _, ReAct, StepRecord, TakenStep, ToolSpec, Turn};
use qianshou_chat::{Capabilities, Generated, Message, Part, Role};
use serde_json::Value;

use crate::common;

fn rows(text: &str) -> impl Iterator<Item = Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn render(protocol: &ReAct, conversation: &[Message], tools: &[ToolSpec]) -> Vec<Message> {
    protocol.request(&Turn { tools, ..common::turn(conversation) }).messages
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
    for row in rows(include_str!("../goldens/react_prompts.jsonl")) {
        let tools: Vec<_> =
            row["tools"].as_array().unwrap().iter().map(|tool| ToolSpec::from_plugin(tool).unwrap()).collect();
        let mut conversation = vec![Message::system("You are a helpful assistant.")];
        for turn in row["history"].as_array().unwrap() {
            conversation.push(Message::user(text(&turn["user"])));
            conversation.push(Message::assistant(text(&turn["bot"])));
        }
        conversation.push(Message::user(text(&row["query"])));
        let messages = render(&ReAct::default(), &conversation, &tools);
        assert_eq!(chatml(&messages), text(&row["prompt"]));
        count += 1;
    }
    assert_eq!(count, 100);
}

/// A step that was read in `reply`, with an observation.
fn step(reply: &str, observation: &str) -> TakenStep {
    let observation = Observation {
        kind: ObservationKind::Output,
        text: observation.to_owned(),
        diagnostics: None,
        artifacts: Vec::new(),
    };
    let reply = vec![Part::Generated(Generated { text: reply.to_owned(), ids: vec![1, 2] })];
    TakenStep { reply, record: StepRecord { no_action: Some(observation), ..common::empty_record() } }
}

#[test]
fn an_observation_begins_on_a_line_of_its_own_and_moves_nothing() {
    for (written, expected) in [
        ("Action Input: {}\n", "Action Input: {}\nObservation: 5\nThought:"),
        ("Action Input: {}", "Action Input: {}\nObservation: 5\nThought:"),
        ("Action Input: {}\n\n", "Action Input: {}\n\nObservation: 5\nThought:"),
    ] {
        let steps = [step(written, "5")];
        let request = ReAct::default().request(&Turn { steps: &steps, ..common::turn(&[Message::user("q")]) });
        assert!(request.continue_last);
        assert_eq!(request.messages[1].text(), expected);
        assert_eq!(request.messages[1].content[..1], steps[0].reply);
    }
}

#[test]
fn steps_that_were_left_out_leave_an_open_thought() {
    let steps = [step(" I add.\nAction: add\nAction Input: {}\n", "5")];
    let conversation = [Message::user("q")];
    let turn = Turn { steps: &steps, steps_left_out: 1, ..common::turn(&conversation) };
    let expected = "Thought: I add.\nAction: add\nAction Input: {}\nObservation: 5\nThought:";
    assert_eq!(ReAct::default().request(&turn).messages[1].text(), expected);
}

#[test]
fn a_turn_that_is_over_is_one_message_of_history() {
    let mut steps = vec![step("Thought: a\nAction: add\nAction Input: {}\n", "5"), step(" b\nAction: x", "6")];
    let whole = "Thought: a\nAction: add\nAction Input: {}\nObservation: 5\nThought: b\nAction: x\nObservation: 6";
    let [message] = &ReAct::default().history(&steps)[..] else { panic!("one message") };
    assert_eq!((message.role, message.text().as_str()), (Role::Assistant, whole));
    steps.clear();
    assert_eq!(ReAct::default().history(&steps), []);
}

/// The form of Qwen-Agent for models behind a chat API.
#[test]
fn a_model_that_cannot_continue_finds_the_steps_behind_the_question() {
    let steps = [
        step("Thought: a\nAction: add\nAction Input: {}\n", "5"),
        step("Thought: b\nAction: add\nAction Input: {}", "6"),
        step("c\nAction: add\nAction Input: {}", "7"),
    ];
    let conversation = [Message::user("q")];
    let capabilities = Capabilities { continue_last: false, ..common::EVERYTHING };
    let text = |count: usize| {
        let turn = Turn { steps: &steps[..count], capabilities, ..common::turn(&conversation) };
        let request = ReAct::default().request(&turn);
        assert!(!request.continue_last);
        assert_eq!(request.messages.len(), 1);
        request.messages[0].text()
    };
    let first = "q\nThought: a\nAction: add\nAction Input: {}\nObservation: 5\nThought:";
    let second = " b\nAction: add\nAction Input: {}\nObservation: 6\nThought:";
    let third = " c\nAction: add\nAction Input: {}\nObservation: 7\nThought:";
    assert_eq!(text(0), "q");
    assert_eq!(text(1), first);
    assert_eq!(text(2), [first, second].concat());
    assert_eq!(text(3), [first, second, third].concat());
}
