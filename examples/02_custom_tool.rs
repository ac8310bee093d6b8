//! An agent with a tool of your own: one struct for the arguments, one `impl`.
//!
//! cargo run --release --example 02_custom_tool
//! cargo run --release --example 02_custom_tool "Is it warm in Oslo?"

#![expect(clippy::print_stdout, reason = "an example talks on stdout")]

use futures_util::StreamExt as _;
use qianshou::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

/// Gets the current weather for a city.
#[derive(Deserialize, JsonSchema)]
struct WeatherArgs {
    /// The city, for example Hangzhou
    city: String,
}

struct Weather;

impl Tool for Weather {
    type Args = WeatherArgs;

    fn spec(&self) -> ToolSpec {
        ToolSpec::new::<WeatherArgs>("weather")
    }

    async fn call(&self, args: WeatherArgs, _: &ToolContext) -> Result<ToolOutput, ToolError> {
        // A real tool would ask a service here.
        let degrees = 10 + args.city.len() % 20;
        Ok(format!("{}: {degrees} °C, clear", args.city).into())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let question = std::env::args().nth(1).unwrap_or_else(|| "What is the weather in Hangzhou?".to_owned());
    let agent = Agent::builder(qianshou::tiny().await?).tool(Weather).build()?;
    let mut events = agent.stream(question);
    while let Some(event) = events.next().await {
        match event? {
            Event::ToolStarted { name, arguments, .. } => println!("calls {name} with {arguments}"),
            Event::Observation { observation, .. } => println!("observes {}", observation.text),
            Event::Finished { answer } => println!("answers {}", answer.text()),
            _ => {}
        }
    }
    Ok(())
}
