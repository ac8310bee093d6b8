//! Tools without a trait: a function with an attribute, and a closure that holds state.
//!
//! cargo run --release --example 03_tool_from_a_function
//! cargo run --release --example 03_tool_from_a_function "Add milk to the shopping list."

#![expect(clippy::print_stdout, reason = "an example talks on stdout")]

use std::sync::{Arc, Mutex, PoisonError};

use qianshou::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

/// Converts an amount of money from one currency to another.
#[tool]
async fn convert_currency(
    /// The amount
    amount: f64,
    /// Code of the currency that it is in, for example USD
    from: String,
    /// Code of the currency that is wanted, for example CNY
    to: String,
) -> Result<String, ToolError> {
    let in_yuan = |code: &str| match code {
        "CNY" => Ok(1.0),
        "USD" => Ok(7.0),
        "EUR" => Ok(8.0),
        other => Err(ToolError::new(format!("no rate for {other}; known are CNY, USD and EUR"))),
    };
    Ok(format!("{amount} {from} = {} {to}", amount * in_yuan(&from)? / in_yuan(&to)?))
}

#[derive(Deserialize, JsonSchema)]
struct Item {
    /// What to buy
    item: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let question = std::env::args().nth(1).unwrap_or_else(|| "How much is 20 USD in CNY?".to_owned());
    let list = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&list);
    let add =
        tool_fn("add_to_shopping_list", "Adds an item to the shopping list.", move |item: Item, _: ToolContext| {
            let kept = Arc::clone(&kept);
            async move {
                kept.lock().unwrap_or_else(PoisonError::into_inner).push(item.item);
                Ok("added".into())
            }
        });
    let agent = Agent::builder(qianshou::tiny().await?).tool(convert_currency {}).any_tool(Arc::new(add)).build()?;
    println!("{}", agent.run(question).await?.text());
    println!("shopping list: {:?}", list.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(())
}
