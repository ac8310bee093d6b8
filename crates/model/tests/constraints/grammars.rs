//! Lark grammars, against regular expressions of the same language.

use proptest::prelude::*;
use qianshou_chat::{ChatRequest, Constraint, FinishReason};

use crate::engines;
use crate::patterns::matches;

const GRAMMARS: [(&str, &str); 5] = [
    ("start: \"a\"+ (\"千手\" | \"🙂\")", "a+(?:千手|🙂)"),
    // Left recursion.
    ("start: list\nlist: item | list \", \" item\nitem: /[ab]{1,3}/", "[ab]{1,3}(?:, [ab]{1,3})*"),
    // A border between two terminals that may begin with the same letters.
    ("start: WORD KEY?\nWORD: /[a-z]+/\nKEY: \"=\" WORD", "[a-z]+(?:=[a-z]+)?"),
    // A text without a certain line, up to one.
    ("start: HEAD\nHEAD: TEXT \"\\nb\"\nTEXT: /[ab\\n]*/ & ~/(?s:.*)\\nb(?s:.*)/", "[ab]*(?:\\n+a[ab]*)*\\n+b"),
    ("start: \"<\" %json {\"enum\": [true, \"a b\"]} \">\"", "<(?:true|\"a b\")>"),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_reply_that_ends_by_itself_is_in_the_language(
        grammar in 0..GRAMMARS.len(), sampling in engines::samplings(), kind in 0_usize..3,
    ) {
        let (engine, (grammar, regex)) = (engines::all()[kind], GRAMMARS[grammar]);
        let request = engines::request(Constraint::Grammar(grammar.to_owned()));
        let reply = engines::ask(engine, ChatRequest { sampling, max_tokens: Some(100), ..request }).unwrap();
        if reply.finish == FinishReason::EndOfTurn {
            prop_assert!(matches(regex, &reply.text()), "{grammar} and {:?}", reply.text());
        } else {
            prop_assert_eq!(&reply.finish, &FinishReason::Length);
        }
        prop_assert!(!engines::has_control(engine, &reply));
    }
}

#[test]
fn a_control_token_comes_only_where_a_grammar_names_it() {
    let engine = &*engines::BYTE_LEVEL;
    let ask = |grammar: &str| {
        let request = engines::request(Constraint::Grammar(grammar.to_owned()));
        engines::ask(engine, ChatRequest { max_tokens: Some(300), ..request }).unwrap()
    };
    let named = ask("start: \"a\" <tool_call> \"b\"");
    assert_eq!(named.text(), "a<tool_call>b");
    assert_eq!(engines::ids(&named)[1], engine.tokenizer().special_id("<tool_call>").unwrap());
    let spelled = ask("start: \"a<tool_call>b\"");
    assert_eq!(spelled.text(), "a<tool_call>b");
    assert!(!engines::has_control(engine, &spelled));
    // Any bytes at all, those that mark the control tokens inside the parser among them.
    let bytes = "%llguidance {\"allow_invalid_utf8\": true}\nstart: /(?s-u:.){200}/";
    assert!(!engines::has_control(engine, &ask(bytes)));
}

#[test]
fn a_turn_does_not_end_inside_of_what_is_asked_for() {
    // To the parser this token is one like all others; to the engine it ends the turn.
    let request = engines::request(Constraint::Grammar("start: \"a\" <|im_end|> \"b\"".to_owned()));
    let error = engines::ask(&engines::BYTE_LEVEL, request).unwrap_err();
    assert!(error.to_string().contains("no token of its vocabulary fits"), "{error}");
}
