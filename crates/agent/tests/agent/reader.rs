//! The rules of the ReAct reader, and what holds for any text.

use proptest::prelude::*;
use qianshou_agent::{Protocol as _, ReAct, StepEvent, StepReader, TakenStep, Turn, Warning};
use qianshou_chat::{FinishReason, Part};

use crate::common;

/// A reader for the first reply of a turn, or for one that continues after a step.
fn reader(continues: bool) -> Box<dyn StepReader> {
    let step = TakenStep { reply: vec![Part::Text("Thought: x".to_owned())], record: common::empty_record() };
    let steps = if continues { std::slice::from_ref(&step) } else { &[] };
    ReAct::default().reader(&Turn { steps, ..common::turn(&[]) })
}

/// The events of a reply with deltas of one kind joined, and how much of it is kept.
fn read_pieces<'a>(
    pieces: impl IntoIterator<Item = &'a str>,
    finish: &FinishReason,
    continues: bool,
) -> (Vec<StepEvent>, Option<usize>) {
    let mut reader = reader(continues);
    let mut events: Vec<StepEvent> = pieces.into_iter().flat_map(|piece| reader.push(piece)).collect();
    events.extend(reader.finish(finish));
    (common::joined(events), reader.kept())
}

fn read(text: &str) -> Vec<StepEvent> {
    read_pieces([text], &FinishReason::EndOfTurn, false).0
}

fn thought(text: &str) -> StepEvent {
    StepEvent::Thought(text.to_owned())
}

fn action(name: &str) -> StepEvent {
    StepEvent::Action(name.to_owned())
}

fn arguments(text: &str) -> StepEvent {
    StepEvent::Arguments(text.to_owned())
}

fn answer(text: &str) -> StepEvent {
    StepEvent::Answer(text.to_owned())
}

fn looks_like_call(text: &str) -> StepEvent {
    StepEvent::Warning(Warning::LooksLikeCall { text: text.to_owned() })
}

#[test]
fn a_call_and_an_answer() {
    let call = "Thought: I need it.\nAction: weather\nAction Input: {\"city\": \"Oslo\"}\n";
    assert_eq!(read(call), [thought("I need it."), action("weather"), arguments("{\"city\": \"Oslo\"}")]);
    let end = "Thought: I now know.\nFinal Answer: It rains.\nStay in.\n";
    assert_eq!(read(end), [thought("I now know."), answer("It rains.\nStay in.")]);
}

#[test]
fn a_continuation_begins_in_the_thought() {
    let (events, _) = read_pieces([" I know.\nFinal Answer: 5"], &FinishReason::EndOfTurn, true);
    assert_eq!(events, [thought("I know."), answer("5")]);
}

#[test]
fn of_several_actions_the_last_before_the_input_counts() {
    let events = read("Action: a\nAction: b\nAction Input: {}");
    let dropped = StepEvent::Warning(Warning::SeveralActions { dropped: "a".to_owned() });
    assert_eq!(events, [dropped, action("b"), arguments("{}")]);
}

#[test]
fn of_several_calls_the_first_counts() {
    let text = "Action: a\nAction Input: {}\nAction: b\nAction Input: {}";
    let (events, kept) = read_pieces([text], &FinishReason::EndOfTurn, false);
    assert_eq!(events, [action("a"), arguments("{}"), StepEvent::Warning(Warning::TextAfterCall)]);
    assert_eq!(kept.map(|kept| &text[..kept]), Some("Action: a\nAction Input: {}\n"));
}

#[test]
fn an_invented_observation_is_dropped() {
    let text = "Action: a\nAction Input: {}\nObservation: 5\nThought: done\nFinal Answer: 5";
    let (events, kept) = read_pieces([text], &FinishReason::EndOfTurn, false);
    assert_eq!(events, [action("a"), arguments("{}"), StepEvent::Warning(Warning::InventedObservation)]);
    assert_eq!(kept.map(|kept| &text[..kept]), Some("Action: a\nAction Input: {}\n"));
}

#[test]
fn an_answer_beside_an_action_is_dropped_and_an_action_in_an_answer_is_text() {
    let events = read("Action: a\nAction Input: {}\nFinal Answer: 5");
    assert_eq!(events, [action("a"), arguments("{}"), StepEvent::Warning(Warning::AnswerBesideAction)]);
    let events = read("Final Answer: 5\nAction: a\nAction Input: {}");
    assert_eq!(events, [answer("5\nAction: a\nAction Input: {}"), looks_like_call("Action: a")]);
}

#[test]
fn a_missing_input_is_a_call_without_arguments_if_nothing_else_follows() {
    let missing = StepEvent::Warning(Warning::MissingInput { name: "clock".to_owned() });
    for text in ["Action: clock", "Action: clock\nObservation:", "Action: clock\nObserv"] {
        assert_eq!(read(text), [missing.clone(), action("clock")], "{text}");
    }
    assert_eq!(read("Action: I would rest."), [looks_like_call("Action: I would rest.")]);
    let events = read("Action: none\nFinal Answer: 5");
    assert_eq!(events, [answer("5"), looks_like_call("Action: none")]);
    let events = read("Action: none\nThought: or not\nFinal Answer: 5");
    assert_eq!(events, [thought("or not"), answer("5"), looks_like_call("Action: none")]);
}

#[test]
fn in_a_code_fence_only_observation_is_a_keyword() {
    let code = "```py\n# \nThought: x\nAction: y\n```";
    assert_eq!(read(&format!("Action: py\nAction Input: {code}\n")), [action("py"), arguments(code)]);
    let open = "Action: py\nAction Input: ```py\nprint(1)\nObservation: 1";
    let invented = StepEvent::Warning(Warning::InventedObservation);
    assert_eq!(read(open), [action("py"), arguments("```py\nprint(1)"), invented]);
}

#[test]
fn chinese_colons_are_colons() {
    let events = read("Thought：想\nAction：weather\nAction Input：{}\nObservation：晴");
    let invented = StepEvent::Warning(Warning::InventedObservation);
    assert_eq!(events, [thought("想"), action("weather"), arguments("{}"), invented]);
    assert_eq!(read("Final Answer：好"), [answer("好")]);
}

#[test]
fn chinese_words_are_keywords() {
    for (action, input) in [("行动", "行动输入"), ("动作", "动作输入")] {
        let events = read(&format!("思考：想\n{action}：weather\n{input}：{{}}\n观察：晴"));
        let invented = StepEvent::Warning(Warning::InventedObservation);
        assert_eq!(events, [thought("想"), self::action("weather"), arguments("{}"), invented]);
    }
    assert_eq!(read("思考: 好\n最终答案：好\n观察：这是正文"), [thought("好"), answer("好\n观察：这是正文")]);
    // Prose may begin a line with the word.
    assert_eq!(read("观察：晴\n最终回答：好"), [thought("观察：晴"), answer("好")]);
}

#[test]
fn bold_keywords_are_keywords() {
    let call = "**Thought:** hm\n**Action:** weather\n**Action Input**: {}\n**Observation:** 5";
    let invented = StepEvent::Warning(Warning::InventedObservation);
    assert_eq!(read(call), [thought("hm"), action("weather"), arguments("{}"), invented]);
    assert_eq!(read("**Final Answer:**\n**5**"), [answer("**5**")]);
    assert_eq!(read("**Final Answer:**"), []);
    assert_eq!(read("**5** it is"), [thought("**5** it is"), answer("**5** it is")]);
}

#[test]
fn thinking_is_thought_whatever_it_holds() {
    let thinking = "<think>\nI could do\nAction: a\nAction Input: {}\nor not.\n</think>\n\n";
    let inside = "I could do\nAction: a\nAction Input: {}\nor not.";
    let call = "Thought: I do.\nAction: b\nAction Input: {}";
    let expected = [thought(&format!("{inside}\nI do.")), action("b"), arguments("{}")];
    assert_eq!(read(&format!("{thinking}{call}")), expected);
    assert_eq!(read(&format!("{thinking}Paris.")), [thought(&format!("{inside}\nParis.")), answer("Paris.")]);
    assert_eq!(read(&format!("<think>\n\n</think>\n\n{call}"))[0], thought("I do."));
    // Some templates open the block themselves.
    assert_eq!(read("I could.\n</think>\n\nFinal Answer: 5"), [thought("I could."), answer("5")]);
    let opened = "Okay, the user asks.\nAction Input: {}\nor <tool_call>\n</think>\n\nParis.";
    let reasoning = "Okay, the user asks.\nAction Input: {}\nor <tool_call>";
    assert_eq!(read(opened), [thought(&format!("{reasoning}\nParis.")), answer("Paris.")]);
    assert_eq!(read("I could.\n</think>\n"), [thought("I could.")]);
    // But a call in it counts, as nothing tells yet that it is none.
    let input = "{}\n</think>\n\nParis.";
    let called = read(&format!("I could.\nAction: a\nAction Input: {input}"));
    assert_eq!(called, [thought("I could."), action("a"), arguments(input)]);
    let (events, _) = read_pieces([format!(" <think>x</think>{call}").as_str()], &FinishReason::EndOfTurn, true);
    assert_eq!(events[0], thought("x\nI do."));
    // Elsewhere the tag is text.
    assert_eq!(read("Final Answer: a\n<think>b"), [answer("a\n<think>b")]);
    assert_eq!(read("So <think> it is"), [thought("So <think> it is"), answer("So <think> it is")]);
}

#[test]
fn thinking_that_does_not_end_is_no_answer() {
    assert_eq!(read("<think>hm"), [thought("hm")]);
    assert_eq!(read("<think>hm</thin"), [thought("hm</thin")]);
    let stopped = read_pieces(["<think>hm\n"], &FinishReason::Stop("Observation:".to_owned()), false).0;
    assert_eq!(stopped, [thought("hm"), StepEvent::Warning(Warning::StoppedInThinking)]);
}

#[test]
fn trailing_prose_is_left_to_the_arguments() {
    let events = read("Action: a\nAction Input: {}\nI wait for the result.");
    assert_eq!(events, [action("a"), arguments("{}\nI wait for the result.")]);
}

#[test]
fn a_reply_without_keywords_is_the_answer_unless_it_looks_like_a_call() {
    assert_eq!(read("Paris.\n"), [thought("Paris."), answer("Paris.")]);
    let inline = "Thought: I know it. Final Answer: Paris.";
    assert_eq!(read(inline), [thought("I know it. Final Answer: Paris."), answer("Paris.")]);
    for text in ["Action Input: {}", "action: a\naction input: {}", "Use it. Action: a\nAction Input: {}"] {
        let events = read(text);
        assert!(matches!(events.last(), Some(StepEvent::Warning(Warning::LooksLikeCall { .. }))), "{events:?}");
    }
    let native = read("<tool_call>{\"name\": \"a\"}</tool_call>");
    assert_eq!(native.last(), Some(&looks_like_call("<tool_call>{\"name\": \"a\"}</tool_call>")));
    let cut_off = read_pieces(["Par"], &FinishReason::Length, false).0;
    assert_eq!(cut_off, [thought("Par")]);
    let stopped = read_pieces(["Hm.\n"], &FinishReason::Stop("Observation:".to_owned()), false).0;
    assert_eq!(stopped, [thought("Hm.")]);
    assert_eq!(read(""), []);
}

/// Replies put together from what models write.
fn replies() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("Thought:"),
        Just("Action:"),
        Just("Action Input:"),
        Just("Action"),
        Just("Observation:"),
        Just("Observ"),
        Just("Final Answer:"),
        Just("Action："),
        Just("观察："),
        Just("动作输入："),
        Just("<think>"),
        Just("</think>"),
        Just("**"),
        Just("```"),
        Just("\n"),
        Just(" "),
        Just("weather"),
        Just("{\"a\": 1}"),
        Just("A"),
        Just("é汉"),
    ];
    prop_oneof![proptest::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat()), "\\PC{0,40}",]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_split_gives_the_same_events(
        text in replies(),
        finish in common::finishes(),
        continues: bool,
        cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..6),
    ) {
        let whole = read_pieces([text.as_str()], &finish, continues);
        let characters: Vec<String> = text.chars().map(String::from).collect();
        let by_character = read_pieces(characters.iter().map(String::as_str), &finish, continues);
        prop_assert_eq!(&by_character, &whole);

        prop_assert_eq!(read_pieces(common::split(&text, &cuts), &finish, continues), whole);
    }

    #[test]
    fn what_is_kept_is_a_beginning_of_the_reply(text in replies()) {
        let (_, kept) = read_pieces([text.as_str()], &FinishReason::EndOfTurn, false);
        if let Some(kept) = kept {
            let before = &text[..kept];
            prop_assert!(before.is_empty() || before.ends_with('\n') || before.ends_with("</think>"));
        }
    }

    #[test]
    fn a_reply_has_one_call_or_one_answer(text in replies(), finish in common::finishes()) {
        let (events, _) = read_pieces([text.as_str()], &finish, false);
        let calls = events.iter().filter(|event| matches!(event, StepEvent::Action(_))).count();
        let answers = events.iter().filter(|event| matches!(event, StepEvent::Answer(_))).count();
        prop_assert!(calls + answers <= 1, "{:?}", events);
    }
}
