#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
//! Runs in a process of their own that is killed, again and again, until one comes to its end. The transcript
//! is then that of a run that was never killed.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use qianshou_agent::{Agent, EventStream, Record, ToolContext, Transcript, TranscriptWriter, tool_fn};
use qianshou_chat::{Capabilities, ChatError, ChatModel, ChatRequest, ChatStream, ModelInfo, Role, ScriptedModel};

const FILE: &str = "QIANSHOU_TEST_TRANSCRIPT";

/// Calls tools in three steps, then answers; which step it is, the prompt tells.
struct Steps;

#[async_trait]
impl ChatModel for Steps {
    fn info(&self) -> ModelInfo {
        let capabilities = Capabilities { continue_last: true, ..Capabilities::default() };
        ModelInfo { name: "steps".to_owned(), context_window: None, capabilities }
    }

    async fn stream(&self, request: ChatRequest) -> Result<ChatStream, ChatError> {
        let last = request.messages.last().filter(|message| message.role == Role::Assistant);
        let reply = match last.map_or(0, |message| message.text().matches("\nObservation: ").count()) {
            step @ 0..3 => format!("Thought: so\nAction: echo\nAction Input: {{\"n\": {step}}}\n"),
            _ => "Final Answer: done".to_owned(),
        };
        ScriptedModel::new([reply]).stream(request).await
    }
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct EchoArgs {
    n: u32,
}

fn agent() -> Agent {
    let echo = tool_fn("echo", "Gives it back.", |args: EchoArgs, _: ToolContext| async move {
        tokio::task::yield_now().await;
        Ok(args.n.to_string().into())
    });
    Agent::builder(Arc::new(Steps)).tool(echo).build().unwrap()
}

/// Not a test: what the killed process does. It waits for a byte after each event.
#[tokio::test]
async fn child() {
    let Ok(path) = std::env::var(FILE) else {
        return;
    };
    let mut events: EventStream = if Path::new(&path).exists() {
        agent().resume_transcript(&path).unwrap()
    } else {
        agent().stream("Go.").recorded(TranscriptWriter::create(&path).unwrap())
    };
    let mut lines = std::io::stdin().lines();
    while let Some(event) = events.next().await {
        event.unwrap();
        let mut stdout = std::io::stdout().lock();
        writeln!(stdout, "\nevent").unwrap();
        stdout.flush().unwrap();
        lines.next();
    }
}

/// Runs the child, lets it go on for `events` events, and kills it. True if it ended before.
fn run_and_kill(path: &Path, events: usize) -> bool {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture"])
        .env(FILE, path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    for _ in 0..events {
        if !lines.any(|line| line == "event") {
            assert!(child.wait().unwrap().success());
            return true;
        }
        // The child may be gone.
        let _ = writeln!(stdin);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    false
}

/// The next of a row of numbers that look random.
fn xorshift(seed: &mut u32) -> u32 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    *seed
}

/// The records of the only run in a file.
fn records(path: &Path) -> Vec<Record> {
    let mut runs = Transcript::read(path).unwrap().runs;
    assert_eq!(runs.len(), 1);
    runs.remove(0).records.into_iter().map(|timed| timed.record).collect()
}

#[test]
fn a_run_that_was_killed_ends_like_one_that_was_not() {
    let folder = tempfile::tempdir().unwrap();
    let whole: PathBuf = folder.path().join("whole.jsonl");
    assert!(run_and_kill(&whole, usize::MAX));
    let expected = records(&whole);
    assert_eq!(expected.len(), 12);

    let mut seed = 0x9e37_79b9_u32;
    let mut kills = 0;
    for round in 0..8 {
        let path = folder.path().join(format!("{round}.jsonl"));
        while !run_and_kill(&path, 1 + xorshift(&mut seed) as usize % 60) {
            kills += 1;
        }
        assert_eq!(records(&path), expected);
    }
    assert!(kills >= 16, "only {kills} processes were killed");
}
