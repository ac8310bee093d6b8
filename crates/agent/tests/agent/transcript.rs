//! Transcripts: what is written, read, resumed, replayed and shown.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use proptest::prelude::*;
use qianshou_agent::{
    Agent, AgentBuilder, Answer, Detail, Event, Paragraph, ParagraphKind, Record, RunError, StopReason, ToolContext,
    Transcript, TranscriptError, TranscriptWriter, tool_fn,
};
use qianshou_chat::{ChatModel as _, Recording, Replay, ScriptedModel};
use qianshou_tools::Calculator;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::common::{ByStep, answer, call};

fn file() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl");
    (folder, path)
}

fn replies() -> [String; 4] {
    [
        call("calculater", "{}"),
        call("calculator", r#"{'expression': "6*7"}"#),
        call("calculator", r#"{"expression": "1/0"}"#),
        answer("42"),
    ]
}

fn builder() -> AgentBuilder {
    Agent::builder(Arc::new(ByStep::new(replies()))).tool(Calculator)
}

fn agent() -> Agent {
    builder().build().unwrap()
}

async fn record(agent: &Agent, path: &Path) -> Answer {
    agent.stream("6*7?").recorded(TranscriptWriter::create(path).unwrap()).answer().await.unwrap()
}

/// The records of a file without their times.
fn records(path: &Path) -> Vec<Record> {
    let run = Transcript::read(path).unwrap().runs.pop().unwrap();
    run.records.into_iter().map(|timed| timed.record).collect()
}

#[tokio::test]
async fn a_run_is_written_as_it_goes() {
    let (_folder, path) = file();
    let answer = record(&agent(), &path).await;
    let text = fs::read_to_string(&path).unwrap();
    let kinds: Vec<_> = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["record"].as_str().unwrap().to_owned())
        .collect();
    let expected = "run exchange step exchange call step exchange call step exchange step end";
    assert_eq!(kinds.join(" "), expected);
    assert!(text.starts_with(r#"{"record":"run","version":2,"at":1"#), "{}", &text[..80]);
    let run = Transcript::read(&path).unwrap().runs.pop().unwrap();
    assert_eq!(run.steps().map(|step| step.outcome.clone()).collect::<Vec<_>>(), answer.steps);
    let end = run.end().unwrap();
    assert_eq!((end.stop_reason, end.answer.as_str(), end.usage), (answer.stop_reason, "42", answer.usage));
    // The exchanges are those of a recording.
    assert_eq!(Recording::read(&path).unwrap().exchanges.len(), 4);
}

#[tokio::test]
async fn a_run_is_replayed_without_model_and_tools() {
    let (_folder, path) = file();
    let events: Vec<_> =
        agent().stream("6*7?").recorded(TranscriptWriter::create(&path).unwrap()).map(Result::unwrap).collect().await;
    let run = &Transcript::read(&path).unwrap().runs[0];
    // The model would fail, and the tool is another one of the same kind.
    let agent = Agent::builder(Arc::new(ByStep::new([]))).tool(Calculator).build().unwrap();
    assert_eq!(agent.replay(run).unwrap(), events);
    // And with the model replaced alone.
    let model = Replay::open(&path).unwrap();
    assert_eq!(model.info().name, "by step");
    let agent = Agent::builder(Arc::new(model)).tool(Calculator).build().unwrap();
    assert_eq!(agent.run("6*7?").await.unwrap().text(), "42");
}

#[tokio::test]
async fn a_transcript_that_breaks_off_anywhere_is_resumed_to_the_same() {
    let (_folder, path) = file();
    let answer = record(&agent(), &path).await;
    let whole = fs::read(&path).unwrap();
    let expected = records(&path);
    let header = whole.iter().position(|&byte| byte == b'\n').unwrap() + 1;
    let lines = whole.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at);
    let steps = (header..whole.len()).step_by(97);
    for length in
        lines.flat_map(|at| [at, at + 1, at + 2]).chain(steps).filter(|at| (header..=whole.len()).contains(at))
    {
        fs::write(&path, &whole[..length]).unwrap();
        let resumed = agent().resume_transcript(&path).unwrap().answer().await.unwrap();
        assert_eq!(resumed, answer, "cut at {length}");
        assert_eq!(records(&path), expected, "cut at {length}");
    }
    fs::write(&path, &whole[..header - 2]).unwrap();
    let error = agent().resume_transcript(&path).unwrap_err();
    assert_eq!(error.to_string(), format!("the recording {} holds no run", path.display()));
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_run_is_replayed_too() {
    let hangs = |name: &str| {
        let tool = |_: (), _: qianshou_agent::ToolContext| std::future::pending();
        Agent::builder(Arc::new(ScriptedModel::new([call(name, "{}")])))
            .tool(qianshou_agent::tool_fn("hangs", "", tool))
            .timeout(Duration::from_secs(5))
            .build()
            .unwrap()
    };
    let (_folder, path) = file();
    // In a tool, and in a reply.
    let events: Vec<_> = hangs("hangs")
        .stream("?")
        .recorded(TranscriptWriter::create(&path).unwrap())
        .map(Result::unwrap)
        .collect()
        .await;
    let run = &Transcript::read(&path).unwrap().runs[0];
    assert_eq!(hangs("hangs").replay(run).unwrap(), events);

    let agent = hangs("hangs");
    let mut stream = agent.stream("?").recorded(TranscriptWriter::create(&path).unwrap());
    let mut events = Vec::new();
    while let Some(event) = stream.next().await {
        events.push(event.unwrap());
        if events.len() == 5 {
            stream.cancellation().cancel();
        }
    }
    let run = &Transcript::read(&path).unwrap().runs[0];
    assert_eq!(agent.replay(run).unwrap(), events);
    assert!(matches!(events.last(), Some(Event::Finished { .. })));
}

#[tokio::test]
async fn another_setup_is_told() {
    let (_folder, path) = file();
    record(&agent(), &path).await;
    let run = Transcript::read(&path).unwrap().runs.pop().unwrap();
    let error = |builder: AgentBuilder| builder.build().unwrap().replay(&run).unwrap_err();
    let model = || Arc::new(ByStep::new([]));

    let no_tools = error(Agent::builder(model()));
    assert!(matches!(no_tools, TranscriptError::OtherRequest { step: 1, .. }));
    let text = no_tools.to_string();
    let start = "the run was recorded with another setup: in the request of step 1 `messages[1].content[0].text` is";
    assert!(text.starts_with(start), "{text}");

    let short = builder().max_observation_characters(1);
    assert!(matches!(error(short), TranscriptError::OtherOutcome { step: 2 }));
    assert!(matches!(error(builder().max_steps(2)), TranscriptError::OtherCourse { step: 2 }));

    let mut cut = run.clone();
    cut.records.truncate(3);
    assert!(matches!(agent().replay(&cut), Err(TranscriptError::NotOver)));
}

/// The first version did not say whether calls needed approval.
#[tokio::test]
async fn a_transcript_of_the_first_version_is_read() {
    let (_folder, path) = file();
    let answer = record(&agent(), &path).await;
    let whole = fs::read_to_string(&path).unwrap();
    let first = whole.replace(",\"approval\":false", "").replace("\"version\":2,\"at\"", "\"version\":1,\"at\"");
    assert_ne!(first, whole);
    // It breaks off in its last step.
    let lines: Vec<_> = first.split_inclusive('\n').collect();
    fs::write(&path, lines[..lines.len() - 3].concat()).unwrap();
    assert!(!Transcript::read(&path).unwrap().runs[0].header.approval);
    assert_eq!(agent().resume_transcript(&path).unwrap().answer().await.unwrap(), answer);
    let run = Transcript::read(&path).unwrap().runs.remove(0);
    assert!(matches!(agent().replay(&run).unwrap().last(), Some(Event::Finished { .. })));
}

/// Only the model that counted could find out again that a prompt does not fit.
#[tokio::test]
async fn a_run_that_ended_because_the_context_was_full_is_replayed() {
    let agent = |context_window, counts| {
        let model = ByStep { replies: vec![call("says", "{}"), answer("done")], context_window, counts };
        let says = tool_fn("says", "", |(): (), _: ToolContext| async { Ok("x".repeat(5000).into()) });
        Agent::builder(Arc::new(model)).tool(says).build().unwrap()
    };
    // Before the first step, and after it.
    for (window, steps) in [(100, 0), (4000, 1)] {
        let (_folder, path) = file();
        let recorded = agent(Some(window), true).stream("?").recorded(TranscriptWriter::create(&path).unwrap());
        let events: Vec<_> = recorded.map(Result::unwrap).collect().await;
        let Some(Event::Finished { answer }) = events.last() else { panic!("{events:?}") };
        assert_eq!((answer.stop_reason, answer.steps.len()), (StopReason::ContextFull, steps));
        let run = Transcript::read(&path).unwrap().runs.remove(0);
        for (window, counts) in [(Some(window), true), (Some(window), false), (None, false)] {
            assert_eq!(agent(window, counts).replay(&run).unwrap(), events);
        }
        // With more room it goes on.
        let answer = agent(None, false).resume_transcript(&path).unwrap().answer().await.unwrap();
        assert_eq!(answer.text(), "done");
        let run = Transcript::read(&path).unwrap().runs.remove(0);
        let finished = Event::Finished { answer: Box::new(answer) };
        assert_eq!(agent(None, false).replay(&run).unwrap().last(), Some(&finished));
    }
}

/// A transcript without its beginning could be neither replayed nor resumed.
#[tokio::test]
async fn a_run_cannot_be_recorded_from_its_middle_on() {
    let (_folder, path) = file();
    let mut events = agent().stream("6*7?");
    while !matches!(events.next().await, Some(Ok(Event::Observation { .. }))) {}
    let state = events.state().clone();
    let resumed = agent().drive(agent().resume(state.clone()), CancellationToken::new());
    let mut resumed = resumed.recorded(TranscriptWriter::create(&path).unwrap());
    let Some(Err(error)) = resumed.next().await else { panic!("it has to be refused") };
    assert!(matches!(&error, RunError::BegunUnrecorded { state: kept } if **kept == state), "{error}");
    assert!(resumed.next().await.is_none());
    assert_eq!(fs::read_to_string(&path).unwrap(), "");
}

/// A run that reached a limit goes on with a higher one.
#[tokio::test]
async fn a_limit_can_be_raised() {
    let (_folder, path) = file();
    let stopped = record(&builder().max_steps(2).build().unwrap(), &path).await;
    assert!(!stopped.is_answered());
    assert_eq!(agent().resume_transcript(&path).unwrap().answer().await.unwrap().text(), "42");
    assert_eq!(Transcript::read(&path).unwrap().runs[0].end().unwrap().answer, "42");
}

#[tokio::test]
async fn nothing_happens_unrecorded() {
    let full = Path::new("/dev/full");
    if !full.exists() {
        return;
    }
    let writer = TranscriptWriter::create(full).unwrap();
    let error = agent().stream("6*7?").recorded(writer).answer().await.unwrap_err();
    assert!(matches!(error, RunError::Transcript { .. }), "{error}");
}

#[test]
fn what_is_wrong_with_a_file_is_said() {
    let (_folder, path) = file();
    let error = |text: &str| {
        fs::write(&path, text).unwrap();
        Transcript::read(&path).unwrap_err().to_string().replace(path.to_str().unwrap(), "FILE")
    };
    assert_eq!(error(""), "the recording FILE holds no run");
    assert_eq!(error("{\"record\":\"other\",\"version\":7}\n"), "the recording FILE holds no run");
    let version = "line 1 of the recording FILE: `run` of version 9, and versions 1 to 2 can be read";
    assert!(error("{\"record\":\"run\",\"version\":9}\n").starts_with(version));
    assert!(
        error("{\"record\":\"run\",\"version\":1}\n")
            .starts_with("line 1 of the recording FILE: `.`: missing field `run`")
    );
    let missing = Transcript::read(path.with_extension("not")).unwrap_err().to_string();
    assert!(missing.starts_with("could not read the recording"), "{missing}");
}

#[tokio::test]
async fn a_run_is_told_in_paragraphs() {
    let (_folder, path) = file();
    record(&agent(), &path).await;
    let run = &Transcript::read(&path).unwrap().runs[0];
    let told = run.paragraphs(Detail::Steps);
    let kinds: Vec<_> = told.iter().map(|paragraph| paragraph.kind).collect();
    use ParagraphKind::*;
    let expected = [
        vec![Heading, Question],
        vec![Heading, Thought, Action, Input, Fault],
        vec![Heading, Thought, Action, Input, Note, Observation],
        vec![Heading, Thought, Action, Input, Fault],
        vec![Heading, Thought, Answer, Note],
    ];
    assert_eq!(kinds, expected.concat());
    let find = |kind| told.iter().find(|paragraph| paragraph.kind == kind).unwrap().to_string();
    assert_eq!(find(Heading), "run: by step by the protocol react, tools calculator");
    assert_eq!(find(Question), "question: 6*7?");
    assert_eq!(find(Note), "read as: Repaired: {\"expression\": \"6*7\"}");
    assert_eq!(find(Observation), "observation: 42");
    assert_eq!(find(Answer), "answer: 42");
    assert!(told.last().unwrap().text.starts_with("the model answered; 0 tokens reused, "));

    let all = run.paragraphs(Detail::Exchanges);
    let prompts: Vec<&Paragraph> = all.iter().filter(|paragraph| paragraph.kind == Prompt).collect();
    assert!(prompts[0].text.starts_with("[system]\nYou are a helpful assistant.\n[user]\nAnswer the following"));
    assert_eq!(prompts[2].label, "prompt, continued");
    let new =
        " I use calculator.\nAction: calculator\nAction Input: {'expression': \"6*7\"}\nObservation: 42\nThought:";
    assert_eq!(prompts[2].text.replace("Thought: I use", " I use").trim_start(), new.trim_start());
    assert!(all.iter().any(|paragraph| paragraph.kind == Reply && paragraph.text.ends_with("[EndOfTurn]")));

    let mut cut = run.clone();
    cut.records.truncate(2);
    assert_eq!(cut.paragraphs(Detail::Steps).last().unwrap().kind, Warning);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_file_is_read_or_refused(line in 0_usize..12, at in any::<prop::sample::Index>(), byte: u8) {
        let (_folder, path) = file();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(record(&agent(), &path));
        let text = fs::read(&path).unwrap();
        let mut lines: Vec<_> = text.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
        let length = lines[line].len();
        lines[line][at.index(length)] = byte;
        fs::write(&path, lines.concat()).unwrap();
        if let Ok(transcript) = Transcript::read(&path) {
            for run in &transcript.runs {
                let _ = agent().replay(run);
                let _ = run.paragraphs(Detail::Exchanges);
            }
        }
    }
}
