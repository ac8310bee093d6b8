//! Asking somebody before a tool runs.

use std::future::Future;

use async_trait::async_trait;

use crate::{Decision, ToolCall};

/// Decides whether calls may run; see [`AgentBuilder::approval`](crate::AgentBuilder::approval).
///
/// Every async function from a call to a decision is one.
#[async_trait]
pub trait Approval: Send + Sync {
    /// Decides about a call, or returns `None` when nobody can decide now: the run is then suspended.
    ///
    /// Calls are asked about one by one. When the run is cancelled or out of time meanwhile, the future
    /// is dropped.
    async fn decide(&self, call: &ToolCall) -> Option<Decision>;
}

#[async_trait]
impl<Function, Deciding> Approval for Function
where
    Function: Fn(ToolCall) -> Deciding + Send + Sync,
    Deciding: Future<Output = Option<Decision>> + Send,
{
    async fn decide(&self, call: &ToolCall) -> Option<Decision> {
        self(call.clone()).await
    }
}
