//! The default model: SmolLM2-135M-Instruct with the embedded ReAct adapter.

use std::sync::Arc;

use qianshou_model::{Adapter, Engine};

use crate::base::{self, Progress, Settings};
use crate::{LoadError, LoadOptions};

/// The two files of the adapter; how it was made stands in `adapter/README.md`.
const ADAPTER_CONFIG: &[u8] = include_bytes!("../adapter/adapter_config.json");
/// The tensors of the default model's adapter, in safetensors: what tells one version of it from another.
pub const TINY_ADAPTER: &[u8] = include_bytes!("../adapter/adapter_model.safetensors");

/// Loads the default model on the CPU or a GPU, whichever is there; fetches its base (98 MB) on first use.
///
/// Needs a Tokio runtime. The base is looked for where `QIANSHOU_BASE` or `QIANSHOU_HOME` say, else in the
/// platform's folder for user data.
///
/// ```no_run
/// use qianshou::prelude::*;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let model = qianshou::tiny().await?;
/// let reply = model.complete(ChatRequest::new([Message::user("What is the capital of France?")])).await?;
/// println!("{}", reply.text());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When the base cannot be had, with the ways out in the error's [hint](LoadError::hint).
pub async fn tiny() -> Result<Arc<Engine>, LoadError> {
    load_tiny(LoadOptions::default(), &|_| {}).await
}

/// As [`tiny`], with options (an adapter among them replaces the embedded one) and with progress of a first
/// fetch.
///
/// # Errors
/// As [`tiny`], and when an option cannot be had.
pub async fn load_tiny(
    options: LoadOptions,
    report: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Arc<Engine>, LoadError> {
    // A device that is not there is told before anything is fetched.
    let device = options.open_device()?;
    let path = base::locate_or_fetch(&Settings::from_env(), report).await?;
    let checkpoint = options.open_checkpoint(&path)?;
    let adapter = match options.adapter {
        Some(adapter) => adapter,
        None => Adapter::from_bytes("embedded in qianshou", ADAPTER_CONFIG, TINY_ADAPTER)?,
    };
    Ok(Arc::new(Engine::load("tiny", checkpoint, device, Some(adapter))?))
}
