//! Chat models behind an OpenAI-compatible endpoint: vLLM, DashScope, llama.cpp, Ollama, and others.
//!
//! [`RemoteModel`] is a [`ChatModel`](qianshou_chat::ChatModel) like the engine. What a request asks for
//! either reaches the server or is an error: servers pass over fields that they do not know, so what each
//! kind of server knows is written down in [`Flavour`].
//!
//! - Everything up to the first event of a reply is tried again when it fails for a passing reason, at
//!   another endpoint if there is one, within the limits of [`Retries`]. Once something was said, a fault
//!   ends the stream with an error, whose source is a [`Failure`].
//! - No part of a stop string is emitted, whatever the server makes of them.
//! - The key comes from the environment, and is in no message of this crate.
//!
//! ```no_run
//! use qianshou_chat::{ChatModel, ChatRequest, Message};
//! use qianshou_remote::RemoteSpec;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let spec: RemoteSpec = "Qwen/Qwen2.5-7B-Instruct@http://localhost:8000/v1#vllm".parse()?;
//! let model = spec.builder().context_window(32_768).build()?;
//! let reply = model.complete(ChatRequest::new([Message::user("Capital of France?")])).await?;
//! println!("{}", reply.text());
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

mod address;
mod body;
mod builder;
mod calls;
mod chunk;
mod endpoint;
mod error;
mod failure;
mod flavour;
mod key;
mod messages;
mod model;
mod pieces;
mod pool;
mod reader;
mod reply;
mod retry;
mod server_message;
mod spec;

pub use builder::{RemoteBuilder, Timeouts};
pub use error::RemoteError;
pub use failure::Failure;
pub use flavour::Flavour;
pub use model::RemoteModel;
pub use retry::Retries;
pub use spec::RemoteSpec;
