//! Native calls: the requests, the rules of the reader, and whole runs.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use qianshou_agent::{
    Agent, BuildError, Event, Native, ObservationKind, Protocol as _, StepEvent, StepRecord, StopReason, ToolContext,
    ToolSpec, Warning, tool_fn,
};
use qianshou_chat::{
    Capabilities, ChatModel, FinishReason, Message, NativeCall, Part, Role, ScriptedModel, ScriptedReply,
};
use qianshou_tools::Calculator;
use serde_json::json;
use tokio::sync::Barrier;

use crate::common;

fn read_pieces<'a>(
    pieces: impl IntoIterator<Item = &'a str>,
    finish: &FinishReason,
) -> (Vec<StepEvent>, Option<usize>) {
    let mut reader = Native::default().reader(&common::turn(&[]));
    let mut events: Vec<StepEvent> = pieces.into_iter().flat_map(|piece| reader.push(piece)).collect();
    events.extend(reader.finish(finish));
    (common::joined(events), reader.kept())
}

fn read(text: &str) -> Vec<StepEvent> {
    read_pieces([text], &FinishReason::EndOfTurn).0
}

fn thought(text: &str) -> StepEvent {
    StepEvent::Thought(text.to_owned())
}

fn answer(text: &str) -> StepEvent {
    StepEvent::Answer(text.to_owned())
}

fn call(name: &str, input: &str) -> [StepEvent; 2] {
    [StepEvent::Action(name.to_owned()), StepEvent::Arguments(input.to_owned())]
}

fn warning(warning: Warning) -> StepEvent {
    StepEvent::Warning(warning)
}

fn block(name: &str, arguments: &str) -> String {
    format!("<tool_call>\n{{\"name\": \"{name}\", \"arguments\": {arguments}}}\n</tool_call>")
}

#[test]
fn text_is_the_answer_and_thinking_is_thought() {
    assert_eq!(read("Paris.\n"), [answer("Paris.")]);
    assert_eq!(read("<think>\nhm <tool_call>\n</think>\n\nParis."), [thought("hm <tool_call>"), answer("Paris.")]);
    assert_eq!(read("hm\n</think>\n\nParis."), [answer("hm"), StepEvent::AnswerWasThought, answer("Paris.")]);
    assert_eq!(read("So <think> it is"), [answer("So <think> it is")]);
    assert_eq!(read("<think>hm"), [thought("hm")]);
    assert_eq!(read(""), []);
}

#[test]
fn blocks_are_calls() {
    let one = block("add", r#"{"a": 1}"#);
    let two = block("mul", r#"{"a": 2}"#);
    let both = [call("add", r#"{"a":1}"#), call("mul", r#"{"a":2}"#)].concat();
    assert_eq!(read(&format!("{one}\n{two}")), both);
    assert_eq!(read(&one.replace("</tool_call>", &two)), both, "a block that is not closed");
    // Of two blocks, one that cannot be read is told.
    let nameless = "<tool_call>\n{\"arguments\": {}}\n";
    let events = read(&format!("{nameless}</tool_call>\n{two}"));
    let told = vec![warning(Warning::LooksLikeCall { text: nameless.to_owned() })];
    assert_eq!(events, [call("mul", r#"{"a":2}"#).to_vec(), told].concat());
    let beside = read(&format!("I add.\n{one}"));
    assert_eq!(beside[..2], [answer("I add."), StepEvent::AnswerWasThought]);
    assert_eq!(beside[2..], call("add", r#"{"a":1}"#));
}

#[test]
fn what_follows_a_call_is_dropped() {
    let one = block("add", "{}");
    for (rest, odd) in [
        ("\n<tool_response>\n5\n</tool_response>", Warning::InventedObservation),
        ("\nIt is 5.", Warning::TextAfterCall),
        (&format!("\nAnd now:\n{one}"), Warning::TextAfterCall),
    ] {
        let (events, kept) = read_pieces([format!("{one}{rest}").as_str()], &FinishReason::EndOfTurn);
        assert_eq!(events, [call("add", "{}").to_vec(), vec![warning(odd)]].concat());
        assert_eq!(kept, Some(one.len() + 1));
    }
}

#[test]
fn what_only_looks_like_a_call_is_neither_call_nor_answer() {
    let nameless = "<tool_call>\n{\"arguments\": {}}\n</tool_call>";
    let text = "<tool_call>\n{\"arguments\": {}}\n".to_owned();
    assert_eq!(read(nameless), [warning(Warning::LooksLikeCall { text })]);
    let bare = r#"{"name": "add", "arguments": {}}"#;
    let looks = warning(Warning::LooksLikeCall { text: bare.to_owned() });
    assert_eq!(read(bare), [answer(bare), looks, StepEvent::AnswerWasThought]);
    let stopped = read_pieces(["It is"], &FinishReason::Stop("<tool_response>".to_owned())).0;
    assert_eq!(stopped, [answer("It is"), warning(Warning::InventedObservation), StepEvent::AnswerWasThought]);
}

fn replies() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("<think>"),
        Just("</think>"),
        Just("<tool_call>"),
        Just("</tool_call>"),
        Just("<tool_response>"),
        Just("<tool"),
        Just("</t"),
        Just("{\"name\": \"add\", \"arguments\": {\"a\": 1}}"),
        Just("{'name': 'add'"),
        Just("\n"),
        Just(" "),
        Just("<"),
        Just("天气"),
        Just("words"),
    ];
    prop_oneof![proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat()), "\\PC{0,40}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_split_gives_the_same_events(
        text in replies(),
        finish in common::finishes(),
        cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..6),
    ) {
        let whole = read_pieces([text.as_str()], &finish);
        let characters: Vec<String> = text.chars().map(String::from).collect();
        prop_assert_eq!(&read_pieces(characters.iter().map(String::as_str), &finish), &whole);
        prop_assert_eq!(read_pieces(common::split(&text, &cuts), &finish), whole);
    }

    #[test]
    fn a_call_that_is_rendered_is_read_again(
        calls in proptest::collection::vec(("[a-z_]{1,8}", "\\PC{0,20}", any::<i64>()), 1..4),
    ) {
        let objects: Vec<_> = calls.iter().map(|(_, text, number)| json!({"text": text, "n": number})).collect();
        let text: Vec<_> = calls.iter().zip(&objects).map(|((name, ..), object)| {
            format!("<tool_call>\n{}\n</tool_call>", json!({"name": name, "arguments": object}))
        }).collect();
        let expected: Vec<_> =
            calls.iter().zip(&objects).flat_map(|((name, ..), object)| call(name, &object.to_string())).collect();
        // The tag itself in a text ends the block, for every reader of this form.
        prop_assume!(!calls.iter().any(|(_, text, _)| text.contains("tool_call>")));
        prop_assert_eq!(read(&text.join("\n")), expected);
    }
}

fn native(id: &str, name: &str, arguments: &str) -> NativeCall {
    NativeCall { id: id.to_owned(), name: name.to_owned(), arguments: arguments.to_owned() }
}

/// Two tools that end only together, the first after the second.
fn meeting() -> [Arc<dyn qianshou_agent::AnyTool>; 2] {
    let barrier = Arc::new(Barrier::new(2));
    ["first", "second"].map(|name| {
        let barrier = Arc::clone(&barrier);
        let tool = tool_fn(name, "Waits for the other.", move |_: (), _: ToolContext| {
            let barrier = Arc::clone(&barrier);
            async move {
                barrier.wait().await;
                if name == "first" {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                Ok(name.into())
            }
        });
        Arc::new(tool) as Arc<dyn qianshou_agent::AnyTool>
    })
}

#[tokio::test(start_paused = true)]
async fn parallel_calls_run_at_once_and_come_back_in_order() {
    let calls = vec![native("x1", "first", "{}"), native("x2", "second", "{}"), native("x3", "third", "{}")];
    let replies = [ScriptedReply::Calls("Both.".to_owned(), calls.clone()), "Done.".into()];
    let model = Arc::new(ScriptedModel::new(replies));
    let agent = Agent::builder(Arc::clone(&model) as Arc<dyn ChatModel>)
        .any_tools(meeting())
        .protocol(Native::default())
        .build()
        .unwrap();
    let answer = agent.run("Go.").await.unwrap();
    assert_eq!((answer.text(), answer.repairs), ("Done.", 1));
    assert_eq!(answer.steps[0].thought, "Both.");
    let kinds: Vec<_> = answer.steps[0].observations().map(|observation| observation.kind).collect();
    assert_eq!(kinds, [ObservationKind::Output, ObservationKind::Output, ObservationKind::UnknownTool]);

    let request = &model.requests()[1];
    let names: Vec<_> = request.tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!((names, request.continue_last), (vec!["first", "second"], false));
    let roles: Vec<_> = request.messages.iter().map(|message| message.role).collect();
    assert_eq!(roles, [Role::System, Role::User, Role::Assistant, Role::Tool, Role::Tool, Role::Tool]);
    assert_eq!(request.messages[2].calls().cloned().collect::<Vec<_>>(), calls);
    assert_eq!(request.messages[3..5], [Message::result("x1", "first"), Message::result("x2", "second")]);
    assert_eq!(answer.messages[..6], request.messages);
    assert_eq!(answer.messages[6], Message::assistant("Done."));
}

#[tokio::test]
async fn calls_that_a_server_gives_as_text_become_calls_of_the_history() {
    let replies = [block("calculator", r#"{"expression": "6*7"}"#), "42".to_owned()];
    let model = Arc::new(ScriptedModel::new(replies));
    let agent = Agent::builder(Arc::clone(&model) as Arc<dyn ChatModel>)
        .tool(Calculator)
        .protocol(Native::default())
        .build()
        .unwrap();
    let answer = agent.run("6*7?").await.unwrap();
    assert_eq!(answer.text(), "42");
    let messages = &model.requests()[1].messages;
    assert_eq!(messages[2].content, [Part::Call(native("call-1", "calculator", r#"{"expression":"6*7"}"#))]);
    assert_eq!(messages[3], Message::result("call-1", "42"));

    // Ids stay unique over the turns of a conversation.
    let replies = [block("calculator", r#"{"expression": "1+1"}"#), "2".to_owned()];
    let agent = Agent::builder(Arc::new(ScriptedModel::new(replies)))
        .tool(Calculator)
        .protocol(Native::default())
        .build()
        .unwrap();
    let answer = agent.run([answer.messages, vec![Message::user("1+1?")]].concat()).await.unwrap();
    assert_eq!(answer.messages[7], Message::result("call-2", "2"));
}

#[tokio::test]
async fn a_call_in_text_and_one_apart_each_get_their_own_result() {
    let apart = native("abc", "calculator", r#"{"expression": "1+1"}"#);
    let text = block("calculator", r#"{"expression": "6*7"}"#);
    let model = Arc::new(ScriptedModel::new([ScriptedReply::Calls(text, vec![apart]), "42 and 2.".into()]));
    let agent = Agent::builder(Arc::clone(&model) as Arc<dyn ChatModel>)
        .tool(Calculator)
        .protocol(Native::default())
        .build()
        .unwrap();
    assert_eq!(agent.run("6*7 and 1+1?").await.unwrap().text(), "42 and 2.");
    let messages = &model.requests()[1].messages;
    let calls = [
        native("call-1", "calculator", r#"{"expression":"6*7"}"#),
        native("call-2", "calculator", r#"{"expression": "1+1"}"#),
    ];
    assert_eq!(messages[2].content, calls.map(Part::Call));
    assert_eq!(messages[3..], [Message::result("call-1", "42"), Message::result("call-2", "2")]);
}

#[tokio::test]
async fn a_call_that_cannot_be_read_is_repaired() {
    let replies = ["<tool_call>\ncalculator\n</tool_call>".to_owned(), "42".to_owned()];
    let model = Arc::new(ScriptedModel::new(replies));
    let agent = Agent::builder(Arc::clone(&model) as Arc<dyn ChatModel>)
        .tool(Calculator)
        .protocol(Native::default())
        .build()
        .unwrap();
    let answer = agent.run("6*7?").await.unwrap();
    assert_eq!((answer.text(), answer.repairs), ("42", 1));
    let told = &model.requests()[1].messages[3];
    assert_eq!(told.role, Role::User);
    assert!(told.text().starts_with("That was no call that could be read."));
}

#[tokio::test]
async fn calls_that_were_cut_off_are_closed_and_not_run() {
    let calls = vec![native("a", "calculator", r#"{"expression": "6*7"}"#)];
    let agent = Agent::builder(Arc::new(ScriptedModel::new([ScriptedReply::Calls(String::new(), calls)])))
        .tool(Calculator)
        .protocol(Native::default())
        .max_reply_tokens(10)
        .build()
        .unwrap();
    let answer = agent.run("6*7?").await.unwrap();
    assert_eq!(answer.stop_reason, StopReason::ReplyLength);
    assert_eq!(answer.messages[2].content, [Part::Call(native("a", "calculator", r#"{"express"#))]);
    assert_eq!(answer.messages[3], Message::result("a", "The call was cancelled."));
}

#[test]
fn what_cannot_be_offered_is_refused() {
    let build = |name: &str, capabilities| {
        let tool = tool_fn(name, "", |_: (), _: ToolContext| async { Ok("".into()) });
        let model = ScriptedModel::new([""]).with_capabilities(capabilities);
        Agent::builder(Arc::new(model)).tool(tool).protocol(Native::default()).build().err()
    };
    assert!(build("units-convert_2", common::EVERYTHING).is_none());
    for name in ["units.convert", "天气", &"a".repeat(65)] {
        assert!(matches!(build(name, common::EVERYTHING), Some(BuildError::ToolName { .. })), "{name}");
    }
    let error = build("a", Capabilities { native_tools: false, ..common::EVERYTHING });
    assert!(matches!(error, Some(BuildError::NoNativeTools { model }) if model == "scripted"));
}

#[test]
fn a_manifest_s_parameters_become_a_schema() {
    let manifest = json!({
        "name_for_human": "天气", "name_for_model": "weather", "description_for_model": "查询",
        "parameters": [{"name": "city", "description": "城市名", "required": true, "schema": {"type": "string"}}],
    });
    let tools = [ToolSpec::from_plugin(&manifest).unwrap()];
    let conversation = [Message::user("q")];
    let request = Native::default().request(&qianshou_agent::Turn { tools: &tools, ..common::turn(&conversation) });
    let expected = json!({
        "type": "object",
        "properties": {"city": {"type": "string", "description": "城市名"}},
        "required": ["city"],
    });
    assert_eq!(request.tools[0].parameters, expected);
}

#[tokio::test]
async fn an_answer_that_turns_out_a_thought_is_told() {
    let replies = [format!("I add.{}", block("calculator", r#"{"expression": "1+1"}"#)), "2".to_owned()];
    let agent = Agent::builder(Arc::new(ScriptedModel::new(replies)))
        .tool(Calculator)
        .protocol(Native::default())
        .build()
        .unwrap();
    let events = common::events(&agent, "1+1?").await;
    assert!(events.contains(&Event::AnswerWasThought));
    let Some(Event::Finished { answer }) = events.last() else { panic!("{events:?}") };
    let thoughts: Vec<_> = answer.steps.iter().map(|step: &StepRecord| step.thought.as_str()).collect();
    assert_eq!((answer.text(), thoughts), ("2", vec!["I add.", ""]));
}
