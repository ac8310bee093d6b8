//! A call that somebody must allow: it is shown, and runs or is denied as they say.
//!
//! cargo run --release --example 05_approval

#![expect(clippy::print_stdout, reason = "an example talks on stdout")]

use std::io::Write as _;

use qianshou::agent::{Decision, ToolCall};
use qianshou::prelude::*;

/// Sends an email.
#[tool]
async fn send_email(
    /// Address of the receiver
    to: String,
    /// Text of the message
    body: String,
) -> String {
    format!("sent {} characters to {to}", body.len())
}

/// Asks at the terminal.
async fn ask(call: ToolCall) -> Option<Decision> {
    print!("The model wants {} with {}. Allow? [y/N] ", call.name, call.arguments);
    std::io::stdout().flush().ok()?;
    let answer = tokio::task::spawn_blocking(|| std::io::stdin().lines().next()).await.ok()?;
    // With the terminal closed nobody can decide now: the run is suspended, and could be saved and resumed.
    let answer = answer?.ok()?;
    Some(match answer.trim() {
        "y" => Decision::Allow,
        _ => Decision::Deny { reason: "the user does not want this email".to_owned() },
    })
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let agent = Agent::builder(qianshou::tiny().await?).tool(send_email {}).approval(ask).build()?;
    let answer = agent.run("Send an email to ada@example.org that says: the report is ready.").await?;
    println!("{}", answer.text());
    Ok(())
}
