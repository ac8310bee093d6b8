//! JSON schemas of argument types, in the form that is shown to a model.
//!
//! The official function-call server shows an object: `type`, `properties`, `required`, each property
//! beginning with its `description` and `type`. Schemas from `schemars` are brought into that form:
//! `$ref`s inlined, `$schema`, `title` and the formats of Rust's number types dropped, and a property
//! that may be left out is shown by the type that it has when it is there (no `null` beside it).

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

/// Why a schema cannot be shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// A type contains itself, so that inlining would not end.
    #[error("the type {name} contains itself; a tool's arguments need a type of finite depth")]
    Recursive {
        /// The name of the type.
        name: String,
    },
    /// It refers to another schema.
    #[error("the schema refers to {reference}; write what it stands for in its place")]
    Reference {
        /// The reference.
        reference: String,
    },
    /// The arguments are not an object with named fields.
    #[error("the arguments are not an object; use a struct with named fields")]
    NotAnObject,
    /// A validator cannot be made of it.
    #[error("the schema is not valid JSON Schema: {message}")]
    Invalid {
        /// What is wrong with it.
        message: String,
    },
}

/// What a type of arguments gives.
pub(crate) struct ArgumentsSchema {
    /// The doc comment of the type.
    pub(crate) description: Option<String>,
    /// As shown to the model.
    pub(crate) shown: Value,
    /// As arguments are checked against.
    pub(crate) checked: Value,
}

/// The schema of `Args`.
pub(crate) fn of<Args: JsonSchema>() -> Result<ArgumentsSchema, SchemaError> {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let schema = settings.into_generator().into_root_schema_for::<Args>().to_value();
    // What is left of references after inlining is a type inside itself.
    match reference(&schema) {
        Some(reference) => {
            let name = reference.rsplit('/').find(|part| *part != "#").unwrap_or("of the arguments").to_owned();
            Err(SchemaError::Recursive { name })
        }
        None => of_value(schema),
    }
}

/// The schema of arguments that are known at run time.
pub(crate) fn of_value(mut schema: Value) -> Result<ArgumentsSchema, SchemaError> {
    if let Some(reference) = reference(&schema) {
        return Err(SchemaError::Reference { reference: reference.to_owned() });
    }
    let Some(root) = schema.as_object_mut() else {
        return Err(SchemaError::NotAnObject);
    };
    let description = root.remove("description").and_then(|text| text.as_str().map(str::to_owned));
    // The unit type stands for "no arguments".
    if root.get("type").is_some_and(|kind| kind == "null") {
        root.insert("type".to_owned(), "object".into());
    }
    if root.get("type").is_none_or(|kind| kind != "object") {
        return Err(SchemaError::NotAnObject);
    }
    root.entry("properties").or_insert_with(|| json!({}));
    root.entry("required").or_insert_with(|| json!([]));
    let checked = schema.clone();
    Ok(ArgumentsSchema { description, shown: shown(schema, &["type", "properties", "required"]), checked })
}

/// The first `$ref` in a schema.
fn reference(schema: &Value) -> Option<&str> {
    match schema {
        Value::Object(map) => match map.get("$ref") {
            Some(Value::String(reference)) => Some(reference),
            _ => map.values().find_map(reference),
        },
        Value::Array(items) => items.iter().find_map(reference),
        _ => None,
    }
}

/// One schema as shown, its keys beginning with `first`.
fn shown(schema: Value, first: &[&str]) -> Value {
    const BELOW: [&str; 2] = ["description", "type"];
    let Value::Object(mut map) = schema else {
        return schema;
    };
    map.shift_remove("title");
    map.shift_remove("$schema");
    if is_number(&map) {
        map.shift_remove("format");
    }
    let required: Vec<String> = match map.get("required") {
        Some(Value::Array(names)) => names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    };
    for (keyword, value) in &mut map {
        match (keyword.as_str(), &mut *value) {
            ("properties", Value::Object(properties)) => {
                for (name, property) in properties {
                    let taken = property.take();
                    let taken = if required.contains(name) { taken } else { without_null(taken) };
                    *property = shown(taken, &BELOW);
                }
            }
            ("$defs" | "patternProperties", Value::Object(schemas)) => {
                schemas.values_mut().for_each(|schema| *schema = shown(schema.take(), &BELOW));
            }
            ("anyOf" | "oneOf" | "allOf" | "prefixItems", Value::Array(schemas)) => {
                schemas.iter_mut().for_each(|schema| *schema = shown(schema.take(), &BELOW));
            }
            ("items" | "additionalProperties" | "not" | "if" | "then" | "else", value) => {
                *value = shown(value.take(), &BELOW);
            }
            _ => {}
        }
    }
    let mut ordered = Map::new();
    for &key in first {
        if let Some(value) = map.shift_remove(key) {
            ordered.insert(key.to_owned(), value);
        }
    }
    ordered.extend(map);
    Value::Object(ordered)
}

fn is_number(map: &Map<String, Value>) -> bool {
    let number = |kind: &Value| kind == "integer" || kind == "number";
    match map.get("type") {
        Some(Value::Array(kinds)) => kinds.iter().any(number),
        Some(kind) => number(kind),
        None => false,
    }
}

/// The schema of a property that may be left out, without the `null` that stands for leaving it out.
fn without_null(mut schema: Value) -> Value {
    let Value::Object(map) = &mut schema else {
        return schema;
    };
    if map.get("default").is_some_and(Value::is_null) {
        map.shift_remove("default");
    }
    if let Some(Value::Array(kinds)) = map.get_mut("type") {
        kinds.retain(|kind| kind != "null");
        if let [only] = kinds.as_slice() {
            let only = only.clone();
            map.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(choices)) = map.get_mut("enum") {
        choices.retain(|choice| !choice.is_null());
    }
    if let Some(Value::Array(choices)) = map.get_mut("anyOf") {
        choices.retain(|choice| choice.get("type").is_none_or(|kind| kind != "null"));
        if choices.len() == 1
            && let Some(Value::Object(only)) = choices.pop()
        {
            map.shift_remove("anyOf");
            for (key, value) in only {
                map.entry(key).or_insert(value);
            }
        }
    }
    schema
}

#[cfg(test)]
mod tests {
    #![expect(dead_code, reason = "the types are only there for their schemas")]
    use schemars::JsonSchema;

    use super::*;
    use crate::python_json;

    /// Books a table.
    #[derive(JsonSchema)]
    struct Booking {
        /// When
        time: Time,
        /// How many people
        people: u32,
        /// A title
        title: Option<String>,
        #[serde(default)]
        kind: Option<Kind>,
        notes: Option<Vec<f64>>,
    }

    #[derive(JsonSchema)]
    struct Time {
        hour: i64,
    }

    #[derive(JsonSchema)]
    enum Kind {
        Inside,
        Outside,
    }

    #[test]
    fn the_shown_form_is_an_object_without_references() {
        let schema = of::<Booking>().map(|schema| (schema.description, python_json(&schema.shown)));
        let expected = concat!(
            r#"{"type": "object", "properties": {"#,
            r#""time": {"description": "When", "type": "object", "properties": {"hour": {"type": "integer"}}, "required": ["hour"]}, "#,
            r#""people": {"description": "How many people", "type": "integer", "minimum": 0}, "#,
            r#""title": {"description": "A title", "type": "string"}, "#,
            r#""kind": {"type": "string", "enum": ["Inside", "Outside"]}, "#,
            r#""notes": {"type": "array", "items": {"type": "number"}}}, "#,
            r#""required": ["time", "people"]}"#,
        );
        assert_eq!(schema, Ok((Some("Books a table.".to_owned()), expected.to_owned())));
    }

    /// Nothing.
    #[derive(JsonSchema)]
    struct Nothing {}

    #[test]
    fn no_arguments_are_an_empty_object() {
        let expected = Ok(r#"{"type": "object", "properties": {}, "required": []}"#.to_owned());
        assert_eq!(of::<Nothing>().map(|schema| python_json(&schema.shown)), expected);
        assert_eq!(of::<()>().map(|schema| python_json(&schema.shown)), expected);
    }

    #[derive(JsonSchema)]
    struct Tree {
        children: Vec<Tree>,
    }

    #[derive(JsonSchema)]
    struct Forest {
        trees: Vec<Tree>,
    }

    #[test]
    fn what_cannot_be_shown_is_an_error() {
        let recursive = |name: &str| Some(SchemaError::Recursive { name: name.to_owned() });
        assert_eq!(of::<Forest>().err(), recursive("Tree"));
        assert!(matches!(of::<Tree>().err(), Some(SchemaError::Recursive { .. })));
        assert_eq!(of::<String>().err(), Some(SchemaError::NotAnObject));
    }
}
