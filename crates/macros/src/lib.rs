//! The attribute `#[tool]`. Programs use it through `qianshou_agent::tool` or `qianshou::tool`.

#![forbid(unsafe_code)]

mod expand;
mod function;
mod options;

use proc_macro::TokenStream;
use syn::{Path, parse_quote};

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
#[proc_macro_attribute]
pub fn tool(options: TokenStream, item: TokenStream) -> TokenStream {
    expanded(options, item, parse_quote!(::qianshou_agent))
}

/// [`tool`] for programs that depend on `qianshou` alone; there it is `qianshou::tool`.
#[proc_macro_attribute]
pub fn facade_tool(options: TokenStream, item: TokenStream) -> TokenStream {
    expanded(options, item, parse_quote!(::qianshou::agent))
}

fn expanded(options: TokenStream, item: TokenStream, library: Path) -> TokenStream {
    expand::expand(options.into(), item.into(), library).into()
}
