//! The grammar that a ReAct step is held to: what it lets pass is what the reader reads.

use llguidance::api::TopLevelGrammar;
use llguidance::{Matcher, ParserFactory};
use proptest::prelude::*;
use qianshou_agent::{ArgumentsFormat, Protocol as _, ReAct, ReActConstraint, StepEvent, TakenStep, ToolSpec, Turn};
use qianshou_chat::{Capabilities, Constraint, FinishReason, Message, Part};
use serde_json::json;
use toktrie::ApproximateTokEnv;

use crate::common;

fn tools() -> Vec<ToolSpec> {
    let manifest = |name: &str, parameters| {
        let manifest = json!({
            "name_for_human": name, "name_for_model": name, "description_for_model": "", "parameters": parameters,
        });
        ToolSpec::from_plugin(&manifest).unwrap()
    };
    let city = json!([
        {"name": "city", "required": true, "schema": {"type": "string"}},
        // A grammar cannot express this format; the check of the arguments can.
        {"name": "day", "schema": {"type": "string", "format": "idn-email"}},
    ]);
    let code = json!([{"name": "code", "required": true, "schema": {"type": "string"}}]);
    let python = manifest("python", code).arguments_format(ArgumentsFormat::Code);
    vec![manifest("weather", city), manifest("weather.\"now\"", json!([])), python]
}

/// The grammar of the first step, or of one that goes on.
fn grammar(constraint: ReActConstraint, continues: bool) -> String {
    let step = TakenStep { reply: vec![Part::Text("Thought: x".to_owned())], record: common::empty_record() };
    let steps = if continues { std::slice::from_ref(&step) } else { &[] };
    let (tools, conversation) = (tools(), [Message::user("q")]);
    let turn = Turn { steps, tools: &tools, ..common::turn(&conversation) };
    match ReAct::default().constrained(constraint).request(&turn).constraint {
        Some(Constraint::Grammar(grammar)) => grammar,
        other => panic!("no grammar, but {other:?}"),
    }
}

fn matcher(grammar: &str) -> Matcher {
    let factory = ParserFactory::new_simple(&ApproximateTokEnv::single_byte_env()).unwrap();
    let parser = factory.create_parser(TopLevelGrammar::from_lark(grammar.to_owned())).unwrap();
    Matcher::new(Ok(parser))
}

/// Whether a model could write this, and end there.
fn passes(grammar: &str, text: &str) -> bool {
    let mut matcher = matcher(grammar);
    let tokens: Vec<u32> = text.bytes().map(u32::from).collect();
    matcher.try_consume_tokens(&tokens).unwrap() == tokens.len() && matcher.is_accepting().unwrap()
}

fn call(tool: &str, input: &str) -> String {
    format!("Thought: I look.\nAction: {tool}\nAction Input: {input}")
}

#[test]
fn a_step_is_a_call_that_fits_or_an_answer() {
    let grammar = grammar(ReActConstraint::NamesAndInputs, false);
    for text in [
        call("weather", r#"{"city": "杭州"}"#),
        call("weather", r#"{"city": "a", "day": "b"}"#),
        call(r#"weather."now""#, "{}"),
        call("python", "```py\nprint({'a': 1})\n```"),
        "Thought: 我知道了。\nFinal Answer: 21 °C.\nStay in.".to_owned(),
    ] {
        assert!(passes(&grammar, &text), "{text}");
    }
    for text in [
        call("wether", r#"{"city": "a"}"#),
        call("weather", r#"{"town": "a"}"#),
        call("weather", r#"{"city": 3}"#),
        call("weather", "a"),
        call("weather", r#"{"city": "a"}"#) + "\nObservation: 5",
        call("python", "print(1)"),
        "Thought: so\nFinal Answer: ".to_owned(),
        "Thought: so".to_owned(),
        "Final Answer: 5".to_owned(),
        "Thought: so\n行动：weather\nFinal Answer: 5".to_owned(),
    ] {
        assert!(!passes(&grammar, &text), "{text}");
    }
}

#[test]
fn a_step_that_goes_on_begins_in_the_thought() {
    let grammar = grammar(ReActConstraint::NamesAndInputs, true);
    assert!(passes(&grammar, " I now know the final answer\nFinal Answer: 5"));
    assert!(passes(&grammar, &call("weather", r#"{"city": "a"}"#)["Thought:".len()..]));
}

#[test]
fn names_alone_can_be_held_to() {
    let grammar = grammar(ReActConstraint::Names, false);
    assert!(passes(&grammar, &call("weather", "in Oslo, I think")));
    assert!(!passes(&grammar, &call("wether", "{}")));
}

#[test]
fn a_model_that_cannot_be_held_is_not_asked_to() {
    let (tools, conversation) = (tools(), [Message::user("q")]);
    let constraint = |react: &ReAct, turn: Turn<'_>| react.request(&turn).constraint;
    let turn = Turn { tools: &tools, ..common::turn(&conversation) };
    let cannot = Capabilities { constraints: false, ..common::EVERYTHING };
    assert!(constraint(&ReAct::default(), turn).is_some());
    assert_eq!(constraint(&ReAct::default(), Turn { capabilities: cannot, ..turn }), None);
    assert_eq!(constraint(&ReAct::default(), Turn { tools: &[], ..turn }), None);
    assert_eq!(constraint(&ReAct::default().constrained(ReActConstraint::Nothing), turn), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// What is written by the template is let pass, and read as it was meant.
    #[test]
    fn a_step_that_is_rendered_passes_and_is_read_again(
        thought in "[a-zA-Z0-9 .:，：想\n]{0,40}",
        city in "\\PC{0,20}",
        said in "[a-zA-Z0-9 .,想\n]{1,40}",
    ) {
        prop_assume!(!said.trim().is_empty());
        let grammar = grammar(ReActConstraint::NamesAndInputs, false);
        let read = |text: &str| {
            let mut reader = ReAct::default().reader(&common::turn(&[]));
            let mut events = reader.push(text);
            events.extend(reader.finish(&FinishReason::EndOfTurn));
            common::joined(events)
        };
        let thought_event = (!thought.trim().is_empty()).then(|| StepEvent::Thought(thought.trim().to_owned()));

        let input = json!({"city": city}).to_string();
        let text = format!("Thought: {thought}\nAction: weather\nAction Input: {input}");
        prop_assert!(passes(&grammar, &text));
        let called = [StepEvent::Action("weather".to_owned()), StepEvent::Arguments(input)];
        prop_assert_eq!(read(&text), thought_event.clone().into_iter().chain(called).collect::<Vec<_>>());

        let text = format!("Thought: {thought}\nFinal Answer: {}", said.trim_start());
        prop_assert!(passes(&grammar, &text));
        let answered = [StepEvent::Answer(said.trim().to_owned())];
        prop_assert_eq!(read(&text), thought_event.into_iter().chain(answered).collect::<Vec<_>>());
    }
}
