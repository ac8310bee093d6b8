//! Requests for authored tools, with values drawn.

use std::collections::BTreeMap;

use rand::RngExt as _;
use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::IndexedRandom as _;
use serde_json::{Map, Number, Value};

use super::sources::{AuthoredTool, Parameter};
use super::split::Part;
use super::template::{fill, names};
use super::vary::other_numbers;

/// Words for `{word}` in observations.
const WORDS: [&str; 24] = [
    "amber", "birch", "cobalt", "delta", "ember", "falcon", "granite", "harbor", "indigo", "juniper", "kestrel",
    "lagoon", "maple", "nimbus", "onyx", "pepper", "quartz", "raven", "saffron", "timber", "umbra", "velvet", "willow",
    "zephyr",
];

/// A request, the call that it needs, what comes back, and what is answered.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Request {
    pub(super) question: String,
    pub(super) arguments: Map<String, Value>,
    pub(super) observation: String,
    pub(super) answer: String,
    /// The number that is told, if it is one that the answer repeats.
    pub(super) number: Option<String>,
}

/// Draws a request of one part of the data: phrasings and values of the parts are apart.
pub(super) fn draw(tool: &AuthoredTool, part: Part, whole: bool, random: &mut Xoshiro256PlusPlus) -> Option<Request> {
    let queries: Vec<&String> = part.of_phrasings(&tool.queries, whole);
    let query = queries.choose(random)?;
    let mut values: BTreeMap<&str, Value> = BTreeMap::new();
    for parameter in &tool.parameters {
        values.insert(&parameter.name, value(parameter, part, random)?);
    }
    let asked: Vec<&str> = names(query).collect();
    let arguments: Map<String, Value> = tool
        .parameters
        .iter()
        .filter(|parameter| asked.contains(&parameter.name.as_str()))
        .filter_map(|parameter| {
            let value = argument(values.get(parameter.name.as_str())?);
            Some((parameter.name.clone(), value.clone()))
        })
        .collect();
    let missing =
        tool.parameters.iter().any(|parameter| parameter.required && !arguments.contains_key(&parameter.name));
    if missing {
        return None;
    }
    let number = random.random_range(2..900).to_string();
    let word = (*WORDS.choose(random)?).to_owned();
    let text = |name: &str, value: fn(&Value) -> String| match name {
        "num" => Some(number.clone()),
        "word" => Some(word.clone()),
        _ => values.get(name).map(value),
    };
    let said = |name: &str| text(name, said);
    Some(Request {
        question: fill(query, said),
        observation: fill(&tool.observation, |name| text(name, |value| plain(argument(value)))),
        answer: fill(&tool.answer, said),
        number: names(&tool.answer).any(|name| name == "num").then(|| number.clone()),
        arguments,
    })
}

/// The value as it stands in a sentence.
fn said(value: &Value) -> String {
    match value.as_array() {
        Some(parts) => parts.iter().map(plain).collect::<Vec<_>>().join(" "),
        None => plain(value),
    }
}

/// The value as it stands in a call.
fn argument(value: &Value) -> &Value {
    value.as_array().and_then(|parts| parts.last()).unwrap_or(value)
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn value(parameter: &Parameter, part: Part, random: &mut Xoshiro256PlusPlus) -> Option<Value> {
    let Some([low, high]) = parameter.range else {
        if parameter.values.is_empty() {
            return Some(Value::from(parameter.kind == "boolean"));
        }
        let value = part.of_values(&parameter.values).choose(random).map(|&value| value.clone())?;
        // A number that was never seen has to be copied; one of a short list can be learned by heart.
        return Some(match value {
            Value::String(text) if part == Part::Training => Value::from(other_numbers(&text, random)),
            value => value,
        });
    };
    // A short range has no number for each part; then any will do.
    let mut drawn = Value::Null;
    for _ in 0..30 {
        drawn = if parameter.kind == "integer" || random.random_bool(0.5) {
            let (low, high) = (low.ceil() as i64, high.floor() as i64);
            Value::from(random.random_range(low.min(high)..=high))
        } else {
            let tenths = (random.random_range(low..=high) * 10.0).round() / 10.0;
            Number::from_f64(tenths).map(Value::Number)?
        };
        if part.has_number(&drawn.to_string()) {
            break;
        }
    }
    Some(drawn)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use rand::SeedableRng as _;
    use serde_json::json;

    use super::*;

    fn tool() -> AuthoredTool {
        serde_json::from_value(json!({
            "name": "weather", "description": "Tells the weather.", "purpose": "see the weather",
            "parameters": [
                {"name": "city", "type": "string", "description": "City", "required": true,
                 "values": ["Oslo", "Rome", "Bonn", "Lima", "Kyiv"]},
                {"name": "days", "type": "integer", "description": "Days", "required": false, "range": [1, 99]},
            ],
            "queries": ["Weather in {city}?", "{city}, {days} days"],
            "observation": "{\"city\": \"{city}\", \"c\": {num}}", "answer": "It is {num} degrees in {city}.",
        }))
        .unwrap()
    }

    #[test]
    fn a_preposition_is_said_and_is_no_part_of_the_argument() {
        let mut tool = tool();
        tool.parameters[0].values = vec![json!(["in", "Oslo"])];
        tool.queries = vec!["Weather {city}?".to_owned()];
        tool.answer = "It is {num} degrees {city}.".to_owned();
        let request = draw(&tool, Part::Training, true, &mut Xoshiro256PlusPlus::seed_from_u64(1)).unwrap();
        assert_eq!((request.question.as_str(), &request.arguments["city"]), ("Weather in Oslo?", &json!("Oslo")));
        assert!(request.observation.contains("\"Oslo\"") && request.answer.ends_with("degrees in Oslo."));
    }

    #[test]
    fn an_argument_that_is_not_asked_for_is_not_in_the_call() {
        let tool = tool();
        let mut random = Xoshiro256PlusPlus::seed_from_u64(3);
        let mut lengths = Vec::new();
        for _ in 0..40 {
            let request = draw(&tool, Part::Training, true, &mut random).unwrap();
            let city = request.arguments["city"].as_str().unwrap();
            assert!(request.question.contains(city) && request.observation.contains(city));
            let days = request.arguments.get("days");
            assert_eq!(days.is_some(), request.question.ends_with("days"));
            assert!(days.is_none_or(|days| request.question.contains(&days.to_string())));
            lengths.push(request.arguments.len());
        }
        assert!(lengths.contains(&1) && lengths.contains(&2));
    }
}
