//! Tools: the typed trait that authors write, the object-safe one that everything else holds, and tools
//! from closures.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{ToolContext, ToolError, ToolOutput, ToolSpec};

/// A tool with typed arguments.
///
/// ```
/// use qianshou_agent::{Tool, ToolContext, ToolError, ToolOutput, ToolSpec};
///
/// /// Current weather of a city.
/// #[derive(serde::Deserialize, schemars::JsonSchema)]
/// struct WeatherArgs {
///     /// City, for example "Hangzhou".
///     city: String,
/// }
///
/// struct Weather;
///
/// impl Tool for Weather {
///     type Args = WeatherArgs;
///
///     fn spec(&self) -> ToolSpec {
///         ToolSpec::new::<WeatherArgs>("weather")
///     }
///
///     async fn call(&self, args: WeatherArgs, _: &ToolContext) -> Result<ToolOutput, ToolError> {
///         Ok(format!("{}: 21 °C, clear", args.city).into())
///     }
/// }
/// ```
pub trait Tool: Send + Sync {
    /// What the tool is called with.
    type Args: DeserializeOwned + JsonSchema + Send;

    /// Name, description and parameters; read once, when the tool is registered.
    fn spec(&self) -> ToolSpec;

    /// Does the work. A call that is cancelled or takes too long is stopped where it awaits; one that
    /// blocks its thread cannot be stopped, so that long work belongs on a thread of its own.
    ///
    /// # Errors
    /// Anything that keeps the tool from a result. It becomes an observation; the run goes on.
    fn call(
        &self,
        args: Self::Args,
        context: &ToolContext,
    ) -> impl Future<Output = Result<ToolOutput, ToolError>> + Send;
}

/// A tool behind a pointer: what the loop, lists and recordings hold. Every [`Tool`] is one; tools whose
/// parameters are only known at run time implement it directly.
#[async_trait]
pub trait AnyTool: Send + Sync {
    /// Name, description and parameters; read once, when the tool is registered.
    fn spec(&self) -> ToolSpec;

    /// Does the work. The arguments fit the schema of the spec.
    ///
    /// # Errors
    /// As for [`Tool::call`].
    async fn call(&self, arguments: Value, context: &ToolContext) -> Result<ToolOutput, ToolError>;
}

#[async_trait]
impl<T: Tool> AnyTool for T {
    fn spec(&self) -> ToolSpec {
        Tool::spec(self)
    }

    async fn call(&self, arguments: Value, context: &ToolContext) -> Result<ToolOutput, ToolError> {
        let args = parse::<T::Args>(arguments)?;
        Tool::call(self, args, context).await
    }
}

/// The typed arguments. A unit type takes any object.
fn parse<Args: DeserializeOwned>(arguments: Value) -> Result<Args, ToolError> {
    let empty = arguments.as_object().is_some_and(serde_json::Map::is_empty);
    serde_json::from_value(arguments).or_else(|error| {
        let unit = if empty { serde_json::from_value(Value::Null).ok() } else { None };
        unit.ok_or_else(|| ToolError::invalid_arguments(error.to_string()))
    })
}

/// A [`Tool`] made of a function; see [`tool_fn`].
pub struct FunctionTool<Args, Function> {
    name: String,
    description: String,
    function: Function,
    args: PhantomData<fn(Args)>,
}

impl<Args, Function> fmt::Debug for FunctionTool<Args, Function> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("FunctionTool").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A tool without a trait: a name, a description and an async closure over typed arguments. The closure
/// gets a context of its own, so that its future can be sent between threads.
///
/// ```
/// use qianshou_agent::{ToolContext, tool_fn};
///
/// #[derive(serde::Deserialize, schemars::JsonSchema)]
/// struct AddArgs {
///     a: i64,
///     b: i64,
/// }
///
/// let add = tool_fn("add", "Adds two integers.", |args: AddArgs, _: ToolContext| async move {
///     Ok((args.a + args.b).to_string().into())
/// });
/// ```
pub fn tool_fn<Args, Function, Running>(
    name: impl Into<String>,
    description: impl Into<String>,
    function: Function,
) -> FunctionTool<Args, Function>
where
    Args: DeserializeOwned + JsonSchema + Send,
    Function: Fn(Args, ToolContext) -> Running + Send + Sync,
    Running: Future<Output = Result<ToolOutput, ToolError>> + Send,
{
    FunctionTool { name: name.into(), description: description.into(), function, args: PhantomData }
}

impl<Args, Function, Running> Tool for FunctionTool<Args, Function>
where
    Args: DeserializeOwned + JsonSchema + Send,
    Function: Fn(Args, ToolContext) -> Running + Send + Sync,
    Running: Future<Output = Result<ToolOutput, ToolError>> + Send,
{
    type Args = Args;

    fn spec(&self) -> ToolSpec {
        ToolSpec::new::<Args>(&self.name).description(&self.description)
    }

    async fn call(&self, args: Args, context: &ToolContext) -> Result<ToolOutput, ToolError> {
        (self.function)(args, context.clone()).await
    }
}
