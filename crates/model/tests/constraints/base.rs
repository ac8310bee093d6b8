//! Constraints on real weights, with the vocabulary of 49 thousand tokens.

use std::path::PathBuf;
use std::sync::LazyLock;

use qianshou_chat::{ChatRequest, Constraint, FinishReason, Message, Sampling};
use qianshou_model::{Checkpoint, ComputeDevice, Engine};
use serde_json::{Value, json};

use crate::engines::{ask, has_control};
use crate::schemas::fits;

static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let path = std::env::var_os("QIANSHOU_BASE")
        .expect("QIANSHOU_BASE is not set: run `cargo xtask test`, which fetches the base model");
    let checkpoint = Checkpoint::open(&PathBuf::from(path)).unwrap();
    Engine::load("base", checkpoint, ComputeDevice::cpu(), None).unwrap()
});

fn question(text: &str) -> ChatRequest {
    let system = "You are a helpful AI assistant named SmolLM, trained by Hugging Face";
    ChatRequest { max_tokens: Some(60), ..ChatRequest::new([Message::system(system), Message::user(text)]) }
}

#[test]
fn a_constraint_that_allows_everything_changes_nothing() {
    for text in ["What is the capital of France?", "Say hello in Chinese, with a flower emoji."] {
        let free = ChatRequest { sampling: Sampling::greedy(), ..question(text) };
        let constraint = Some(Constraint::Regex("(?s:.*)".to_owned()));
        let constrained = ask(&ENGINE, ChatRequest { constraint, ..free.clone() }).unwrap();
        let free = ask(&ENGINE, free).unwrap();
        assert_eq!(free.message, constrained.message);
        assert_eq!((free.finish, free.usage.generated), (constrained.finish, constrained.usage.generated));
    }
}

#[test]
fn the_answer_comes_in_the_form_that_is_asked_for() {
    let schema = json!({
        "type": "object",
        "properties": {"capital": {"type": "string", "maxLength": 20}, "country": {"enum": ["France", "Spain"]}},
        "required": ["capital", "country"],
        "additionalProperties": false,
    });
    let request = ChatRequest {
        constraint: Some(Constraint::JsonSchema(schema.clone())),
        ..question("What is the capital of France? Answer in JSON with \"capital\" and \"country\".")
    };
    let reply = ask(&ENGINE, request).unwrap();
    assert_eq!(reply.finish, FinishReason::EndOfTurn, "{}", reply.text());
    assert!(fits(&schema, &reply.text()));
    let answer: Value = serde_json::from_str(&reply.text()).unwrap();
    assert_eq!(answer, json!({"capital": "Paris", "country": "France"}));
}

#[test]
fn characters_of_several_tokens_are_written() {
    let request =
        ChatRequest { constraint: Some(Constraint::Regex("千手：(🌸|🌻)+!".to_owned())), ..question("Hi") };
    let reply = ask(&ENGINE, request).unwrap();
    assert!(reply.text().starts_with("千手：🌸") || reply.text().starts_with("千手：🌻"), "{}", reply.text());
    assert!(!has_control(&ENGINE, &reply));
}
