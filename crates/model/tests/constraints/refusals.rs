//! Constraints that cannot be met are refused in one clear line.

use qianshou_chat::{ChatError, ChatErrorKind, ChatModel as _, Constraint};
use qianshou_model::Engine;
use serde_json::{Value, json};

use crate::engines;

/// Refused before a reply begins.
fn refusal(engine: &Engine, constraint: Constraint) -> ChatError {
    let request = engines::request(constraint);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let Err(error) = runtime.block_on(engine.stream(request)) else { panic!("it is accepted") };
    assert_eq!(error.kind(), ChatErrorKind::InvalidRequest);
    let message = error.to_string();
    assert!(!message.contains('\n') && message.len() < 200 && error.hint().is_some(), "{message}");
    error
}

fn says(constraint: Constraint, reason: &str) {
    let message = refusal(&engines::BYTE_LEVEL, constraint).to_string();
    assert!(message.contains(reason), "{message:?} does not say {reason:?}");
}

fn regex(regex: &str, reason: &str) {
    says(Constraint::Regex(regex.to_owned()), reason);
}

fn schema(schema: Value, reason: &str) {
    says(Constraint::JsonSchema(schema), reason);
}

fn grammar(grammar: &str, reason: &str) {
    says(Constraint::Grammar(grammar.to_owned()), reason);
}

#[test]
fn a_bad_regular_expression_is_refused() {
    regex("a(", "the regular expression cannot be used as a constraint: unclosed group");
    regex("a(?=b)", "look-around");
    regex(r"(a)\1", "backreferences are not supported");
    regex(r"\bword\b", "constraint: lookarounds not supported yet");
    regex("[b-a]", "invalid character class range");
    regex(&"(".repeat(5000), "constraint: ");
}

#[test]
fn a_bad_schema_is_refused() {
    schema(json!({"type": "integr"}), "the JSON schema cannot be used as a constraint: Invalid type: integr");
    schema(json!({"type": "array", "uniqueItems": true}), "uniqueItems");
    schema(json!({"type": "string", "pattern": "a("}), "unclosed group");
    schema(json!({"$ref": "#/$defs/missing"}), "$defs");
    schema(json!({"$ref": "https://example.org/schema"}), "$ref");
    schema(json!({"type": "integer", "minimum": 3, "maximum": 2}), "greater than maximum");
    schema(json!(false), "schema is false");
    schema(json!("integer"), "object or boolean");
}

#[test]
fn a_bad_grammar_is_refused() {
    grammar("start: word", "the grammar cannot be used as a constraint: at 1(8): unknown name: \"word\"");
    grammar("start: \"a\"\nword: )", "2(7)");
    grammar("begin: \"a\"", "no start rule");
    grammar("", "no start rule");
    grammar("start: \"a\"\nstart: \"b\"", "duplicate rule");
    grammar("start: \"a\" WORD\nWORD: /a(/", "at 2(7): unclosed group");
    grammar("start: <|no_such_token|>", "unknown special token");
}

#[test]
fn what_nothing_satisfies_is_refused() {
    grammar("start: WORD\nWORD: /a/ & /b/", "no token of its vocabulary fits");
    schema(json!({"$ref": "#"}), "no token of its vocabulary fits");
    let lacking = refusal(&engines::FEW_LETTERS, Constraint::Regex("中".to_owned()));
    assert!(lacking.to_string().contains("no token of its vocabulary fits"), "{lacking}");
}

#[test]
fn a_vocabulary_that_lacks_letters_serves_what_it_can() {
    let engine = &*engines::FEW_LETTERS;
    assert_eq!(engines::ask(engine, engines::regex(r"abba\{\}")).unwrap().text(), "abba{}");
    let error = engines::ask(engine, engines::regex("ab中")).unwrap_err();
    assert_eq!(error.kind(), ChatErrorKind::InvalidRequest);
    assert!(error.to_string().contains("no token of its vocabulary fits"), "{error}");
}

#[test]
fn what_is_too_large_is_refused() {
    regex(&"a".repeat(9000), "at most 8192");
    let patterns: Vec<_> = (0..10).map(|_| json!({"pattern": "a".repeat(1000)})).collect();
    schema(json!({"anyOf": patterns}), "at most 8192");
    let names: serde_json::Map<_, _> = (0..10).map(|letter| ("a".repeat(1000 + letter), json!(true))).collect();
    schema(json!({"patternProperties": names}), "at most 8192");
    schema(json!({"x-guidance": {"whitespace_pattern": "a?".repeat(5000)}}), "at most 8192");
    schema(json!({"enum": ["a".repeat(200_000)]}), "at most 131072");
    let nested = (0..1000).fold(json!({"type": "null"}), |inner, _| json!({"items": inner}));
    schema(nested, "deeper than 128 levels");
    grammar(&format!("start: \"{}\"", "a".repeat(200_000)), "at most 131072");
    let many: Vec<_> =
        (0..14).map(|n| json!({"anyOf": [{"minProperties": n}, {"required": [n.to_string()]}]})).collect();
    schema(json!({"type": "object", "allOf": many}), "constraint: ");
}

/// The compiler goes down a call for each link of such chains.
#[test]
fn the_longest_chains_do_not_exhaust_the_stack() {
    // Nesting is limited, but not through references.
    let links = 170;
    let definition = |link: usize| {
        let end = json!({"$ref": format!("#/$defs/{}", link + 1)});
        (0..60).fold(end, |inner, _| json!({"anyOf": [inner]}))
    };
    let mut definitions: serde_json::Map<_, _> = (0..links).map(|link| (link.to_string(), definition(link))).collect();
    definitions.insert(links.to_string(), json!({"type": "null"}));
    let schema = json!({"$ref": "#/$defs/0", "$defs": definitions});
    let length = schema.to_string().len();
    assert!((120_000..131_072).contains(&length), "{length}");
    let request = engines::request(Constraint::JsonSchema(schema));
    assert_eq!(engines::ask(&engines::BYTE_LEVEL, request).unwrap().text(), "null");

    let links = 9000;
    let rules: String = (0..links).map(|link| format!("R{link}:R{}\n", link + 1)).collect();
    let chain = Constraint::Grammar(format!("start: R0\n{rules}R{links}: \"ab\""));
    assert_eq!(engines::ask(&engines::BYTE_LEVEL, engines::request(chain)).unwrap().text(), "ab");
    let rules: String = (0..links).map(|link| format!("r{link}:r{}\n", link + 1)).collect();
    let chain = Constraint::Grammar(format!("start: r0\n{rules}r{links}: \"ab\""));
    assert_eq!(engines::ask(&engines::BYTE_LEVEL, engines::request(chain)).unwrap().text(), "ab");
}

#[test]
fn what_becomes_too_complex_ends_with_an_error() {
    let error = engines::ask(&engines::BYTE_LEVEL, engines::regex(&"a?".repeat(2000))).unwrap_err();
    assert_eq!(error.kind(), ChatErrorKind::InvalidRequest);
    assert!(error.to_string().starts_with("the reply cannot be held to its constraint: "), "{error}");
    assert!(!error.to_string().contains('\n'), "{error}");
    // The engine goes on as before.
    assert_eq!(engines::ask(&engines::BYTE_LEVEL, engines::regex("ab")).unwrap().text(), "ab");
}
