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
//! [`Protocol`] says how a model is asked and how its text is read ([`ReAct`], [`Native`]); [`AgentRun`] is
//! the loop, a state machine without I/O that can be saved at any point; [`Agent`] drives it with a model
//! and tools, and [`EventStream`] tells what happens; [`Chat`] keeps the history of several turns; a
//! [`Transcript`] is a run as it was written down, to be resumed, replayed and shown. What the model or a
//! tool gets wrong becomes an observation that the model can react to; what is ours to mend ends the run
//! with an error.

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
/// Makes a tool of a function. The doc comment of the function tells the model what the tool is for, and
/// those of its parameters describe them:
///
/// ```
/// use qianshou_agent::{AnyTool as _, ToolContext, tool};
///
/// /// Current weather of a city.
/// #[tool]
/// async fn weather(
///     /// City, for example "Hangzhou".
///     city: String,
///     /// How many days ahead; today by default.
///     days: Option<u32>,
/// ) -> String {
///     format!("{city} in {} days: 21 °C, clear", days.unwrap_or(0))
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// // The tool is the struct of the same name: `Agent::builder(model).tool(weather {})`.
/// let spec = weather {}.spec();
/// assert_eq!(spec.name, "weather");
/// assert_eq!(spec.description, "Current weather of a city.");
/// assert_eq!(spec.parameters["properties"]["city"]["description"], "City, for example \"Hangzhou\".");
/// assert_eq!(spec.parameters["required"], serde_json::json!(["city"]));
///
/// // The function is still there.
/// assert_eq!(weather("Oslo".to_owned(), None).await, "Oslo in 0 days: 21 °C, clear");
/// # }
/// ```
///
/// - **Functions** are free ones, `async` or not, without generics. One that is not `async` must not
///   block for long.
/// - **Parameters** are a name and a type that owns what it holds and has `Deserialize` and `JsonSchema`
///   (of the crates `serde` and `schemars`). An `Option` may be left out. `#[serde(…)]` and
///   `#[schemars(…)]` on a parameter do what they do on a field: `#[serde(default)]`, for example. The
///   last parameter may be a `ToolContext` or `&ToolContext`; the model does not see it.
/// - **Results** are text or a `ToolOutput`, or a `Result` of one of them. A `ToolError` is given on as
///   it is; of any other error the model reads the text of its `Display`, and the operator that of its
///   `{:#}`, which holds the causes where the error (as that of `anyhow`) writes them there.
/// - **Options**: `#[tool(name = "get-weather")]` names the tool otherwise than the function;
///   `#[tool(crate = "path::to::qianshou_agent")]` says where the library is, if it has another name in
///   your program.
///
/// What it expands to is nothing but a struct for the arguments and an `impl Tool`, which can be written
/// by hand as well.
///
/// Anything else is an error where it stands: a reference, for instance, or a result that is no text.
///
/// ```compile_fail
/// #[qianshou_agent::tool]
/// async fn weather(city: &str) -> String {
///     format!("{city}: 21 °C, clear")
/// }
/// ```
///
/// ```compile_fail,E0277
/// /// Adds two integers.
/// #[qianshou_agent::tool]
/// async fn add(a: i64, b: i64) -> i64 {
///     a + b
/// }
/// ```
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
