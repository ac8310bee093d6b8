#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
//! Two thousand runs in which everything goes wrong that can: replies that make no sense, models that refuse,
//! break off and hang, tools that fail, panic and hang, people who deny and leave, and cancellation at any
//! moment. Every run ends with an answer or says why not, its counts add up, and nothing of it stays behind.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{StreamExt as _, stream};
use qianshou_agent::{
    Agent, Answer, Decision, Event, EventStream, Native, ReAct, RunError, StopReason, ToolCall, ToolContext, ToolError,
    Transcript, TranscriptWriter, tool_fn,
};
use qianshou_chat::{
    Capabilities, ChatError, ChatErrorKind, ChatEvent, ChatModel, ChatRequest, ChatStream, Delta, ModelInfo,
    NativeCall, ScriptedModel, ScriptedReply, Usage,
};
use serde_json::json;

const EPISODES: u64 = 2000;
const INJECTED: &str = "an injected panic";

/// A row of numbers that look random.
#[derive(Clone)]
struct Random(Arc<Mutex<u64>>);

impl Random {
    fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(seed)))
    }

    /// A number below `limit`.
    fn below(&self, limit: u64) -> u64 {
        let mut state = self.0.lock().unwrap();
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = *state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }

    fn one_of<'a, T>(&self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len() as u64) as usize]
    }
}

const TOOLS: [&str; 5] = ["works", "fails", "panics", "hangs", "sleeps"];
const INPUTS: [&str; 6] = ["{}", "", "{\"n\": 1}", "{'n': 1,", "{\"n\": \"one\"}", "nothing at all"];

/// A model that writes what comes to its mind.
struct Wild {
    random: Random,
    capabilities: Capabilities,
    /// It writes the same again and again.
    stubborn: bool,
}

impl Wild {
    fn reply(&self) -> ScriptedReply {
        if self.stubborn {
            return "Action: works\nAction Input: {}\n<tool_call>{\"name\": \"works\"}</tool_call>".into();
        }
        let random = &self.random;
        let (tool, input) = (*random.one_of(&TOOLS), *random.one_of(&INPUTS));
        let native = || NativeCall { id: String::new(), name: tool.to_owned(), arguments: input.to_owned() };
        match random.below(16) {
            0..5 => format!("Thought: so\nAction: {tool}\nAction Input: {input}\nObservation:").into(),
            5 => format!("Thought: so\nAction: {tool}\nAction Input: {input}\nObservation：invented\nFinal Answer: 5")
                .into(),
            6 => format!("Action: unknown\nAction Input: {input}").into(),
            7 => format!("Action: {tool}").into(),
            8 => "Action Input: {}".into(),
            9 => "<think>hm\nObservation:".into(),
            10 => format!("<tool_call>\n{{\"name\": \"{tool}\", \"arguments\": {input}}}\n</tool_call>").into(),
            11 => format!("<tool_call>{input}").into(),
            12 => ScriptedReply::Calls("so".to_owned(), vec![native(), native(), native()]),
            13 => "".into(),
            14 => "Final Answer: done".into(),
            _ => "done".into(),
        }
    }
}

#[async_trait]
impl ChatModel for Wild {
    fn info(&self) -> ModelInfo {
        ModelInfo { name: "wild".to_owned(), context_window: Some(6000), capabilities: self.capabilities }
    }

    async fn stream(&self, request: ChatRequest) -> Result<ChatStream, ChatError> {
        request.validate(&self.capabilities)?;
        let error = |kind, message: &str| ChatError::new(kind, message);
        match self.random.below(24) {
            0 => return Err(error(ChatErrorKind::Unavailable, "429 Too Many Requests")),
            1 => return Err(error(ChatErrorKind::Failed, "500 Internal Server Error")),
            2 => return Err(error(ChatErrorKind::ContextExceeded, "the prompt is too long")),
            3 => pending().await,
            _ => {}
        }
        let reply = ScriptedModel::new([self.reply()]).with_capabilities(self.capabilities).stream(request).await?;
        let begun = self.random.below(30) as usize;
        let cut = |last: Option<Result<ChatEvent, ChatError>>, reply: ChatStream| {
            reply
                .take(begun)
                .filter(|event| std::future::ready(!matches!(event, Ok(ChatEvent::End(_)))))
                .chain(stream::iter(last))
        };
        let noise = Delta { text: "\u{fffd}".to_owned(), ids: vec![1] };
        Ok(match self.random.below(12) {
            0 => Box::pin(cut(Some(Err(error(ChatErrorKind::Unavailable, "connection reset"))), reply)),
            1 => Box::pin(cut(None, reply)),
            2 => Box::pin(cut(Some(Err(error(ChatErrorKind::Failed, "no memory"))), reply)),
            3 => Box::pin(cut(None, reply).chain(stream::pending())),
            4 => Box::pin(stream::iter([Ok(ChatEvent::Delta(noise))]).chain(reply)),
            _ => reply,
        })
    }
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Args {
    #[serde(default)]
    n: Option<u32>,
}

fn agent(random: &Random) -> Agent {
    let native = random.below(2) == 0;
    let continue_last = random.below(2) == 0;
    let capabilities =
        Capabilities { continue_last, native_tools: true, constraints: random.below(2) == 0, images: false };
    let tools = TOOLS.map(|name| {
        let random = random.clone();
        let tool = tool_fn(name, "", move |args: Args, context: ToolContext| {
            let random = random.clone();
            async move {
                match name {
                    "fails" => Err(ToolError::new("the disk is full").with_diagnostics("disk 1")),
                    "panics" => panic!("{INJECTED}"),
                    "hangs" => pending().await,
                    "sleeps" => {
                        tokio::select! {
                            () = tokio::time::sleep(Duration::from_secs(random.below(90))) => Ok("slept".into()),
                            () = context.cancellation().cancelled() => Err(ToolError::new("woken")),
                        }
                    }
                    _ => Ok("x".repeat(random.below(3000) as usize + args.n.unwrap_or(0) as usize).into()),
                }
            }
        });
        Arc::new(tool) as Arc<dyn qianshou_agent::AnyTool>
    });
    let mut builder =
        Agent::builder(Arc::new(Wild { random: random.clone(), capabilities, stubborn: random.below(8) == 0 }))
            .any_tools(tools)
            .max_steps(6)
            .max_observation_characters(1000)
            .reserved_tokens(500)
            .timeout(Duration::from_secs(300));
    builder = if native { builder.protocol(Native::default()) } else { builder.protocol(ReAct::default()) };
    if random.below(3) == 0 {
        let random = random.clone();
        builder = builder.approval(move |_: ToolCall| {
            let decision = decision(&random);
            let never = random.below(20) == 0;
            async move { if never { pending().await } else { decision } }
        });
    }
    builder.build().unwrap()
}

fn decision(random: &Random) -> Option<Decision> {
    match random.below(5) {
        0 => None,
        1 => Some(Decision::Deny { reason: "no".to_owned() }),
        2 => Some(Decision::Edit { arguments: json!({"n": 2}) }),
        3 => Some(Decision::Edit { arguments: json!({"n": "two"}) }),
        _ => Some(Decision::Allow),
    }
}

/// How an episode ended.
#[derive(Debug, PartialEq, Eq, Hash, Clone, Copy, PartialOrd, Ord)]
enum Ended {
    Stopped(&'static str),
    Failed,
    Suspended,
}

async fn episode(seed: u64, folder: &std::path::Path) -> Ended {
    let random = Random::new(seed);
    let agent = agent(&random);
    let path = folder.join(format!("{seed}.jsonl"));
    let recorded = random.below(4) == 0;
    let mut events = agent.stream("What now?");
    if recorded {
        events = events.recorded(TranscriptWriter::create(&path).unwrap());
    }
    let cancel_at = if random.below(4) == 0 { random.below(200) } else { u64::MAX };
    let leave_at = if recorded && random.below(2) == 0 { random.below(300) } else { u64::MAX };
    let mut seen = Vec::new();
    let ended = drive(&mut events, &mut seen, cancel_at.min(leave_at), cancel_at <= leave_at).await;
    drop(events);
    let ended = match ended {
        // It was left in the middle; another process goes on.
        None => {
            let mut events = agent.resume_transcript(&path).unwrap();
            seen.clear();
            drive(&mut events, &mut seen, u64::MAX, false).await.unwrap()
        }
        Some(ended) => ended,
    };
    if recorded && matches!(ended, Ended::Stopped(_)) {
        let run = Transcript::read(&path).unwrap().runs.remove(0);
        let replayed = agent.replay(&run).unwrap();
        assert_eq!(replayed.last(), seen.last(), "episode {seed}");
    }
    if path.exists() {
        std::fs::remove_file(path).unwrap();
    }
    ended
}

/// Takes events to the end of the run; after some of them it cancels the run, or leaves it.
async fn drive(events: &mut EventStream, seen: &mut Vec<Event>, stop_at: u64, cancels: bool) -> Option<Ended> {
    let resumed_at = events.state().steps().len();
    let mut error = None;
    while let Some(event) = events.next().await {
        match event {
            Ok(event) => seen.push(event),
            Err(failed) => error = Some(failed),
        }
        if seen.len() as u64 == stop_at {
            if !cancels {
                return None;
            }
            events.cancellation().cancel();
        }
    }
    match (error, seen.last().unwrap_or(&Event::AnswerWasThought)) {
        (Some(RunError::Model { .. }), _) => Some(Ended::Failed),
        (None, Event::Suspended { calls }) => {
            assert!(!calls.is_empty());
            Some(Ended::Suspended)
        }
        (None, Event::Finished { answer }) => {
            check(answer, seen, resumed_at);
            let name = serde_json::to_value(answer.stop_reason).unwrap();
            let names = [
                "answered",
                "steps",
                "wall_clock",
                "repairs",
                "repeated_action",
                "context_full",
                "cancelled",
                "reply_length",
            ];
            Some(Ended::Stopped(names.into_iter().find(|known| name == *known).unwrap()))
        }
        (error, last) => panic!("ended with {error:?} after {last:?}"),
    }
}

/// Whether an answer agrees with the events before it.
fn check(answer: &Answer, events: &[Event], resumed_at: usize) {
    let calls = || answer.steps.iter().flat_map(|step| &step.calls);
    assert!(calls().all(|call| call.observation.is_some()), "a call is open");
    assert!(answer.steps.len() <= 6 && answer.repairs <= 3);
    assert_eq!(answer.is_answered(), answer.stop_reason == StopReason::Answered);
    assert!(!answer.is_answered() || !answer.text.is_empty());
    let mut usage = Usage::default();
    answer.steps.iter().for_each(|step| usage += step.usage);
    assert_eq!(answer.usage, usage);
    if resumed_at > 0 {
        return;
    }
    let mut told = Usage::default();
    let mut observed: Vec<&str> = Vec::new();
    let mut finished = 0;
    for event in events {
        match event {
            Event::StepUsage { usage, .. } => told += *usage,
            Event::Observation { call: Some(call), .. } => observed.push(call),
            Event::Finished { .. } => finished += 1,
            _ => {}
        }
    }
    observed.sort_unstable();
    let mut ids: Vec<_> = calls().map(|call| call.id.as_str()).collect();
    ids.sort_unstable();
    assert_eq!((told, observed, finished), (usage, ids, 1));
}

/// How many files this process has open, where that can be seen.
fn open_files() -> Option<usize> {
    Some(std::fs::read_dir("/proc/self/fd").ok()?.count())
}

#[tokio::test(start_paused = true)]
async fn every_run_ends_and_nothing_stays_behind() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if info.payload_as_str() != Some(INJECTED) {
            print(info);
        }
    }));
    let folder = tempfile::tempdir().unwrap();
    let files = open_files();
    let ended: Vec<Ended> =
        stream::iter(0..EPISODES).map(|seed| episode(seed, folder.path())).buffer_unordered(50).collect().await;
    assert_eq!(ended.len() as u64, EPISODES);

    // Every way to end is among them.
    let mut kinds = ended.clone();
    kinds.sort_unstable();
    kinds.dedup();
    let stops = ["answered", "steps", "wall_clock", "repairs", "repeated_action", "context_full", "cancelled"];
    for kind in stops.map(Ended::Stopped).into_iter().chain([Ended::Failed, Ended::Suspended]) {
        assert!(kinds.contains(&kind), "{kind:?} is not among {kinds:?}");
    }

    // Tasks that were aborted end when they are polled for the last time.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 0);
    assert_eq!(open_files(), files);
}
