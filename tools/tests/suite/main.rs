#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
//! The built-in tools as an agent calls them.

mod files;
mod http_get;
mod manifests;
mod server;
mod web_search;

use qianshou_agent::{AnyTool, ToolContext};
use serde_json::Value;

/// What the model reads, and after it what only the operator does.
async fn told(tool: &dyn AnyTool, arguments: Value) -> String {
    match tool.call(arguments, &ToolContext::default()).await {
        Ok(output) => output.text,
        Err(error) => format!("error: {error}"),
    }
}
