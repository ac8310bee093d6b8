//! The default model does what its adapter was trained for.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::sync::{Arc, Mutex, PoisonError};

use qianshou::LoadOptions;
use qianshou::agent::{Agent, AnyTool, Protocol, ReAct, ToolOutput, ToolSpec, Turn, tool_fn};
use qianshou::chat::{Capabilities, ChatModel, ChatRequest, Message, Sampling};
use qianshou::model::{DeviceChoice, Engine};
use qianshou::tokenizer::ChatMl;
use qianshou::tools::default_tools;
use serde_json::{Value, json};

fn on_cpu() -> LoadOptions {
    LoadOptions { device: DeviceChoice::Cpu, ..LoadOptions::default() }
}

/// The default model, loaded once a process.
async fn tiny() -> Arc<Engine> {
    static LOADED: Mutex<Option<Arc<Engine>>> = Mutex::new(None);
    if let Some(engine) = LOADED.lock().unwrap_or_else(PoisonError::into_inner).clone() {
        return engine;
    }
    std::env::var_os("QIANSHOU_BASE")
        .expect("QIANSHOU_BASE is not set: run `cargo xtask test`, which fetches the base model");
    let engine = qianshou::load_tiny(on_cpu(), &|_| {}).await.unwrap();
    LOADED.lock().unwrap_or_else(PoisonError::into_inner).insert(engine).clone()
}

fn lines(text: &str) -> impl Iterator<Item = Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap())
}

/// A tool's spec that shows the case's `parameters` as they are.
fn spec(tool: &Value) -> ToolSpec {
    ToolSpec::from_plugin(&json!({
        "name_for_human": tool.get("name_for_human").unwrap_or(&tool["name"]),
        "name_for_model": tool["name"],
        "description_for_model": tool["description"],
        "parameters": tool["parameters"],
        "args_format": tool.get("args_format").unwrap_or(&json!("json")),
    }))
    .unwrap()
}

#[tokio::test]
async fn prompts_and_first_steps_equal_those_of_peft() {
    let engine = tiny().await;
    let chat_ml = ChatMl::new(engine.tokenizer()).unwrap();
    let protocol = ReAct::default();
    for case in lines(include_str!("data/adapter-cases.jsonl")) {
        let question = case["question"].as_str().unwrap();
        let tools: Vec<ToolSpec> = case["tools"].as_array().unwrap().iter().map(spec).collect();
        let request = protocol.request(&Turn {
            system: &[Message::system("You are a helpful assistant.")],
            conversation: &[Message::user(question)],
            steps: &[],
            steps_left_out: 0,
            tools: &tools,
            capabilities: Capabilities::default(),
        });
        assert_eq!(chat_ml.render(&request.messages, false).unwrap(), case["prompt"].as_str().unwrap());
        assert_eq!(json!(chat_ml.encode(&request.messages, false).unwrap()), case["prompt_ids"]);

        let request = ChatRequest { sampling: Sampling::greedy(), ..request };
        let reply = engine.complete(request).await.unwrap();
        assert_eq!(reply.text(), case["greedy"].as_str().unwrap(), "{question}");
    }
}

/// What the built-in tools say of themselves is what the adapter was trained on.
#[test]
fn the_built_in_tools_are_those_of_the_cases() {
    let case = lines(include_str!("data/adapter-cases.jsonl")).find(|case| case["tools"][3]["name"] == "list_files");
    let tools = case.unwrap()["tools"].as_array().unwrap().clone();
    let shown = |spec: &ToolSpec| json!([spec.name, spec.name_for_people, spec.description, spec.parameters]);
    for (tool, expected) in default_tools().iter().zip(&tools) {
        assert_eq!(shown(&tool.spec()).to_string(), shown(&spec(expected)).to_string());
    }
}

#[tokio::test]
async fn arithmetic_is_answered_through_the_calculator() {
    let model: Arc<Engine> = tiny().await;
    let agent = Agent::builder(model).any_tools(default_tools()).build().unwrap();
    let mut wrong = Vec::new();
    for case in lines(include_str!("data/arithmetic.jsonl")) {
        let (question, expected) = (case["question"].as_str().unwrap(), case["answer"].as_str().unwrap());
        let answer = agent.run(question).await.unwrap();
        let called = answer.steps.iter().flat_map(|step| &step.calls).any(|call| call.name == "calculator");
        let numbers: String = answer.text().replace(',', "");
        let mut numbers = numbers.split(|c: char| !c.is_ascii_digit() && c != '.').map(|n| n.trim_matches('.'));
        let right = numbers.any(|number| number == expected);
        if question.starts_with("What is 37 * 48") {
            assert!(right && called, "{}", answer.text());
        }
        if !(right && called) {
            wrong.push(format!("{question} -> {}", answer.text()));
        }
    }
    assert!(wrong.len() <= 2, "{} of 20 are wrong: {wrong:#?}", wrong.len());
}

#[tokio::test]
async fn a_tool_that_the_model_never_saw_is_called() {
    #[derive(serde::Deserialize, schemars::JsonSchema)]
    struct MoonPhaseArgs {
        /// The date, for example 2026-03-01
        #[expect(dead_code, reason = "what matters is that the model fills it in")]
        date: String,
    }
    let moon = tool_fn("moon_phase", "Tells the phase of the moon on a date.", |_: MoonPhaseArgs, _| async {
        Ok(ToolOutput::from("waxing gibbous"))
    });
    let moon: Arc<dyn AnyTool> = Arc::new(moon);
    let model: Arc<Engine> = tiny().await;
    let agent = Agent::builder(model).any_tools(default_tools().into_iter().chain([moon])).build().unwrap();
    let answer = agent.run("What is the phase of the moon on 2026-11-24?").await.unwrap();
    let calls: Vec<&str> = answer.steps.iter().flat_map(|step| &step.calls).map(|call| call.name.as_str()).collect();
    assert_eq!(calls, ["moon_phase"], "{answer}");
    assert!(answer.text().contains("gibbous"), "{answer}");
}

#[tokio::test]
async fn later_steps_compute_only_what_is_new() {
    // A model of its own: the others' requests would come between the steps.
    let model: Arc<Engine> = qianshou::load_tiny(on_cpu(), &|_| {}).await.unwrap();
    let agent = Agent::builder(model).any_tools(default_tools()).build().unwrap();
    let answer = agent.run("What is 37 * 48 + 12?").await.unwrap();
    let [first, second] = answer.steps.as_slice() else {
        panic!("two steps, found {}", answer.steps.len());
    };
    // Of the second prompt only the observation and its seams are new.
    assert!(second.usage.cached > first.usage.prompt());
    assert!(second.usage.computed < 24, "{:?}", second.usage);
}
