//! From what a model wrote as the input of a tool to arguments that fit the tool's schema.
//!
//! The stages, in order: an empty input is an empty object; a code fence around the input is taken off;
//! strict JSON; JSON [mended](crate::repair). For tools that take code, input that is not an object with
//! the tool's parameters is the code itself. Then the arguments are checked against the schema, and each
//! fault is told with its path, what was expected and what was found. Which stage succeeded is recorded,
//! so that an evaluation can tell models that write JSON from models that need help.

use jsonschema::Validator;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use qianshou_prompts::{Prompt, Prompts};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{ArgumentsFormat, ToolSpec, nearest, python_json, repair};

/// How the arguments of a call were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ArgumentStage {
    /// The input was empty.
    Empty,
    /// The input was strict JSON.
    Strict,
    /// The input was strict JSON in a code fence.
    Unfenced,
    /// The input was JSON after mending.
    Repaired,
    /// The input was code.
    Code,
}

const FENCE: &str = "```";
/// How many faults of one call are told to the model.
const FAULTS_SHOWN: usize = 4;
/// How many characters of a wrong value are told to the model.
const FOUND_SHOWN: usize = 60;

/// Reads and checks the input of a call.
///
/// # Errors
/// The observation that tells the model what is wrong.
pub(crate) fn read(
    input: &str,
    spec: &ToolSpec,
    validator: &Validator,
    prompts: &Prompts,
) -> Result<(Value, ArgumentStage), String> {
    let schema = || python_json(&spec.parameters);
    let (arguments, stage) = parse(input, spec).map_err(|fault| {
        prompts.fill(Prompt::NotAnObject, &[("name", &spec.name), ("fault", &fault), ("schema", &schema())])
    })?;
    let Some(faults) = check(&arguments, spec, validator, prompts) else {
        return Ok((arguments, stage));
    };
    Err(prompts.fill(Prompt::WrongArguments, &[("name", &spec.name), ("faults", &faults), ("schema", &schema())]))
}

/// The input as a JSON object.
fn parse(input: &str, spec: &ToolSpec) -> Result<(Value, ArgumentStage), String> {
    let input = input.trim();
    let (body, fenced) = match without_fence(input) {
        Some(body) => (body, true),
        None => (input, false),
    };
    if spec.arguments_format == ArgumentsFormat::Code
        && let Some(parameter) = spec.first_parameter()
    {
        return Ok(match serde_json::from_str::<Value>(body) {
            Ok(object) if object.get(parameter).is_some_and(Value::is_string) => (object, ArgumentStage::Strict),
            _ => (json!({ parameter: body }), ArgumentStage::Code),
        });
    }
    if body.is_empty() {
        return Ok((json!({}), ArgumentStage::Empty));
    }
    let fault = match serde_json::from_str::<Value>(body) {
        Ok(value) if value.is_object() => {
            return Ok((value, if fenced { ArgumentStage::Unfenced } else { ArgumentStage::Strict }));
        }
        Ok(value) => format!("it is {}", kind_of(&value)),
        Err(error) => error.to_string(),
    };
    match repair::read(body) {
        Some(value) if value.is_object() => Ok((value, ArgumentStage::Repaired)),
        _ => Err(fault),
    }
}

/// The content of a code fence that `input` begins with. It is closed at the beginning of a line, or at the
/// very end of the input. One that is never closed reaches to the end; what follows a closed one is not part
/// of it.
fn without_fence(input: &str) -> Option<&str> {
    let inside = input.strip_prefix(FENCE)?;
    let inside = match inside.find('\n') {
        Some(end) if is_language(&inside[..end]) => &inside[end..],
        _ => inside,
    };
    // Within a line a fence is a part of a string or of code.
    let mut open = 1;
    for (at, fence) in inside.match_indices("\n```") {
        let line = inside[at + fence.len()..].lines().next().unwrap_or_default();
        // One that names its language opens another inside.
        if is_language(line) && !line.trim().is_empty() {
            open += 1;
        } else {
            open -= 1;
        }
        if open == 0 {
            return Some(inside[..at].trim());
        }
    }
    Some(inside.strip_suffix(FENCE).unwrap_or(inside).trim())
}

/// Whether a text can follow a fence on its line: the name of a language, one word, or none.
fn is_language(text: &str) -> bool {
    text.trim().chars().all(|c| c.is_alphanumeric() || "+-_#.".contains(c))
}

/// What is wrong with arguments, if anything is.
pub(crate) fn check(arguments: &Value, spec: &ToolSpec, validator: &Validator, prompts: &Prompts) -> Option<String> {
    let faults = faults(arguments, spec, validator, prompts);
    (!faults.is_empty()).then(|| faults.join(" "))
}

fn faults(arguments: &Value, spec: &ToolSpec, validator: &Validator, prompts: &Prompts) -> Vec<String> {
    let mut faults = Vec::new();
    for error in validator.iter_errors(arguments).take(FAULTS_SHOWN) {
        let path = error.instance_path().to_string();
        faults.push(match error.kind() {
            ValidationErrorKind::Required { property } => {
                let property = property.as_str().unwrap_or_default();
                missing(&path, property, arguments, spec, prompts)
            }
            ValidationErrorKind::Type { kind } => {
                let expected = match kind {
                    TypeKind::Single(kind) => kind.to_string(),
                    TypeKind::Multiple(kinds) => {
                        kinds.iter().map(|kind| kind.to_string()).collect::<Vec<_>>().join(" or ")
                    }
                };
                let found = shortened(&python_json(error.instance()));
                let values = [("path", at(&path)), ("expected", &expected), ("found", &found)];
                prompts.fill(Prompt::FaultType, &values)
            }
            _ => {
                let fault = shortened(&error.to_string());
                prompts.fill(Prompt::FaultOther, &[("path", at(&path)), ("fault", &fault)])
            }
        });
    }
    faults
}

/// The fault of a required property that is not there, with the property that may be meant for it.
fn missing(path: &str, property: &str, arguments: &Value, spec: &ToolSpec, prompts: &Prompts) -> String {
    let pointer = path.split('/').skip(1).fold(String::new(), |pointer, part| {
        if part.parse::<usize>().is_ok() { pointer + "/items" } else { pointer + "/properties/" + part }
    });
    let object = spec.schema.pointer(&pointer);
    let properties = object.and_then(|schema| schema.get("properties"));
    let expected = properties.and_then(|properties| properties.get(property)?.get("type"));
    let expected = match expected {
        Some(Value::String(kind)) => kind.clone(),
        Some(kinds) => python_json(kinds),
        None => "a value".to_owned(),
    };
    let given = arguments.pointer(path).and_then(Value::as_object);
    let unknown = given.into_iter().flat_map(|map| map.keys()).map(String::as_str);
    let unknown = unknown.filter(|name| properties.is_none_or(|properties| properties.get(name).is_none()));
    let suggestion = match nearest(property, unknown) {
        Some(_) => prompts.fill(Prompt::Suggestion, &[("nearest", property)]),
        None => String::new(),
    };
    let path = format!("{path}/{property}");
    let values = [("path", path.as_str()), ("expected", &expected), ("suggestion", &suggestion)];
    prompts.fill(Prompt::FaultMissing, &values)
}

/// A path for people: the whole value has none.
fn at(path: &str) -> &str {
    if path.is_empty() { "/" } else { path }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(FOUND_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spec(format: ArgumentsFormat) -> ToolSpec {
        let parameters = json!([
            {"name": "city", "required": true, "schema": {"type": "string"}},
            {"name": "days", "schema": {"type": "integer", "minimum": 1}},
        ]);
        let manifest = json!({
            "name_for_model": "weather", "name_for_human": "Weather",
            "description_for_model": "", "parameters": parameters,
        });
        match ToolSpec::from_plugin(&manifest) {
            Ok(spec) => spec.arguments_format(format),
            Err(error) => panic!("{error}"),
        }
    }

    fn read_as(input: &str, format: ArgumentsFormat) -> Result<(Value, ArgumentStage), String> {
        let spec = spec(format);
        match jsonschema::validator_for(&spec.schema) {
            Ok(validator) => read(input, &spec, &validator, &Prompts::embedded()),
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn the_stage_that_succeeded_is_told() {
        let city = json!({"city": "北京"});
        let cases = [
            (r#"{"city": "北京"}"#, ArgumentStage::Strict),
            ("```json\n{\"city\": \"北京\"}\n```", ArgumentStage::Unfenced),
            ("```{\"city\": \"北京\"}", ArgumentStage::Unfenced),
            ("```json\n{'city': '北京',}\n```\nThat is it.", ArgumentStage::Repaired),
            ("{\"city\": \"北京\"}\nI wait for it.", ArgumentStage::Repaired),
        ];
        for (input, stage) in cases {
            assert_eq!(read_as(input, ArgumentsFormat::Json), Ok((city.clone(), stage)), "{input}");
        }
    }

    #[test]
    fn a_fence_inside_closes_nothing() {
        let page = Ok((json!({"city": "# T\n```bash\nls\n```\n"}), ArgumentStage::Unfenced));
        let written = r##"{"city": "# T\n```bash\nls\n```\n"}"##;
        for input in [format!("```json\n{written}\n```"), format!("```{written}```"), format!("```\n{written}")] {
            assert_eq!(read_as(&input, ArgumentsFormat::Json), page, "{input}");
        }
        // Nor where the model broke the lines of the string.
        let broken = format!("```json\n{}\n```\nThat is it.", written.replace("\\n", "\n"));
        let repaired = page.map(|(page, _)| (page, ArgumentStage::Repaired));
        assert_eq!(read_as(&broken, ArgumentsFormat::Json), repaired);
    }

    #[test]
    fn code_is_the_first_parameter() {
        let code = |code: &str, stage| Ok((json!({ "city": code }), stage));
        let cases = [
            ("```py\nprint(1)\n```", code("print(1)", ArgumentStage::Code)),
            ("```py\nprint(1)\n```\nIt prints 1.", code("print(1)", ArgumentStage::Code)),
            ("```print(1)```", code("print(1)", ArgumentStage::Code)),
            ("```\n```", code("", ArgumentStage::Code)),
            ("```py\nprint(\"```python\")\n```", code("print(\"```python\")", ArgumentStage::Code)),
            ("print(\"```python\")", code("print(\"```python\")", ArgumentStage::Code)),
            ("print({'a': 1})", code("print({'a': 1})", ArgumentStage::Code)),
            (r#"{"city": "x = 1"}"#, code("x = 1", ArgumentStage::Strict)),
            ("", code("", ArgumentStage::Code)),
        ];
        for (input, expected) in cases {
            assert_eq!(read_as(input, ArgumentsFormat::Code), expected, "{input}");
        }
    }

    #[test]
    fn faults_name_path_type_and_nearest_name() {
        let observation = |input| read_as(input, ArgumentsFormat::Json).err().unwrap_or_default();
        let cases = [
            (r#"{"citi": "a"}"#, "/city: missing, expected string. Did you mean \"city\"?"),
            ("", "/city: missing, expected string. They"),
            (r#"{"city": 3}"#, "/city: expected string, got 3."),
            (r#"{"city": "a", "days": "two"}"#, "/days: expected integer, got \"two\"."),
            (r#"{"city": "a", "days": 0}"#, "/days: 0 is less than the minimum of 1."),
            ("北京", "weather is not a JSON object (expected value at line 1 column 1)"),
            ("[1]", "weather is not a JSON object (it is an array)"),
        ];
        for (input, expected) in cases {
            assert!(observation(input).contains(expected), "{input}: {}", observation(input));
            assert!(observation(input).contains("\"schema\": {\"type\": \"string\"}"), "{}", observation(input));
        }
    }

    proptest! {
        #[test]
        fn any_input_is_read_or_refused(input in ".{0,60}") {
            let _ = read_as(&input, ArgumentsFormat::Json);
            let _ = read_as(&input, ArgumentsFormat::Code);
        }
    }
}
