//! Calls that somebody has to approve.

use std::sync::Arc;

use futures_util::{FutureExt as _, StreamExt as _};
use qianshou_agent::{
    Agent, AgentBuilder, Decision, Event, EventStream, ObservationKind, Record, RunError, RunState, Step, StopReason,
    ToolCall, Transcript, TranscriptWriter, Warning,
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
    let replayed = agent.replay(&Transcript::read(&path).unwrap().runs[0]).unwrap();
    assert_eq!(replayed.last(), Some(&Event::Finished { answer: Box::new(answer) }));
}

/// Whoever resumes a run, its calls need approval if they did when it began.
#[tokio::test]
async fn a_run_that_needs_approval_needs_it_with_any_agent() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl");
    let replies = [call("calculator", r#"{"expression": "6*7"}"#), call("calculator", r#"{"expression": "6*8"}"#)];
    let builder = || Agent::builder(Arc::new(ByStep::new(replies.clone().into_iter().chain([answer("done")]))));
    let asks = builder().tool(Calculator).approval(|_: ToolCall| std::future::pending()).build().unwrap();
    let mut events = asks.stream("6*7?").recorded(TranscriptWriter::create(&path).unwrap());
    while !matches!(events.next().await, Some(Ok(Event::ApprovalNeeded { .. }))) {}
    // As if the process were killed while somebody thinks about it.
    drop(events);
    assert!(Transcript::read(&path).unwrap().runs[0].header.approval);

    let agent = builder().tool(Calculator).build().unwrap();
    for id in ["call-1", "call-2"] {
        let mut events = agent.resume_transcript(&path).unwrap();
        let Some(Ok(Event::Suspended { .. })) = events.next().await else { panic!("{id} has to wait") };
        events.decide(id, Decision::Allow);
        while events.next().await.is_some() {}
    }
    let run = Transcript::read(&path).unwrap().runs.remove(0);
    assert_eq!(run.end().unwrap().answer, "done");
    assert!(run.steps().all(|step| step.outcome.calls.iter().all(|call| call.decision == Some(Decision::Allow))));
    assert!(matches!(agent.replay(&run).unwrap().last(), Some(Event::Finished { .. })));
}

#[tokio::test]
async fn a_decision_does_not_wait_for_who_was_asked() {
    let agent = builder().approval(|_: ToolCall| std::future::pending()).build().unwrap();
    let mut events = agent.stream("6*7?");
    while !matches!(events.next().await, Some(Ok(Event::ApprovalNeeded { .. }))) {}
    // Whoever is asked is asked now, and never answers.
    assert!(events.next().now_or_never().is_none());
    events.decide("call-1", Decision::Allow);
    assert_eq!(events.answer().await.unwrap().text(), "done");
}

#[tokio::test]
async fn a_decision_that_no_call_waits_for_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl");
    let agent = decides(None);
    let mut events = agent.stream("6*7?").recorded(TranscriptWriter::create(&path).unwrap());
    let stray = |events: &mut EventStream| {
        for id in ["call-1", "call-9"] {
            events.decide(id, Decision::Deny { reason: "late".to_owned() });
        }
    };
    stray(&mut events);
    while events.next().await.is_some() {}
    events.decide("call-9", Decision::Allow);
    assert!(events.next().await.is_none(), "it still waits");
    events.decide("call-1", Decision::Allow);
    stray(&mut events);
    let mut seen = Vec::new();
    while let Some(event) = events.next().await {
        seen.push(event.unwrap());
        stray(&mut events);
    }
    stray(&mut events);
    drop(events);
    let Some(Event::Finished { answer }) = seen.last() else { panic!("{seen:?}") };
    assert_eq!(observations(answer), [(ObservationKind::Output, "42")]);
    let run = Transcript::read(&path).unwrap().runs.remove(0);
    let decisions = run.records.iter().filter(|timed| matches!(timed.record, Record::Decision(_)));
    assert_eq!(decisions.count(), 1);
    assert_eq!(agent.replay(&run).unwrap().last(), seen.last());
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
