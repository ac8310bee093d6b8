//! `#[tool]` in a program that depends on this crate alone.

use qianshou::agent::AnyTool;
use qianshou::prelude::*;

/// Adds two integers.
#[tool]
async fn add(a: i64, b: i64) -> Result<String, ToolError> {
    let sum = a.checked_add(b).ok_or("the sum is too large")?;
    Ok(sum.to_string())
}

#[tokio::test]
async fn the_attribute_finds_the_library_behind_the_facade() {
    assert_eq!(AnyTool::spec(&add {}).description, "Adds two integers.");
    let output = AnyTool::call(&add {}, serde_json::json!({"a": 1, "b": 2}), &ToolContext::default()).await;
    assert_eq!(output.map(|output| output.text).ok().as_deref(), Some("3"));
}
