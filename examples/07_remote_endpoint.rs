//! The same agent on a model behind an OpenAI-compatible endpoint.
//!
//! cargo run --release --example 07_remote_endpoint -- qwen2.5-7b-instruct@http://localhost:8000/v1
//! DASHSCOPE_API_KEY=… cargo run --release --example 07_remote_endpoint -- qwen-plus@https://dashscope.aliyuncs.com/compatible-mode/v1

#![expect(clippy::print_stdout, reason = "an example talks on stdout")]

use std::sync::Arc;

use qianshou::prelude::*;
use qianshou::remote::RemoteSpec;
use qianshou::tools::default_tools;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let spec = std::env::args().nth(1).ok_or("name a model: NAME@URL")?;
    let spec: RemoteSpec = spec.parse()?;
    // Servers do not tell how long a conversation may be.
    let model = spec.builder().context_window(32_768).build()?;
    let agent = Agent::builder(Arc::new(model)).any_tools(default_tools()).build()?;
    println!("{}", agent.run("What is 37 * 48 + 12?").await?.text());
    Ok(())
}
