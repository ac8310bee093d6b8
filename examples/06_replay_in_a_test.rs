//! A unit test of an agent that needs no model: a run is recorded once, and replayed from then on.
//!
//! cargo test --release -p qianshou --example 06_replay_in_a_test
//! cargo run --release --example 06_replay_in_a_test    # records it again, with the default model

#![expect(clippy::print_stdout, reason = "an example talks on stdout")]

use std::sync::Arc;

use qianshou::chat::Recorder;
use qianshou::prelude::*;
use qianshou::tools::Calculator;

const RECORDING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/data/replay.jsonl");
const QUESTION: &str = "What is 37 * 48 + 12?";

/// What is under test: the program's own agent, whatever the model behind it.
fn accountant(model: Arc<dyn ChatModel>) -> Result<Agent, Box<dyn std::error::Error>> {
    Ok(Agent::builder(model).tool(Calculator).build()?)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    if std::path::Path::new(RECORDING).exists() {
        std::fs::remove_file(RECORDING)?;
    }
    let model = Recorder::create(qianshou::tiny().await?, RECORDING)?;
    println!("recorded: {}", accountant(Arc::new(model))?.run(QUESTION).await?.text());
    Ok(())
}

#[cfg(test)]
mod tests {
    use qianshou::chat::Replay;

    use super::*;

    #[tokio::test]
    async fn the_accountant_calculates() -> Result<(), Box<dyn std::error::Error>> {
        let answer = accountant(Arc::new(Replay::open(RECORDING)?))?.run(QUESTION).await?;
        assert_eq!(answer.steps[0].calls[0].name, "calculator");
        assert!(answer.text().contains("1788"));
        Ok(())
    }
}
