//! What is known about a tool before it is called.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::schema::{self, SchemaError};

/// How the model writes the input of a tool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ArgumentsFormat {
    /// A JSON object.
    #[default]
    Json,
    /// Plain code between triple backticks; it becomes the tool's first parameter.
    Code,
}

/// Name, description and parameters of a tool. It is read once, when the tool is registered.
///
/// ```
/// use qianshou_agent::ToolSpec;
///
/// /// Current weather of a city.
/// #[derive(serde::Deserialize, schemars::JsonSchema)]
/// struct WeatherArgs {
///     /// City, for example "Hangzhou".
///     city: String,
/// }
///
/// let spec = ToolSpec::new::<WeatherArgs>("weather").named_for_people("Weather service");
/// assert_eq!(spec.description, "Current weather of a city.");
/// assert_eq!(spec.parameters["properties"]["city"]["type"], "string");
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolSpec {
    /// The name that the model calls.
    pub name: String,
    /// The name that people see; some protocols show it to the model, too.
    pub name_for_people: String,
    /// What the tool is for, in the words that the model reads.
    pub description: String,
    /// The parameters as they are shown to the model.
    pub parameters: Value,
    /// The JSON schema that arguments are checked against.
    pub schema: Value,
    /// How the model writes the input.
    pub arguments_format: ArgumentsFormat,
    /// Why the arguments' type cannot be shown; registration reports it.
    #[serde(skip)]
    pub(crate) problem: Option<SchemaError>,
}

impl ToolSpec {
    /// The spec of a tool that takes `Args`: the doc comment of the type is the description, those of
    /// its fields describe the parameters.
    ///
    /// A type that cannot be shown to a model (one that contains itself, one without named fields) is
    /// an error when the tool is registered.
    pub fn new<Args: JsonSchema>(name: impl Into<String>) -> Self {
        let name = name.into();
        let (schema, problem) = match schema::of::<Args>() {
            Ok(schema) => (schema, None),
            Err(problem) => {
                let nothing = schema::ArgumentsSchema { description: None, shown: json!({}), checked: json!({}) };
                (nothing, Some(problem))
            }
        };
        Self {
            name_for_people: name.clone(),
            name,
            description: schema.description.unwrap_or_default(),
            parameters: schema.shown,
            schema: schema.checked,
            arguments_format: ArgumentsFormat::Json,
            problem,
        }
    }

    /// The spec in a Qwen plugin manifest: `name_for_model`, `name_for_human`, `description_for_model`,
    /// `parameters` (shown unchanged, whatever their form) and `args_format`.
    ///
    /// # Errors
    /// When a field is missing or of the wrong type; the message names it.
    pub fn from_plugin(manifest: &Value) -> Result<Self, PluginError> {
        let text = |field: &'static str| match manifest.get(field) {
            Some(Value::String(text)) => Ok(text.clone()),
            Some(_) => Err(PluginError::NotText { field }),
            None => Err(PluginError::Missing { field }),
        };
        let parameters = manifest.get("parameters").ok_or(PluginError::Missing { field: "parameters" })?.clone();
        let arguments_format = match manifest.get("args_format") {
            None => ArgumentsFormat::Json,
            Some(format) => ArgumentsFormat::deserialize(format)
                .map_err(|_| PluginError::UnknownFormat { format: format.to_string() })?,
        };
        Ok(Self {
            name: text("name_for_model")?,
            name_for_people: text("name_for_human")?,
            description: text("description_for_model")?,
            schema: plugin_schema(&parameters),
            parameters,
            arguments_format,
            problem: None,
        })
    }

    /// Sets the name that people see.
    #[must_use]
    pub fn named_for_people(mut self, name: impl Into<String>) -> Self {
        self.name_for_people = name.into();
        self
    }

    /// Replaces the description.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// Sets how the model writes the input.
    #[must_use]
    pub fn arguments_format(mut self, format: ArgumentsFormat) -> Self {
        self.arguments_format = format;
        self
    }

    /// The first parameter, which plain code is given to.
    pub(crate) fn first_parameter(&self) -> Option<&str> {
        self.schema.get("properties")?.as_object()?.keys().next().map(String::as_str)
    }
}

/// Why a plugin manifest cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PluginError {
    /// A field is missing.
    #[error("the plugin manifest has no `{field}`")]
    Missing {
        /// Its name.
        field: &'static str,
    },
    /// A field is not text.
    #[error("`{field}` of the plugin manifest is not text")]
    NotText {
        /// Its name.
        field: &'static str,
    },
    /// `args_format` is neither `json` nor `code`.
    #[error("`args_format` of the plugin manifest is {format}; it has to be \"json\" or \"code\"")]
    UnknownFormat {
        /// What stands there.
        format: String,
    },
}

/// The JSON schema behind a manifest's `parameters`: a schema already, or a list of
/// `{name, description, required, schema}` (older manifests write `type` beside the name).
fn plugin_schema(parameters: &Value) -> Value {
    let Value::Array(list) = parameters else {
        return if parameters.is_object() { parameters.clone() } else { json!({}) };
    };
    let mut properties = Map::new();
    let mut required = Vec::new();
    for parameter in list {
        let Some(name) = parameter.get("name").and_then(Value::as_str) else {
            continue;
        };
        let mut schema = match (parameter.get("schema"), parameter.get("type")) {
            (Some(schema), _) => schema.clone(),
            (None, Some(kind)) => json!({ "type": kind }),
            (None, None) => json!({}),
        };
        if let (Value::Object(schema), Some(description)) = (&mut schema, parameter.get("description")) {
            schema.entry("description").or_insert_with(|| description.clone());
        }
        properties.insert(name.to_owned(), schema);
        if parameter.get("required") == Some(&Value::Bool(true)) {
            required.push(Value::from(name));
        }
    }
    json!({"type": "object", "properties": properties, "required": required})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_s_parameters_are_shown_unchanged_and_checked_as_a_schema() {
        let parameters = json!([
            {"name": "city", "description": "城市名", "required": true, "schema": {"type": "string"}},
            {"name": "days", "type": "integer"},
        ]);
        let manifest = json!({
            "name_for_human": "天气查询", "name_for_model": "weather",
            "description_for_model": "查询", "parameters": parameters, "args_format": "code",
        });
        let spec = ToolSpec::from_plugin(&manifest);
        let expected = ToolSpec {
            name: "weather".to_owned(),
            name_for_people: "天气查询".to_owned(),
            description: "查询".to_owned(),
            parameters,
            schema: json!({
                "type": "object",
                "properties": {"city": {"type": "string", "description": "城市名"}, "days": {"type": "integer"}},
                "required": ["city"],
            }),
            arguments_format: ArgumentsFormat::Code,
            problem: None,
        };
        assert_eq!(spec, Ok(expected));
    }

    #[test]
    fn a_broken_manifest_names_the_field() {
        let mut manifest = json!({
            "name_for_human": "a", "name_for_model": "b", "description_for_model": 3, "parameters": [],
        });
        assert_eq!(ToolSpec::from_plugin(&manifest), Err(PluginError::NotText { field: "description_for_model" }));
        manifest["description_for_model"] = "c".into();
        manifest["args_format"] = "xml".into();
        let unknown = PluginError::UnknownFormat { format: "\"xml\"".to_owned() };
        assert_eq!(ToolSpec::from_plugin(&manifest), Err(unknown));
        assert_eq!(ToolSpec::from_plugin(&json!([])), Err(PluginError::Missing { field: "parameters" }));
    }
}
