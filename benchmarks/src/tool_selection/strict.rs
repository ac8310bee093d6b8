//! Whether calls are those that are needed: equality by schema, without order where there is none.

use qianshou_agent::{CallRecord, ToolSpec};
use serde_json::{Map, Value};

use super::ExpectedCall;

/// What is wrong with calls, if anything is: a sentence for each that is missing or too many.
///
/// Calls may come in any order. A parameter that may be left out is equal to its default.
pub fn faults(expected: &[ExpectedCall], called: &[CallRecord], tools: &[ToolSpec]) -> Vec<String> {
    let (mut missing, extra) = unmatched(expected, called, |expected, called| fault(expected, called, tools).is_none());
    if let ([expected], [called]) = (missing.as_slice(), extra.as_slice()) {
        // One against one: say where they differ.
        return fault(expected, called, tools).into_iter().collect();
    }
    let extra = extra.iter().map(|call| format!("the call {}({}) is not needed", call.name, call.input.trim()));
    let missing = missing.drain(..).map(|call| format!("no call of {} fits what is needed", call.name));
    missing.chain(extra).collect()
}

/// Whether the same tools are called, each as often.
pub fn selects_the_same(expected: &[ExpectedCall], called: &[CallRecord]) -> bool {
    let mut expected: Vec<_> = expected.iter().map(|call| call.name.as_str()).collect();
    let mut called: Vec<_> = called.iter().map(|call| call.name.as_str()).collect();
    expected.sort_unstable();
    called.sort_unstable();
    expected == called
}

/// What is left on both sides of the largest set of pairs.
fn unmatched<'a, A, B>(ones: &'a [A], others: &'a [B], fit: impl Fn(&A, &B) -> bool) -> (Vec<&'a A>, Vec<&'a B>) {
    // Augmenting paths; `partner` is the place among `ones` that each of `others` is given to.
    let mut partner: Vec<Option<usize>> = vec![None; others.len()];
    for start in 0..ones.len() {
        let mut seen = vec![false; others.len()];
        augment(start, ones, others, &fit, &mut partner, &mut seen);
    }
    let missing = (0..ones.len()).filter(|one| !partner.contains(&Some(*one))).map(|one| &ones[one]).collect();
    let extra = others.iter().zip(&partner).filter(|(_, partner)| partner.is_none()).map(|(other, _)| other).collect();
    (missing, extra)
}

fn augment<A, B>(
    one: usize,
    ones: &[A],
    others: &[B],
    fit: &impl Fn(&A, &B) -> bool,
    partner: &mut [Option<usize>],
    seen: &mut [bool],
) -> bool {
    for other in 0..others.len() {
        if seen[other] || !fit(&ones[one], &others[other]) {
            continue;
        }
        seen[other] = true;
        let free = match partner[other] {
            None => true,
            Some(rival) => augment(rival, ones, others, fit, partner, seen),
        };
        if free {
            partner[other] = Some(one);
            return true;
        }
    }
    false
}

/// Why a call is not the one that is needed.
fn fault(expected: &ExpectedCall, called: &CallRecord, tools: &[ToolSpec]) -> Option<String> {
    if expected.name != called.name {
        return Some(format!("{} is called instead of {}", called.name, expected.name));
    }
    let Some(Value::Object(arguments)) = &called.arguments else {
        return Some(format!("the input of {} cannot be read or does not fit its schema", called.name));
    };
    let schema = tools.iter().find(|spec| spec.name == called.name).map(|spec| &spec.schema);
    argument_fault(expected, arguments, schema.unwrap_or(&Value::Null))
}

fn argument_fault(expected: &ExpectedCall, given: &Map<String, Value>, schema: &Value) -> Option<String> {
    let schema_of = |name: &str| schema.get("properties").and_then(|all| all.get(name)).unwrap_or(&Value::Null);
    let fits = |name: &str, value: Option<&Value>| {
        let schema = schema_of(name);
        let accepted = expected.accepted.get(name).into_iter().flatten();
        let mut wanted = expected.arguments.get(name).into_iter().chain(accepted).peekable();
        match value {
            // What nobody asked for may still be what is meant when nothing is said.
            Some(value) if wanted.peek().is_none() => {
                schema.get("default").is_some_and(|usual| equal(usual, value, schema))
            }
            Some(value) => wanted.any(|wanted| equal(wanted, value, schema)),
            None => wanted.any(|wanted| {
                wanted.is_null() || schema.get("default").is_some_and(|usual| equal(usual, wanted, schema))
            }),
        }
    };
    let names = expected.arguments.keys().chain(given.keys().filter(|name| !expected.arguments.contains_key(*name)));
    names.into_iter().find(|name| !fits(name, given.get(*name))).map(|name| {
        let shown = |value: Option<&Value>| value.map_or("nothing".to_owned(), Value::to_string);
        let (wanted, found) = (shown(expected.arguments.get(name)), shown(given.get(name)));
        format!("`{name}` of {} is {found} where {wanted} is needed", expected.name)
    })
}

/// Whether two values mean the same where this schema holds: numbers by value, text without the white space
/// around it, objects without order, lists without order where the schema says that theirs has no meaning
/// (`uniqueItems`).
pub fn equal(one: &Value, other: &Value, schema: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        (Value::String(one), Value::String(other)) => one.trim() == other.trim(),
        (Value::Array(ones), Value::Array(others)) => {
            let items = schema.get("items").unwrap_or(&Value::Null);
            if ones.len() != others.len() {
                return false;
            }
            if schema.get("uniqueItems") == Some(&Value::Bool(true)) {
                let (missing, _) = unmatched(ones, others, |one, other| equal(one, other, items));
                return missing.is_empty();
            }
            ones.iter().zip(others).all(|(one, other)| equal(one, other, items))
        }
        (Value::Object(ones), Value::Object(others)) => {
            let schema_of = |name: &str| schema.get("properties").and_then(|all| all.get(name)).unwrap_or(&Value::Null);
            let same = |(name, one): (&String, &Value)| {
                others.get(name).is_some_and(|other| equal(one, other, schema_of(name)))
            };
            ones.len() == others.len() && ones.iter().all(same)
        }
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_equal_by_what_they_mean() {
        let nothing = Value::Null;
        assert!(equal(&json!(1), &json!(1.0), &nothing));
        assert!(equal(&json!("a "), &json!("a"), &nothing));
        assert!(!equal(&json!("1"), &json!(1), &nothing));
        assert!(equal(&json!({"a": 1, "b": [2]}), &json!({"b": [2.0], "a": 1}), &nothing));
        assert!(!equal(&json!([1, 2]), &json!([2, 1]), &nothing));
        assert!(equal(&json!([1, 2]), &json!([2, 1]), &json!({"uniqueItems": true})));
        assert!(!equal(&json!({"a": 1}), &json!({"a": 1, "b": 2}), &nothing));
    }

    fn given(arguments: Value) -> Option<String> {
        let schema = json!({"properties": {"unit": {"default": "C"}, "days": {}, "city": {}}});
        let expected = json!({"name": "weather", "arguments": {"city": "北京", "days": 2},
                              "accepted": {"city": ["北京市"], "days": [null, 3]}});
        let (Ok(expected), Value::Object(arguments)) = (serde_json::from_value(expected), arguments) else {
            panic!("the test is wrong");
        };
        argument_fault(&expected, &arguments, &schema)
    }

    #[test]
    fn accepted_values_and_defaults_count() {
        assert_eq!(given(json!({"city": "北京", "days": 2})), None);
        assert_eq!(given(json!({"city": "北京市"})), None);
        assert_eq!(given(json!({"city": "北京", "days": 3, "unit": "C"})), None);
        let wrong = given(json!({"city": "北京", "days": 4}));
        assert_eq!(wrong.as_deref(), Some("`days` of weather is 4 where 2 is needed"));
        assert_eq!(given(json!({"days": 2})).as_deref(), Some("`city` of weather is nothing where \"北京\" is needed"));
        assert!(given(json!({"city": "北京", "unit": "F"})).is_some());
    }

    proptest! {
        #[test]
        fn the_largest_set_of_pairs_is_found(order in Just(vec![0, 1, 2, 3, 4]).prop_shuffle()) {
            // Each value fits itself and the next, so that greed alone would leave some over.
            let fit = |one: &i32, other: &i32| one == other || one + 1 == *other;
            let (missing, extra) = unmatched(&order, &[0, 1, 2, 3, 4], fit);
            prop_assert!(missing.is_empty() && extra.is_empty());
        }

        #[test]
        fn everything_equals_itself(text in "[a-z ]{0,9}", number in any::<f64>(), list in prop::collection::vec(any::<i64>(), 0..5)) {
            let value = json!({"a": text, "b": [number, list]});
            prop_assert!(equal(&value, &value, &Value::Null));
        }
    }
}
