//! Native tool calls (`<tool_call>` of Qwen 2.5 and 3): several in one reply, which run at once.
//!
//! cargo run --release --example 09_parallel_native_calls
//! cargo run --release --example 09_parallel_native_calls -- path/to/Qwen2.5-7B-Instruct

#![expect(clippy::print_stdout, reason = "an example talks on stdout")]

use std::sync::Arc;
use std::time::Duration;

use qianshou::agent::Native;
use qianshou::chat::{ChatModel, ScriptedModel};
use qianshou::prelude::*;
use qianshou::{LoadOptions, ModelSpec};

/// Gets the current weather for a city.
#[tool]
async fn weather(
    /// The city
    city: String,
) -> String {
    tokio::time::sleep(Duration::from_millis(500)).await;
    format!("{city}: 21 °C, clear")
}

/// What a Qwen 2.5 would say. The default model does not know native calls.
const REPLIES: [&str; 2] = [
    "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Hangzhou\"}}\n</tool_call>\n\
     <tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Oslo\"}}\n</tool_call>",
    "It is clear in both cities.",
];

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let model: Arc<dyn ChatModel> = match std::env::args().nth(1) {
        Some(spec) => spec.parse::<ModelSpec>()?.load(LoadOptions::default(), &|_| {}).await?,
        None => Arc::new(ScriptedModel::new(REPLIES)),
    };
    let agent = Agent::builder(model).tool(weather {}).protocol(Native::default()).build()?;
    let start = std::time::Instant::now();
    let answer = agent.run("How is the weather in Hangzhou and in Oslo?").await?;
    for call in answer.steps.iter().flat_map(|step| &step.calls) {
        println!("{}: {}", call.input, call.observation.as_ref().map_or("", |observation| &observation.text));
    }
    println!("{} ({:.1} s)", answer.text(), start.elapsed().as_secs_f64());
    Ok(())
}
