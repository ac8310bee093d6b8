//! Random JSON schemas, against the `jsonschema` crate.

use proptest::prelude::*;
use qianshou_chat::{ChatRequest, Constraint, FinishReason, Sampling};
use serde_json::{Value, json};

use crate::engines;

/// Schemas whose values are short, so that a random reply comes to its end.
fn schemas() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!({"type": "boolean"})),
        Just(json!({"type": "null"})),
        Just(json!({"type": ["integer", "boolean"], "minimum": 0, "maximum": 9})),
        (-50_i32..50, 0_i32..200).prop_map(
            |(least, more)| json!({"type": "integer", "minimum": least, "exclusiveMaximum": least + more + 1})
        ),
        (-5_i32..5).prop_map(|least| json!({"type": "number", "minimum": least, "maximum": f64::from(least) + 2.5})),
        (0_u32..3, 0_u32..5)
            .prop_map(|(least, more)| json!({"type": "string", "minLength": least, "maxLength": least + more})),
        Just(json!({"type": "string", "pattern": "^[a-c]{1,3}千?$"})),
        Just(json!({"type": "string", "format": "date"})),
        Just(json!({"enum": ["千手", "a\nb", 3, null, {"a": [1, 2]}]})),
        Just(json!({"const": "\"quoted\" 🙂"})),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let names = prop::sample::subsequence(vec!["a", "b c", "千"], 0..4);
        prop_oneof![
            (inner.clone(), 0_usize..2, 0_usize..3).prop_map(|(items, least, more)| {
                json!({"type": "array", "items": items, "minItems": least, "maxItems": least + more})
            }),
            (prop::collection::vec(inner.clone(), 3), names, any::<[bool; 3]>()).prop_map(
                |(values, names, required)| {
                    let required: Vec<_> =
                        names.iter().zip(required).filter(|(_, required)| *required).map(|(name, _)| *name).collect();
                    let properties: serde_json::Map<_, _> =
                        names.iter().map(|&name| name.to_owned()).zip(values).collect();
                    json!({
                        "type": "object",
                        "properties": properties,
                        "required": required,
                        "additionalProperties": false,
                    })
                }
            ),
            prop::collection::vec(inner.clone(), 1..3).prop_map(|choices| json!({"anyOf": choices})),
            inner.prop_map(|inner| json!({"$ref": "#/$defs/inner", "$defs": {"inner": inner}})),
        ]
    })
    // References begin at the root of the document.
    .prop_filter("a reference inside", |schema| schema.get("$defs").is_some() || !schema.to_string().contains("$ref"))
    .prop_filter("a reference inside of one", |schema| schema.to_string().matches("$ref").count() < 2)
}

/// Whether `text` is a JSON value that fits.
pub(crate) fn fits(schema: &Value, text: &str) -> bool {
    let value: Value = serde_json::from_str(text).unwrap();
    jsonschema::validator_for(schema).unwrap().is_valid(&value)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_reply_that_ends_by_itself_fits(
        schema in schemas(), sampling in engines::samplings(), kind in 0_usize..3,
    ) {
        let engine = engines::all()[kind];
        let request = engines::request(Constraint::JsonSchema(schema.clone()));
        let reply = engines::ask(engine, ChatRequest { sampling, max_tokens: Some(200), ..request }).unwrap();
        let text = reply.text();
        if reply.finish == FinishReason::EndOfTurn {
            prop_assert!(fits(&schema, &text), "{schema} and {text}");
        } else {
            prop_assert_eq!(&reply.finish, &FinishReason::Length);
            prop_assert!(serde_json::from_str::<Value>(text.trim_end_matches('\u{fffd}'))
                .err().is_none_or(|error| error.is_eof()), "{} and {}", schema, text);
        }
        prop_assert!(!engines::has_control(engine, &reply));
    }
}

#[test]
fn an_object_comes_to_its_end() {
    let schema = json!({
        "type": "object",
        "properties": {"city": {"enum": ["杭州", "Paris"]}, "days": {"type": "integer", "minimum": 1, "maximum": 14}},
        "required": ["city", "days"],
        "additionalProperties": false,
    });
    for engine in engines::all() {
        for seed in 0..10 {
            let sampling = Sampling { temperature: Some(1.0), seed: Some(seed), ..Sampling::default() };
            let request = engines::request(Constraint::JsonSchema(schema.clone()));
            let reply = engines::ask(engine, ChatRequest { sampling, ..request }).unwrap();
            assert_eq!(reply.finish, FinishReason::EndOfTurn);
            assert!(fits(&schema, &reply.text()), "{}", reply.text());
        }
    }
}
