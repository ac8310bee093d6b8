//! A Qwen model in your Rust process, thinking in ReAct steps, with typed tools.
//!
//! This crate puts the rooms of the house together: models ([`tiny`], [`ModelSpec`]), the agent and its
//! tools. [`prelude`] holds what most programs use.
//!
//! ```no_run
//! use qianshou::prelude::*;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let agent = Agent::builder(qianshou::tiny().await?).tool(qianshou::tools::Calculator).build()?;
//! let answer = agent.run("What is 37 * 48 + 12?").await?;
//! println!("{}", answer.text());
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

pub mod base;
mod load;
mod tiny;

pub use load::{LoadError, LoadOptions, ModelSpec};
pub use qianshou_agent as agent;
pub use qianshou_bench as bench;
pub use qianshou_chat as chat;
pub use qianshou_interpreter as interpreter;
pub use qianshou_macros::facade_tool as tool;
pub use qianshou_model as model;
pub use qianshou_prompts as prompts;
pub use qianshou_remote as remote;
pub use qianshou_tokenizer as tokenizer;
pub use qianshou_tools as tools;
pub use tiny::{TINY_ADAPTER, load_tiny, tiny};

/// What most programs use.
pub mod prelude {
    pub use qianshou_agent::{Agent, Chat, Event, Tool, ToolContext, ToolError, ToolOutput, ToolSpec, tool_fn};
    pub use qianshou_chat::{ChatModel, ChatRequest, Message, Sampling};
    pub use qianshou_macros::facade_tool as tool;
}
