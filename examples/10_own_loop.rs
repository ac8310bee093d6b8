//! Your own loop over the state machine: it says what is to be done next, and you do it as you like.
//!
//! cargo run --release --example 10_own_loop

#![expect(clippy::print_stdout, reason = "an example talks on stdout")]

use futures_util::StreamExt as _;
use qianshou::agent::{AnyTool, Decision, Input, Step};
use qianshou::prelude::*;
use qianshou::tools::Calculator;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let model = qianshou::tiny().await?;
    let agent = Agent::builder(model.clone()).tool(Calculator).build()?;
    let mut run = agent.start("What is 37 * 48 + 12?")?;
    let answer = loop {
        match run.next() {
            Step::Model(request) => {
                let mut events = model.stream(*request).await?;
                while let Some(event) = events.next().await {
                    run.feed(Input::Model(event?));
                }
            }
            Step::Approval(calls) => {
                for call in calls {
                    run.feed(Input::Decision { call: call.id, decision: Decision::Allow });
                }
            }
            Step::Tools(calls) => {
                for call in calls {
                    println!("{} {}", call.name, call.arguments);
                    // There is one tool. Which arguments fit was checked before the call came here.
                    let outcome = AnyTool::call(&Calculator, call.arguments, &ToolContext::default()).await;
                    run.feed(Input::Tool { call: call.id, outcome: outcome.into() });
                }
            }
            Step::Finished(answer) => break answer,
        }
        // Between two steps the run can be saved: `run.state()` is plain data.
        println!("{} bytes of state", serde_json::to_vec(run.state())?.len());
    };
    println!("{}", answer.text());
    Ok(())
}
