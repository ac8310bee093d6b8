#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
//! Functions as tools. This package depends on neither `serde` nor `schemars`: the attribute brings them.

use qianshou_agent::attribute::{schemars, serde};
use qianshou_agent::{AnyTool, Artifact, ToolContext, ToolError, ToolOutput, tool};
use serde_json::{Value, json};

async fn called(tool: impl AnyTool, arguments: Value) -> Result<ToolOutput, ToolError> {
    tool.call(arguments, &ToolContext::default().with_extension(21_i32)).await
}

async fn text(tool: impl AnyTool, arguments: Value) -> String {
    called(tool, arguments).await.unwrap().text
}

/// Current weather of a city.
///
/// In degrees Celsius.
#[tool(name = "get-weather")]
async fn weather(
    /// City, for example "Hangzhou".
    city: String,
    /// How many days ahead.
    days: Option<u32>,
    /// In which unit.
    #[serde(default)]
    unit: Unit,
    context: &ToolContext,
) -> String {
    let degrees = context.extension::<i32>().copied().unwrap_or_default();
    format!("{city} in {} days: {degrees} {unit:?}", days.unwrap_or(0))
}

#[derive(Debug, Default, serde::Deserialize, schemars::JsonSchema)]
#[serde(crate = "serde")]
#[schemars(crate = "schemars")]
enum Unit {
    #[default]
    Celsius,
    Kelvin,
}

#[tokio::test]
async fn the_model_sees_names_types_and_doc_comments() {
    let spec = weather {}.spec();
    assert_eq!(spec.name, "get-weather");
    assert_eq!(spec.description, "Current weather of a city.\n\nIn degrees Celsius.");
    let expected = json!({
        "type": "object",
        "properties": {
            "city": {"description": "City, for example \"Hangzhou\".", "type": "string"},
            "days": {"description": "How many days ahead.", "type": "integer", "minimum": 0},
            "unit": {"description": "In which unit.", "type": "string", "enum": ["Celsius", "Kelvin"]},
        },
        "required": ["city"],
    });
    assert_eq!(spec.parameters, expected);
}

#[tokio::test]
async fn arguments_and_context_reach_the_function() {
    assert_eq!(text(weather {}, json!({"city": "Oslo"})).await, "Oslo in 0 days: 21 Celsius");
    let all = json!({"city": "Oslo", "days": 2, "unit": "Kelvin"});
    assert_eq!(text(weather {}, all).await, "Oslo in 2 days: 21 Kelvin");
    let unfit = called(weather {}, json!({"days": 2})).await.unwrap_err();
    assert!(unfit.is_invalid_arguments());
}

#[tokio::test]
async fn the_function_is_still_a_function() {
    let context = ToolContext::default();
    assert_eq!(weather("Oslo".to_owned(), Some(1), Unit::Kelvin, &context).await, "Oslo in 1 days: 0 Kelvin");
}

/// Adds.
#[tool]
fn add(mut a: i64, b: i64, r#type: String, _: ToolContext) -> String {
    a += b;
    format!("{a} {type}")
}

/// Nothing to say.
#[tool]
fn r#match() -> &'static str {
    "none"
}

#[tokio::test]
async fn plain_functions_raw_names_and_owned_contexts() {
    assert_eq!(text(add {}, json!({"a": 1, "b": 2, "type": "apples"})).await, "3 apples");
    assert_eq!(r#match {}.spec().name, "match");
    assert_eq!(text(r#match {}, json!({})).await, "none");
}

/// Draws.
#[tool]
async fn draw(kind: String) -> Result<ToolOutput, ToolError> {
    match kind.as_str() {
        "cat" => Ok(ToolOutput::from("a cat").with_artifact(Artifact::Json(json!(1)))),
        _ => Err(ToolError::invalid_arguments("cats only").with_diagnostics("no dogs")),
    }
}

#[tokio::test]
async fn outputs_and_errors_of_tools_are_kept_whole() {
    let drawn = called(draw {}, json!({"kind": "cat"})).await.unwrap();
    assert_eq!(drawn.artifacts, [Artifact::Json(json!(1))]);
    let error = called(draw {}, json!({"kind": "dog"})).await.unwrap_err();
    assert!(error.is_invalid_arguments());
    assert_eq!((error.text(), error.diagnostics().as_deref()), ("cats only", Some("no dogs")));
}

/// Parses.
#[tool]
async fn parse(number: String) -> Result<String, std::num::ParseIntError> {
    Ok(number.parse::<i32>()?.to_string())
}

struct Layered;

impl std::fmt::Display for Layered {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(if formatter.alternate() { "the service is down: port 7" } else { "the service is down" })
    }
}

/// Asks.
#[tool]
async fn ask() -> Result<&'static str, Layered> {
    Err(Layered)
}

#[tokio::test]
async fn other_errors_tell_the_model_their_text_and_the_operator_their_causes() {
    assert_eq!(text(parse {}, json!({"number": "7"})).await, "7");
    let error = called(parse {}, json!({"number": "x"})).await.unwrap_err();
    assert_eq!((error.text(), error.diagnostics()), ("invalid digit found in string", None));
    let error = called(ask {}, json!({})).await.unwrap_err();
    assert_eq!(
        (error.text(), error.diagnostics().as_deref()),
        ("the service is down", Some("the service is down: port 7"))
    );
}

mod renamed {
    pub(super) use qianshou_agent as library;
}

mod elsewhere {
    /// Says where it is.
    #[qianshou_agent::tool(crate = "crate::renamed::library")]
    pub(crate) fn place() -> String {
        "elsewhere".to_owned()
    }
}

#[tokio::test]
async fn the_library_may_have_another_path_and_a_tool_may_be_local() {
    use elsewhere::place;
    assert_eq!((text(place {}, json!({})).await, place()), ("elsewhere".to_owned(), "elsewhere".to_owned()));

    /// Doubles.
    #[tool]
    fn double(number: i64) -> String {
        (2 * number).to_string()
    }
    assert_eq!(text(double {}, json!({"number": 4})).await, "8");
}
