//! Texts that a constraint lets through, byte by byte, without a model.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use qianshou_chat::Constraint;
use qianshou_tokenizer::Tokenizer;

use super::ConstraintCompiler;

/// What comes of a text.
#[derive(Debug, PartialEq, Eq)]
enum Fate<'a> {
    /// It is let through up to here.
    Refused(&'a str),
    /// More has to follow.
    Open,
    /// More can follow.
    Enough,
    Complete,
}
use Fate::{Complete, Enough, Open, Refused};

struct Writer {
    compiler: ConstraintCompiler,
    end: u32,
    vocabulary: usize,
}

impl Writer {
    fn new() -> Self {
        let lines = (0..=255_u8).map(|byte| format!("{} {byte}\n", STANDARD.encode([byte])));
        let tokenizer = Tokenizer::from_tiktoken(lines.collect::<String>()).unwrap();
        let end = tokenizer.special_id("<|im_end|>").unwrap();
        Self { compiler: ConstraintCompiler::new(&tokenizer).unwrap(), end, vocabulary: tokenizer.vocabulary_size() }
    }

    fn write<'a>(&self, constraint: &Constraint, text: &'a str) -> Fate<'a> {
        let mut guide = self.compiler.compile(constraint, &[self.end]).unwrap();
        let allowed = |guide: &super::Guide, id: u32| {
            let mut logits = vec![0.0; self.vocabulary];
            guide.mask(&mut logits);
            !logits[id as usize].is_nan()
        };
        for (at, &byte) in text.as_bytes().iter().enumerate() {
            if guide.is_complete() || !allowed(&guide, byte.into()) {
                return Refused(&text[..text.floor_char_boundary(at)]);
            }
            guide.push(byte.into()).unwrap();
        }
        match (guide.is_complete(), allowed(&guide, self.end)) {
            (true, _) => Complete,
            (false, true) => Enough,
            (false, false) => Open,
        }
    }
}

#[test]
fn a_regular_expression_covers_the_whole_reply() {
    let writer = Writer::new();
    let write = |regex: &str, text| writer.write(&Constraint::Regex(regex.to_owned()), text);
    assert_eq!(write("ab|abc", "a"), Open);
    assert_eq!(write("ab|abc", "ab"), Enough);
    assert_eq!(write("ab|abc", "abc"), Complete);
    assert_eq!(write("ab|abc", "xab"), Refused(""));
    assert_eq!(write("ab|abc", "abd"), Refused("ab"));
    assert_eq!(write("", ""), Complete);
    assert_eq!(write("^a$", "a"), Complete);
    assert_eq!(write("千|🙂", "千"), Complete);
    assert_eq!(write("千|🙂", "手"), Refused(""));
    // Nothing in it is read as Lark.
    assert_eq!(write("a/ | \"b\" // \"c\n", "a/ "), Complete);
    assert_eq!(write("a/ | \"b\" // \"c\n", " \"b\" // \"c\n"), Complete);
}

#[test]
fn a_schema_lets_white_space_between_its_parts_through_and_none_at_the_end() {
    let writer = Writer::new();
    let schema = serde_json::json!({
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {}},
        "required": ["a"],
        "additionalProperties": false,
    });
    let write = |text| writer.write(&Constraint::JsonSchema(schema.clone()), text);
    assert_eq!(write("{"), Open);
    assert_eq!(write("{ \"a\" : 12\n}"), Complete);
    assert_eq!(write("{\"a\":12, \"b\":[{}]}"), Complete);
    assert_eq!(write("{\"b\""), Refused("{\""));
    assert_eq!(write("{\"a\":12} "), Refused("{\"a\":12}"));
}

#[test]
fn a_step_of_react_is_free_text_and_then_a_call_or_an_answer() {
    let writer = Writer::new();
    let grammar = Constraint::Grammar(include_str!("../../tests/constraints/react.lark").to_owned());
    let write = |text| writer.write(&grammar, text);
    // The thought is any lines.
    assert_eq!(write("Thought:"), Open);
    assert_eq!(write("Action: get"), Refused(""));
    assert_eq!(write("Thought: I look.\n\n- 中文\nAction"), Open);
    assert_eq!(write("Thought: I look.\nActions: none. Action: none.\nThought: well"), Open);
    // None of them begins with a keyword.
    assert_eq!(write("Thought: a\nObservation:"), Refused("Thought: a\nObservation"));
    assert_eq!(write("Thought: a\nAction Input:"), Refused("Thought: a\nAction Input"));
    assert_eq!(write("Thought: a\nAction："), Refused("Thought: a\nAction"));
    // A call.
    assert_eq!(write("Thought: a\nAction:"), Open);
    assert_eq!(write("Thought: a\nAction:get"), Refused("Thought: a\nAction:"));
    assert_eq!(write("Thought: a\nAction: got"), Refused("Thought: a\nAction: g"));
    assert_eq!(write("Thought: a\nAction: get\nAction Input: {}"), Complete);
    assert_eq!(write("Thought:\nAction: get_weather\nAction Input: {\"city\": \"杭州\"}"), Complete);
    assert_eq!(
        write("Thought:\nAction: get_weather\nAction Input: {\"city\": \"杭州\", \"days\": 8"),
        Refused("Thought:\nAction: get_weather\nAction Input: {\"city\": \"杭州\", \"days\": ")
    );
    assert_eq!(write("Thought: a\nAction: python\nAction Input: ```py\nx = '```'\n\nprint(x)\n```"), Complete);
    assert_eq!(
        write("Thought: a\nAction: python\nAction Input: ```\nprint('Observation:"),
        Refused("Thought: a\nAction: python\nAction Input: ```\nprint('Observation")
    );
    // An answer.
    assert_eq!(write("Thought: a\nFinal Answer: "), Open);
    assert_eq!(write("Thought: a\nFinal Answer:  "), Refused("Thought: a\nFinal Answer: "));
    assert_eq!(write("Thought: a\nFinal Answer: It is 21 °C.\n\nAction is not needed."), Enough);
    assert_eq!(write("Thought: a\nFinal Answer: 21\nAction:"), Refused("Thought: a\nFinal Answer: 21\nAction"));
}
