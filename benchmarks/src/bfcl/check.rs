//! The checker of `bfcl-eval` (`eval_checker/ast_eval/ast_checker.py`, version 2026.3.23), rule for rule.
//!
//! Where the package's checker would end with an exception, the verdict is `checker_failed`.

use serde_json::{Map, Value};

use super::value::{Kind, equal, is_among, kind, standard, standard_value};

/// A call: the name of a function, and its arguments.
pub type Call = (String, Map<String, Value>);

/// Why a prediction is wrong, in the package's words: `error_type`.
pub type ErrorType = &'static str;

type Checked = Result<(), ErrorType>;

/// What the package ends with by an exception.
const FAILED: ErrorType = "checker_failed";

/// Checks the calls of a prediction. `answers` is the `ground_truth` of the data; `category` decides the rules,
/// and `underscored` says whether dots in names were replaced for the model's interface.
///
/// # Errors
/// The error type of what is wrong.
pub fn check(functions: &[Value], calls: &[Call], answers: &[Value], category: &str, underscored: bool) -> Checked {
    if category.contains("irrelevance") {
        return if calls.is_empty() { Ok(()) } else { Err("irrelevance_error:decoder_success") };
    }
    if category.contains("relevance") {
        return if calls.is_empty() { Err("relevance_error:decoder_failed") } else { Ok(()) };
    }
    if category.contains("parallel") {
        return parallel(functions, calls, answers, underscored);
    }
    let (count_error, by_name) = match category.contains("multiple") {
        true => ("multiple_function_checker:wrong_count", true),
        false => ("simple_function_checker:wrong_count", false),
    };
    let ([call], [answer, ..]) = (calls, answers) else {
        return Err(count_error);
    };
    let function = if by_name { described(functions, answer)? } else { functions.first().ok_or(FAILED)? };
    simple(function, call, answer, underscored)
}

/// Each answer takes the first call that fits and is not taken.
fn parallel(functions: &[Value], calls: &[Call], answers: &[Value], underscored: bool) -> Checked {
    if calls.len() != answers.len() {
        return Err("parallel_function_checker_no_order:wrong_count");
    }
    let mut taken = vec![false; calls.len()];
    for answer in answers {
        let function = described(functions, answer)?;
        let fits = |index: &usize| !taken[*index] && simple(function, &calls[*index], answer, underscored).is_ok();
        match (0..calls.len()).find(fits) {
            Some(index) => taken[index] = true,
            None => return Err("parallel_function_checker_no_order:cannot_find_match"),
        }
    }
    Ok(())
}

/// The function that an answer calls.
fn described<'a>(functions: &'a [Value], answer: &Value) -> Result<&'a Value, ErrorType> {
    let name = answer.as_object().and_then(|answer| answer.keys().next()).ok_or(FAILED)?;
    functions.iter().find(|function| function.get("name").is_some_and(|other| other == name)).ok_or(FAILED)
}

fn simple(function: &Value, (called, given): &Call, answer: &Value, underscored: bool) -> Checked {
    let answer =
        answer.as_object().and_then(|answer| answer.values().next()).and_then(Value::as_object).ok_or(FAILED)?;
    let name = function.get("name").and_then(Value::as_str).ok_or(FAILED)?;
    let name = if underscored { name.replace('.', "_") } else { name.to_owned() };
    if *called != name {
        return Err("simple_function_checker:wrong_func_name");
    }
    let properties = function.pointer("/parameters/properties").and_then(Value::as_object).ok_or(FAILED)?;
    let required = function.pointer("/parameters/required").and_then(Value::as_array).ok_or(FAILED)?;
    if required.iter().filter_map(Value::as_str).any(|name| !given.contains_key(name)) {
        return Err("simple_function_checker:missing_required");
    }
    for (name, value) in given {
        let (Some(property), Some(accepted)) = (properties.get(name), answer.get(name)) else {
            return Err("simple_function_checker:unexpected_param");
        };
        parameter(property, value, accepted.as_array().ok_or(FAILED)?)?;
    }
    let left_out = |(name, accepted): (&String, &Value)| {
        !given.contains_key(name) && !accepted.as_array().is_some_and(|accepted| may_be_left_out(accepted))
    };
    if answer.iter().any(left_out) { Err("simple_function_checker:missing_optional") } else { Ok(()) }
}

/// An empty text among the accepted values says so.
fn may_be_left_out(accepted: &[Value]) -> bool {
    accepted.iter().any(|value| value == "")
}

fn parameter(property: &Value, value: &Value, accepted: &[Value]) -> Checked {
    let stated = property.get("type").and_then(Value::as_str).ok_or(FAILED)?;
    let expected = kind_of(stated)?;
    let nested = match stated {
        "array" | "tuple" => Some(kind_of(property.pointer("/items/type").and_then(Value::as_str).ok_or(FAILED)?)?),
        _ => None,
    };
    // Python takes an integer where a float is expected.
    let as_float =
        (stated == "float" && kind(value) == Kind::Integer).then(|| value.as_f64().map(Value::from)).flatten();
    let value = as_float.as_ref().unwrap_or(value);
    let is_variable = check_type(value, accepted, expected, nested)?;
    match (is_variable, expected, value) {
        (false, Kind::Object, _) => check_object(value, accepted),
        (false, Kind::List, Value::Array(values)) if nested == Some(Kind::Object) => check_objects(values, accepted),
        (false, Kind::Text, Value::String(text)) => {
            let text = standard(text);
            let fits = accepted.iter().filter_map(Value::as_str).any(|accepted| standard(accepted) == text);
            if fits { Ok(()) } else { Err("value_error:string") }
        }
        (false, Kind::List, Value::Array(values)) => check_list(values, accepted),
        _ if is_among(value, accepted) => Ok(()),
        _ => Err("value_error:others"),
    }
}

fn kind_of(stated: &str) -> Result<Kind, ErrorType> {
    Ok(match stated {
        "string" | "any" => Kind::Text,
        "integer" => Kind::Integer,
        "float" => Kind::Float,
        "boolean" => Kind::Boolean,
        "array" | "tuple" => Kind::List,
        "dict" => Kind::Object,
        _ => return Err(FAILED),
    })
}

/// Whether the value is the name of a variable instead of a value, by the type of what is accepted.
fn check_type(value: &Value, accepted: &[Value], expected: Kind, nested: Option<Kind>) -> Result<bool, ErrorType> {
    let accepted_kind = accepted.iter().find(|accepted| **accepted != "").map(kind);
    let is_variable = accepted_kind.is_some_and(|accepted| accepted != expected);
    let mut fault = "type_error:simple";
    let mut fits = true;
    if kind(value) == expected {
        let Some(nested) = nested else {
            return Ok(is_variable);
        };
        let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
        let all_fit = |accepted: &Value| match accepted {
            Value::Array(accepted) => items.iter().all(|item| check_type(item, accepted, nested, None).is_ok()),
            _ => true,
        };
        if accepted.iter().any(all_fit) {
            return Ok(is_variable);
        }
        (fault, fits) = ("type_error:nested", false);
    }
    match (accepted_kind == Some(kind(value)), fits) {
        (true, true) => Ok(true),
        (true, false) => Err(fault),
        (false, _) => Err("type_error:simple"),
    }
}

fn check_list(values: &[Value], accepted: &[Value]) -> Checked {
    let values: Vec<Value> = values.iter().map(standard_value).collect();
    for accepted in accepted {
        let accepted: Vec<Value> = match accepted {
            Value::Array(accepted) => accepted.iter().map(standard_value).collect(),
            // Python goes through a text character by character.
            Value::String(text) => text.chars().map(|c| standard(&c.to_string()).into()).collect(),
            Value::Object(accepted) if accepted.is_empty() => Vec::new(),
            _ => return Err(FAILED),
        };
        if accepted.len() == values.len() && accepted.iter().zip(&values).all(|(one, other)| equal(one, other)) {
            return Ok(());
        }
    }
    Err("value_error:list/tuple")
}

fn check_object(value: &Value, accepted: &[Value]) -> Checked {
    let given = value.as_object().ok_or(FAILED)?;
    let mut fault = "dict_checker:unclear";
    for accepted in accepted.iter().filter(|accepted| **accepted != "") {
        let accepted = accepted.as_object().ok_or(FAILED)?;
        match fits_object(given, accepted)? {
            None => return Ok(()),
            Some(other) => fault = other,
        }
    }
    Err(fault)
}

/// What keeps an object from being the accepted one.
fn fits_object(given: &Map<String, Value>, accepted: &Map<String, Value>) -> Result<Option<ErrorType>, ErrorType> {
    let mut fault = None;
    for (name, value) in given {
        let Some(accepted) = accepted.get(name) else {
            fault = Some("value_error:dict_key");
            break;
        };
        let accepted: Vec<Value> = accepted.as_array().ok_or(FAILED)?.iter().map(standard_value).collect();
        if !is_among(&standard_value(value), &accepted) {
            fault = Some("value_error:dict_value");
            break;
        }
    }
    let left_out = |(name, accepted): (&String, &Value)| {
        !given.contains_key(name) && !accepted.as_array().is_some_and(|accepted| may_be_left_out(accepted))
    };
    Ok(if accepted.iter().any(left_out) { Some("value_error:dict_key") } else { fault })
}

fn check_objects(values: &[Value], accepted: &[Value]) -> Checked {
    let mut fault = "list_dict_checker:unclear";
    for accepted in accepted {
        let accepted = match accepted {
            Value::Array(accepted) => accepted.as_slice(),
            Value::String(text) if text.is_empty() => &[],
            _ => return Err(FAILED),
        };
        if accepted.len() != values.len() {
            fault = "value_error:list_dict_count";
            continue;
        }
        let checked =
            values.iter().zip(accepted).map(|(value, accepted)| check_object(value, std::slice::from_ref(accepted)));
        match checked.into_iter().find_map(Result::err) {
            None => return Ok(()),
            Some(FAILED) => return Err(FAILED),
            Some(other) => fault = other,
        }
    }
    Err(fault)
}
