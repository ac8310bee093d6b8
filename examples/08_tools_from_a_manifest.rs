//! A tool that is a service, described by a manifest: no code.
//!
//! cargo run --release --example 08_tools_from_a_manifest
//! cargo run --release --example 08_tools_from_a_manifest -- tools/manifests "What is Rust, the language?"

#![expect(clippy::print_stdout, reason = "an example talks on stdout")]

use std::sync::Arc;

use qianshou::agent::AnyTool;
use qianshou::prelude::*;
use qianshou::tools::{ManifestTool, read_manifests};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// A service for the example, so that it runs without the internet: it knows one exchange rate.
async fn serve(listener: TcpListener) -> std::io::Result<()> {
    loop {
        let (mut connection, _) = listener.accept().await?;
        let read = connection.read(&mut [0; 4096]).await?;
        println!("the service was asked in {read} bytes");
        let body = r#"{"base": "EUR", "rates": {"CNY": 8.2}}"#;
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}", body.len());
        connection.write_all(format!("{head}\r\nconnection: close\r\n\r\n{body}").as_bytes()).await?;
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let tools: Vec<Arc<dyn AnyTool>> = match arguments.next() {
        Some(path) => read_manifests(path)?,
        None => {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let url = format!("http://{}/latest", listener.local_addr()?);
            tokio::spawn(serve(listener));
            vec![Arc::new(ManifestTool::new(&json!({
                "name_for_human": "Exchange rates",
                "name_for_model": "exchange_rates",
                "description_for_model": "Gets the exchange rates of a currency.",
                "parameters": [{"name": "base", "required": true, "schema": {"type": "string"}, "description": "Its code"}],
                "endpoint": {"url": url, "allow_private_addresses": true},
            }))?)]
        }
    };
    let question = arguments.next().unwrap_or_else(|| "What are the exchange rates of EUR?".to_owned());
    let agent = Agent::builder(qianshou::tiny().await?).any_tools(tools).build()?;
    println!("{}", agent.run(question).await?.text());
    Ok(())
}
