//! Tools that are offered and never run: what counts is the call.

use std::sync::Arc;

use async_trait::async_trait;
use qianshou_agent::{AnyTool, ToolContext, ToolError, ToolOutput, ToolSpec};
use serde_json::Value;

/// A tool that only has a spec.
#[derive(Debug)]
struct Stub(ToolSpec);

#[async_trait]
impl AnyTool for Stub {
    fn spec(&self) -> ToolSpec {
        self.0.clone()
    }

    async fn call(&self, _: Value, _: &ToolContext) -> Result<ToolOutput, ToolError> {
        Ok("ok".into())
    }
}

/// Tools with these specs that answer `ok` to everything.
pub(crate) fn stubs(specs: &[ToolSpec]) -> Vec<Arc<dyn AnyTool>> {
    specs.iter().map(|spec| Arc::new(Stub(spec.clone())) as Arc<dyn AnyTool>).collect()
}
