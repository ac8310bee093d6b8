//! Calls that somebody has to approve.

use std::sync::Arc;

use futures_util::StreamExt as _;
use qianshou_agent::{
    Agent, AgentBuilder, Decision, Event, ObservationKind, RunError, RunState, Step, StopReason, ToolCall,
    TranscriptWriter, Warning,
};
use qianshou_tools::Calculator;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::common::{ByStep, answer, call, observations};

fn builder() -> AgentBuilder {
    let replies = [call("calculator", r#"{"expression": "6*7"}"#), answer("done")];
    Agent::builder(Arc::new(ByStep::new(replies))).tool(Calculator)
}

/// An agent whose calls are decided so.
fn decides(decision: Option<Decision>) -> Agent {
    builder().approval(move |_: ToolCall| std::future::ready(decision.clone())).build().unwrap()
}

#[tokio::test]
async fn a_call_runs_when_it_is_allowed() {
    let answer = decides(Some(Decision::Allow)).run("6*7?").await.unwrap();
    assert_eq!(observations(&answer), [(ObservationKind::Output, "42")]);
    assert_eq!(answer.steps[0].calls[0].decision, Some(Decision::Allow));
}

#[tokio::test]
async fn a_call_that_is_denied_does_not_run_and_costs_no_repair() {
    let reason = "not today".to_owned();
    let answer = decides(Some(Decision::Deny { reason })).run("6*7?").await.unwrap();
    let denied = (ObservationKind::Denied, "The call of calculator was not allowed: not today");
    assert_eq!((observations(&answer), answer.text(), answer.repairs), (vec![denied], "done", 0));
}

#[tokio::test]
async fn a_call_can_be_edited() {
    let arguments = json!({"expression": "6*8"});
    let answer = decides(Some(Decision::Edit { arguments: arguments.clone() })).run("6*7?").await.unwrap();
    let edited = "The call was changed to {\"expression\": \"6*8\"} before it ran.\n48";
    assert_eq!(observations(&answer), [(ObservationKind::Output, edited)]);
    assert_eq!(answer.steps[0].calls[0].arguments, Some(arguments));
}

#[tokio::test]
async fn an_edit_that_does_not_fit_denies_the_call() {
    let answer = decides(Some(Decision::Edit { arguments: json!({"expression": 5}) })).run("6*7?").await.unwrap();
    let fault = "/expression: expected string, got 5.".to_owned();
    let text = format!("The call of calculator was not allowed: {fault}");
    assert_eq!(observations(&answer), [(ObservationKind::Denied, text.as_str())]);
    assert_eq!(answer.steps[0].warnings, [Warning::EditDoesNotFit { call: "call-1".to_owned(), fault }]);
}

#[tokio::test]
async fn a_pending_approval_survives_a_restart() {
    let agent = decides(None);
    let RunError::Suspended { state } = agent.run("6*7?").await.unwrap_err() else { panic!("it has to wait") };
    let saved = serde_json::to_string(&state).unwrap();

    // An agent without anybody to decide does not run the call either.
    let agent = builder().build().unwrap();
    let state: RunState = serde_json::from_str(&saved).unwrap();
    let run = agent.resume(state);
    let Step::Approval(calls) = run.next() else { panic!("it has to wait") };
    assert_eq!(calls[0].arguments, json!({"expression": "6*7"}));
    let mut events = agent.drive(run, CancellationToken::new());
    let Some(Ok(Event::Suspended { calls: waiting })) = events.next().await else { panic!("it has to wait") };
    assert_eq!(waiting, calls);
    assert!(events.next().await.is_none());

    events.decide("call-1", Decision::Allow);
    assert_eq!(events.answer().await.unwrap().text(), "done");
}

#[tokio::test]
async fn a_pending_approval_survives_in_a_transcript() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl");
    let agent = decides(None);
    let suspended = agent.stream("6*7?").recorded(TranscriptWriter::create(&path).unwrap()).answer().await;
    assert!(matches!(suspended, Err(RunError::Suspended { .. })));

    let mut events = agent.resume_transcript(&path).unwrap();
    let waiting: Vec<_> = events.state().awaiting_decision().map(|call| call.id.clone()).collect();
    assert_eq!(waiting, ["call-1"]);
    events.decide("call-1", Decision::Edit { arguments: json!({"expression": "1+1"}) });
    let answer = events.answer().await.unwrap();
    let replayed = agent.replay(&qianshou_agent::Transcript::read(&path).unwrap().runs[0]).unwrap();
    assert_eq!(replayed.last(), Some(&Event::Finished { answer: Box::new(answer) }));
}

#[tokio::test]
async fn cancelling_does_not_wait_for_a_decision() {
    let agent = builder().approval(|_: ToolCall| std::future::pending()).build().unwrap();
    let mut events = agent.stream("6*7?");
    while !matches!(events.next().await, Some(Ok(Event::ApprovalNeeded { .. }))) {}
    events.cancellation().cancel();
    let answer = events.answer().await.unwrap();
    assert_eq!(answer.stop_reason, StopReason::Cancelled);
    assert_eq!(observations(&answer), [(ObservationKind::Cancelled, "The call was cancelled.")]);
}
