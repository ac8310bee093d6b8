//! Work that holds up its thread.

use qianshou_agent::ToolError;

/// Does `work` on a thread that may wait. When it panics, so does this: what follows from that is for the
/// loop to say, as with any tool.
pub(crate) async fn blocking<Done: Send + 'static>(
    work: impl FnOnce() -> Result<Done, ToolError> + Send + 'static,
) -> Result<Done, ToolError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(ToolError::new("the program is ending")),
        },
    }
}
