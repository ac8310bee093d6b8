//! Conversations of several turns.

use std::sync::Arc;

use futures_util::StreamExt as _;
use qianshou_agent::{Agent, Chat, Decision, Event, Native, RunError, ToolCall, Transcript, TranscriptWriter};
use qianshou_chat::{ChatError, ChatErrorKind, ChatModel, Message, NativeCall, Role, ScriptedModel, ScriptedReply};
use qianshou_tools::Calculator;

use crate::common::{answer, call};

fn calls() -> [String; 2] {
    [call("calculator", r#"{"expression": "6*7"}"#), answer("42")]
}

fn chat(replies: impl IntoIterator<Item = ScriptedReply>) -> (Chat, Arc<ScriptedModel>) {
    let model = Arc::new(ScriptedModel::new(replies));
    let agent = Agent::builder(Arc::clone(&model) as Arc<dyn ChatModel>).tool(Calculator).build().unwrap();
    (Chat::new(agent), model)
}

fn texts(messages: &[Message]) -> Vec<String> {
    messages.iter().map(|message| format!("{}: {}", message.role.as_str(), message.text())).collect()
}

const STEPS: &str = "assistant: Thought: I use calculator.\nAction: calculator\n\
    Action Input: {\"expression\": \"6*7\"}\nObservation: 42\nThought: I now know the final answer\nFinal Answer: 42";

#[tokio::test]
async fn questions_and_steps_become_history() {
    let replies = calls().into_iter().chain(["Final Answer: 1".to_owned()]).map(ScriptedReply::from);
    let (mut chat, model) = chat(replies);
    assert_eq!(chat.ask("6*7?").await.unwrap().text(), "42");
    assert_eq!(chat.ask("And 1?").await.unwrap().text(), "1");
    let system = "system: You are a helpful assistant.";
    let expected = [system, "user: 6*7?", STEPS, "user: And 1?", "assistant: Final Answer: 1"];
    assert_eq!(texts(chat.history()), expected);
    // The instruction stands in the last turn but one, as the official example has it.
    let asked = texts(&model.requests()[2].messages);
    assert!(asked[1].starts_with("user: Answer the following") && asked[1].ends_with("Question: 6*7?"));
    assert_eq!(asked[2..], expected[2..4]);
    chat.clear();
    assert_eq!(chat.history(), []);
}

#[tokio::test]
async fn a_cancelled_turn_keeps_what_was_said() {
    let (mut chat, _) = chat(["Thought: I think a lot.".into(), "Hello.".into()]);
    let mut turn = chat.stream("Think.");
    while let Some(event) = turn.next().await {
        if matches!(event.unwrap(), Event::ThoughtDelta { text } if text == " a") {
            turn.cancellation().cancel();
        }
    }
    drop(turn);
    assert_eq!(texts(&chat.history()[1..]), ["user: Think.", "assistant: Thought: I think a"]);
    assert_eq!(chat.ask("Hi.").await.unwrap().text(), "Hello.");
    assert_eq!(chat.history().len(), 5);
}

#[tokio::test]
async fn a_turn_that_is_dropped_keeps_whole_calls() {
    let (mut chat, _) = chat(calls().map(ScriptedReply::from));
    let mut turn = chat.stream("6*7?");
    while !matches!(turn.next().await, Some(Ok(Event::ToolStarted { .. }))) {}
    drop(turn);
    let text = chat.history()[2].text();
    assert!(text.ends_with("Action Input: {\"expression\": \"6*7\"}\nObservation: The call was cancelled."), "{text}");
}

#[tokio::test]
async fn a_turn_without_a_word_leaves_no_trace() {
    let error = ChatError::new(ChatErrorKind::Failed, "no memory");
    let (mut chat, _) = chat([ScriptedReply::Error(error), "Hello.".into()]);
    assert!(matches!(chat.ask("Hi.").await, Err(RunError::Model { .. })));
    assert_eq!(chat.history(), []);
    drop(chat.stream("Hi."));
    assert_eq!(chat.history(), []);
    assert_eq!(chat.ask("Hi.").await.unwrap().text(), "Hello.");
}

#[tokio::test]
async fn native_calls_stay_answered() {
    let call = NativeCall { id: "x".to_owned(), name: "calculator".to_owned(), arguments: "{}".to_owned() };
    let model = ScriptedModel::new([ScriptedReply::Calls(String::new(), vec![call]), "So.".into()]);
    let agent = Agent::builder(Arc::new(model)).tool(Calculator).protocol(Native::default()).build().unwrap();
    let mut chat = Chat::new(agent);
    let mut turn = chat.stream("?");
    while !matches!(turn.next().await, Some(Ok(Event::Observation { .. }))) {}
    drop(turn);
    let roles: Vec<_> = chat.history().iter().map(|message| message.role).collect();
    assert_eq!(roles, [Role::System, Role::User, Role::Assistant, Role::Tool]);
}

#[tokio::test]
async fn a_suspended_turn_goes_on_in_another_process() {
    let agent = || {
        let model = ScriptedModel::new(calls());
        let nobody = |_: ToolCall| std::future::ready(None);
        Agent::builder(Arc::new(model)).tool(Calculator).approval(nobody).build().unwrap()
    };
    let mut chat = Chat::new(agent());
    let Err(RunError::Suspended { state }) = chat.ask("6*7?").await else { panic!("it has to wait") };
    assert_eq!(chat.history(), []);

    let model = ScriptedModel::new([answer("42")]);
    let agent = Agent::builder(Arc::new(model)).tool(Calculator).build().unwrap();
    let mut chat = Chat::new(agent);
    let mut turn = chat.resume(*state);
    turn.decide("call-1", Decision::Allow);
    while turn.next().await.is_some() {}
    drop(turn);
    assert_eq!(texts(&chat.history()[2..]), [STEPS]);
}

#[tokio::test]
async fn a_suspended_turn_goes_on_in_its_own_record() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chat.jsonl");
    let model = ScriptedModel::new(calls().into_iter().chain(calls()).chain(["Final Answer: 1".to_owned()]));
    let nobody = |_: ToolCall| std::future::ready(None);
    let agent = Agent::builder(Arc::new(model)).tool(Calculator).approval(nobody).build().unwrap();
    let mut chat = Chat::new(agent.clone()).recorded(TranscriptWriter::create(&path).unwrap());
    for _ in 0..2 {
        let Err(RunError::Suspended { state }) = chat.ask("6*7?").await else { panic!("it has to wait") };
        let mut turn = chat.resume(*state);
        turn.decide("call-1", Decision::Allow);
        while let Some(event) = turn.next().await {
            event.unwrap();
        }
        drop(turn);
        chat.clear();
    }
    chat.ask("1?").await.unwrap();
    let transcript = Transcript::read(&path).unwrap();
    let answers: Vec<_> = transcript.runs.iter().map(|run| run.end().unwrap().answer.as_str()).collect();
    assert_eq!(answers, ["42", "42", "1"]);
    for run in &transcript.runs {
        assert!(matches!(agent.replay(run).unwrap().last(), Some(Event::Finished { .. })));
    }
}

#[tokio::test]
async fn a_suspended_turn_of_another_record_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chat.jsonl");
    let [call, _] = calls();
    let model = ScriptedModel::new([call.clone(), call, "Final Answer: 1".to_owned()]);
    let nobody = |_: ToolCall| std::future::ready(None);
    let agent = Agent::builder(Arc::new(model)).tool(Calculator).approval(nobody).build().unwrap();
    let mut chat = Chat::new(agent).recorded(TranscriptWriter::create(&path).unwrap());
    let Err(RunError::Suspended { state }) = chat.ask("6*7?").await else { panic!("it has to wait") };
    let Err(RunError::Suspended { .. }) = chat.ask("7*6?").await else { panic!("it has to wait") };
    let mut turn = chat.resume(*state.clone());
    turn.decide("call-1", Decision::Allow);
    let Some(Err(RunError::BegunUnrecorded { state: kept })) = turn.next().await else {
        panic!("it has to be refused")
    };
    assert_eq!(kept, state);
    drop(turn);
    // What follows is recorded as before.
    assert_eq!(chat.ask("1?").await.unwrap().text(), "1");
    let transcript = Transcript::read(&path).unwrap();
    let ended: Vec<_> = transcript.runs.iter().map(|run| run.end().is_some()).collect();
    assert_eq!(ended, [false, false, true]);
}

#[tokio::test]
async fn turns_are_recorded_one_after_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chat.jsonl");
    let (chat, _) = chat(["Final Answer: 1".into(), "Final Answer: 2".into()]);
    let mut chat = chat.recorded(TranscriptWriter::create(&path).unwrap());
    chat.ask("a").await.unwrap();
    chat.ask("b").await.unwrap();
    let transcript = Transcript::read(&path).unwrap();
    let answers: Vec<_> = transcript.runs.iter().map(|run| run.end().unwrap().answer.as_str()).collect();
    assert_eq!(answers, ["1", "2"]);
    assert_eq!(transcript.runs[1].header.conversation.len(), 4);
}
