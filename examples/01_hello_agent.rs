//! An agent in ten lines: the default model, a tool, a question.
//!
//! cargo run --release --example 01_hello_agent
//! cargo run --release --example 01_hello_agent "What is (17 + 4) * 12?"

#![expect(clippy::print_stdout, reason = "an example talks on stdout")]

use qianshou::prelude::*;
use qianshou::tools::Calculator;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let question = std::env::args().nth(1).unwrap_or_else(|| "What is 37 * 48 + 12?".to_owned());
    let agent = Agent::builder(qianshou::tiny().await?).tool(Calculator).build()?;
    println!("{}", agent.run(question).await?.text());
    Ok(())
}
