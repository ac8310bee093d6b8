//! Everything that happens in a run, as it happens.
//!
//! cargo run --release --example 04_streaming_events

#![expect(clippy::print_stdout, reason = "an example talks on stdout")]

use std::io::Write as _;

use futures_util::StreamExt as _;
use qianshou::prelude::*;
use qianshou::tools::default_tools;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let agent = Agent::builder(qianshou::tiny().await?).any_tools(default_tools()).build()?;
    let mut events = agent.stream("What is 12.5 * 8 - 3?");
    while let Some(event) = events.next().await {
        match event? {
            Event::StepStarted { step } => print!("\nstep {step}: "),
            Event::ThoughtDelta { text } | Event::ArgumentsDelta { text, .. } => print!("{text}"),
            Event::Action { name, .. } => print!("\n  calls {name} with "),
            Event::Observation { observation, .. } => print!("\n  observes {}", observation.text),
            Event::AnswerDelta { text } => print!("{text}"),
            Event::StepUsage { usage, .. } => {
                print!(
                    "\n  [{} tokens reused, {} computed, {} generated]",
                    usage.cached, usage.computed, usage.generated
                );
            }
            Event::Finished { answer } => println!("\n{}", answer.stop_reason),
            // Approvals: see `05_approval`; warnings are left out here.
            _ => {}
        }
        std::io::stdout().flush()?;
    }
    Ok(())
}
