//! The parameters that a manifest declares, in either form.

use serde_json::Value;

use super::ManifestFault;

/// A declared parameter.
pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) required: bool,
}

/// The parameters in Qwen's list form or as a JSON schema.
pub(super) fn parameters(declared: &Value) -> Result<Vec<Parameter>, ManifestFault> {
    match declared {
        Value::Array(list) => list.iter().enumerate().map(|(index, item)| listed(index, item)).collect(),
        Value::Object(schema) => {
            let required = match schema.get("required") {
                Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
                _ => Vec::new(),
            };
            let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
                return Err(ManifestFault::of(
                    "parameters.properties",
                    "a JSON schema of arguments has an object here",
                ));
            };
            let parameter =
                |name: &String| Parameter { name: name.clone(), required: required.contains(&name.as_str()) };
            Ok(properties.keys().map(parameter).collect())
        }
        _ => Err(ManifestFault::of("parameters", "this is neither a list of parameters nor a JSON schema")),
    }
}

fn listed(index: usize, item: &Value) -> Result<Parameter, ManifestFault> {
    let fault = |field: &str, problem: &str| Err(ManifestFault::of(format!("parameters[{index}].{field}"), problem));
    let Some(name) = item.get("name").and_then(Value::as_str) else {
        return fault("name", "a parameter needs a name");
    };
    let required = match item.get("required") {
        None => false,
        Some(Value::Bool(required)) => *required,
        Some(_) => return fault("required", "this is either true or false"),
    };
    Ok(Parameter { name: name.to_owned(), required })
}
