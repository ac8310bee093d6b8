//! An agent: a chat model that thinks in steps, calls typed tools, and answers.
//!
//! ```
//! use std::sync::Arc;
//!
//! use qianshou_agent::{Agent, Tool, ToolContext, ToolError, ToolOutput, ToolSpec};
//! use qianshou_chat::ScriptedModel;
//!
//! /// Current weather of a city.
//! #[derive(serde::Deserialize, schemars::JsonSchema)]
//! struct WeatherArgs {
//!     /// City, for example "Hangzhou".
//!     city: String,
//! }
//!
//! struct Weather;
//!
//! impl Tool for Weather {
//!     type Args = WeatherArgs;
//!
//!     fn spec(&self) -> ToolSpec {
//!         ToolSpec::new::<WeatherArgs>("weather")
//!     }
//!
//!     async fn call(&self, args: WeatherArgs, _: &ToolContext) -> Result<ToolOutput, ToolError> {
//!         Ok(format!("{}: 21 °C, clear", args.city).into())
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Any chat model; this one reads from a script.
//! let model = ScriptedModel::new([
//!     "Thought: I need the weather.\nAction: weather\nAction Input: {\"city\": \"Hangzhou\"}\n",
//!     " I now know the final answer\nFinal Answer: It is clear, at 21 °C.",
//! ]);
//! let agent = Agent::builder(Arc::new(model)).tool(Weather).build()?;
//! let answer = agent.run("How is the weather in Hangzhou?").await?;
//! assert_eq!(answer.text(), "It is clear, at 21 °C.");
//! # Ok(())
//! # }
//! ```
//!
//! From the inside out: [`Tool`] is what authors write and [`AnyTool`] what everything else holds; a
//! [`Protocol`] says how a model is asked and how its text is read ([`ReAct`]); [`AgentRun`] is the loop,
//! a state machine without I/O that can be saved at any point; [`Agent`] drives it with a model and
//! tools. What the model or a tool gets wrong becomes an observation that the model can react to; what
//! is ours to mend ends the run with an error.

#![forbid(unsafe_code)]

mod agent;
mod approval;
mod arguments;
#[doc(hidden)]
pub mod attribute;
mod budget;
mod builder;
mod chat;
mod context;
mod driver;
mod error;
mod event;
mod limits;
mod native;
mod observation;
mod output;
mod protocol;
mod python_json;
mod react;
mod record;
mod repair;
mod reply;
mod run;
mod schema;
mod spec;
mod state;
mod step;
mod tool;
mod toolbox;
mod transcript;
mod trimmed;
mod work;

pub use agent::Agent;
pub use approval::Approval;
pub use arguments::ArgumentStage;
pub use builder::AgentBuilder;
pub use chat::{Chat, ChatTurn};
pub use context::ToolContext;
pub use driver::EventStream;
pub use error::{BuildError, RunError};
pub use event::{Event, Warning};
pub use limits::{CostLimit, Limits, Prices};
pub use native::Native;
pub use output::{Artifact, ToolError, ToolOutput};
pub use protocol::{Conversation, Protocol, StepEvent, StepReader, TakenStep, Turn};
pub use python_json::python_json;
pub use qianshou_macros::tool;
pub use react::{ReAct, ReActConstraint};
pub use record::{Answer, CallRecord, Observation, ObservationKind, StepRecord, StopReason};
pub use run::AgentRun;
pub use schema::SchemaError;
pub use spec::{ArgumentsFormat, PluginError, ToolSpec};
pub use state::RunState;
pub use step::{Decision, Input, Interruption, Step, ToolCall, ToolOutcome};
pub use tool::{AnyTool, FunctionTool, Tool, tool_fn};
use toolbox::nearest;
pub use transcript::{
    CallOutcome, DecidedCall, Detail, Ending, Paragraph, ParagraphKind, Record, RecordedRun, RunHeader, StepOutcome,
    TRANSCRIPT_VERSION, TimedRecord, Transcript, TranscriptError, TranscriptWriter,
};
