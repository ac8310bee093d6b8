//! A vision model judges plots, over a connection of this machine.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use qianshou_agent::{Agent, AnyTool, Artifact, ToolContext, ToolError, ToolOutput, ToolSpec, TranscriptWriter};
use qianshou_bench::code_interpreter::{
    Category, CodeInterpreterScorer, CodeSample, Judge, Judgement, Rounds, VisionJudge,
};
use qianshou_bench::{
    Attempt, Fault, Log, Outcome, RunOptions, SampleRecord, Solution, Solver, Task, merge, rescore, run,
};
use qianshou_chat::{ChatModel, RecordBuffer, ScriptedModel};
use qianshou_prompts::Prompts;
use qianshou_remote::{RemoteModel, Retries};
use serde_json::{Value, json};

/// A server that says these things, one a request, and keeps what it was asked.
struct Server {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Value>>>,
}

impl Server {
    fn start(replies: &'static [&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        // It ends with the last reply: whoever asks once more is refused.
        thread::spawn(move || replies.iter().for_each(|reply| serve(listener.accept().unwrap().0, reply, &seen)));
        Self { address, asked }
    }

    fn asked(&self) -> Vec<Value> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, reply: &str, asked: &Mutex<Vec<Value>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    asked.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
    let text = json!({"choices": [{"index": 0, "delta": {"content": reply}}]});
    let end = json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]});
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    write!(stream, "{head}data: {text}\n\ndata: {end}\n\ndata: [DONE]\n\n").unwrap();
}

/// Gives a plot that is made of this text.
struct Canvas(String);

#[async_trait]
impl AnyTool for Canvas {
    fn spec(&self) -> ToolSpec {
        ToolSpec::from_schema("code_interpreter", json!({"type": "object"}))
    }

    async fn call(&self, _: Value, _: &ToolContext) -> Result<ToolOutput, ToolError> {
        let image = Artifact::Image { media_type: "image/png".to_owned(), bytes: self.0.clone().into_bytes() };
        let facts = json!({"cell": {"class": "ran", "milliseconds": 1, "figures": []}});
        let output = ToolOutput::from("![fig-001](fig-001.png)").with_artifact(image);
        Ok(output.with_artifact(Artifact::Json(facts)))
    }
}

/// Has a model draw a plot for every question, one that has the question in it.
struct Painter;

#[async_trait]
impl Solver<CodeSample> for Painter {
    fn settings(&self) -> Value {
        json!("painter")
    }

    async fn solve(&self, sample: &CodeSample, attempt: &Attempt) -> Result<Solution, Fault> {
        let canvas = Arc::new(Canvas(sample.query.clone()));
        let agent = Agent::builder(Arc::clone(&attempt.model)).any_tool(canvas).build().unwrap();
        let records = RecordBuffer::default();
        let mut events = agent.stream(sample.query.as_str()).recorded(TranscriptWriter::in_memory(records.clone()));
        while events.next().await.is_some() {}
        drop(events);
        Ok(Solution::of_records(&records).unwrap().unwrap())
    }
}

fn plots(judge: Option<Arc<dyn Judge>>) -> Task<CodeSample> {
    let sample = |id: &str| CodeSample {
        id: id.to_owned(),
        category: Category::VisualizationHard,
        is_chinese: id == "zh",
        query: format!("Plot {id}."),
        opening: None,
        files: Vec::new(),
        answer: None,
        figure: None,
        rounds: Rounds { steps: 3, executions: None, ends_with_error: true },
    };
    Task {
        name: "plots",
        version: 1,
        data: Vec::new(),
        samples: ["sales", "zh", "rain"].map(sample).into(),
        solver: Arc::new(Painter),
        scorer: Arc::new(CodeInterpreterScorer::new(judge)),
    }
}

/// The judge behind this address, with its verdicts in a folder.
fn judge(address: SocketAddr, folder: &Path) -> Arc<dyn Judge> {
    let builder = RemoteModel::builder("qwen-vl").endpoint(format!("http://{address}/v1")).no_key().no_proxy();
    let model = builder.retries(Retries { attempts: 1, ..Retries::default() }).build().unwrap();
    stored(Some(Arc::new(model)), folder)
}

fn stored(model: Option<Arc<dyn ChatModel>>, folder: &Path) -> Arc<dyn Judge> {
    Arc::new(VisionJudge::open("qwen-vl", model, Prompts::embedded(), &folder.join("judge.jsonl")).unwrap())
}

async fn drawn(task: &Task<CodeSample>, folder: &Path) -> Outcome {
    drawn_with(task, folder, RunOptions::default()).await
}

async fn drawn_with(task: &Task<CodeSample>, folder: &Path, options: RunOptions) -> Outcome {
    let call = "Thought: x\nAction: code_interpreter\nAction Input: {}\nObservation:";
    let model = Arc::new(ScriptedModel::new([call, " x\nFinal Answer: There it is."].repeat(3)));
    run(task, model, folder, &RunOptions { retries: 0, ..options }, &|_| {}).await.unwrap()
}

fn of<'a>(log: &'a Log, id: &str) -> &'a SampleRecord {
    log.samples.iter().find(|record| record.id == id).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn verdicts_are_stored_and_nobody_is_asked_twice() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&["Right.", "wrong", "I cannot tell."]);
    let task = plots(Some(judge(server.address, folder.path())));
    assert!(drawn(&task, folder.path()).await.is_complete());

    let log = Log::read(folder.path()).unwrap();
    assert_eq!(log.header.scorer, json!({"judge": "qwen-vl"}));
    for (id, class, score) in [("sales", "right", 1.0), ("zh", "wrong", 0.0), ("rain", "unclear", 0.0)] {
        let verdict = &of(&log, id).verdict;
        assert_eq!((verdict.labels["judge"].as_str(), verdict.scores["upstream.plot"]), (class, score), "{id}");
    }
    let why = &of(&log, "rain").verdict.why;
    assert!(why.contains(&"the judge says \"I cannot tell.\"".to_owned()), "{why:?}");

    // It saw the plot and the question, in its language.
    let asked = server.asked();
    assert_eq!(asked.len(), 3);
    let parts = asked[1].pointer("/messages/0/content").unwrap();
    let url = parts.pointer("/0/image_url/url").and_then(Value::as_str).unwrap();
    assert_eq!(url, "data:image/png;base64,UGxvdCB6aC4=");
    let text = parts.pointer("/1/text").and_then(Value::as_str).unwrap();
    assert!(text.contains("图") && text.ends_with("Plot zh."), "{text}");

    // The server is gone: what is asked again comes from the file, for a run that goes on, for one that begins
    // anew beside it, and for the scorer alone.
    assert!(drawn(&task, folder.path()).await.is_complete());
    std::fs::remove_file(folder.path().join("log.jsonl")).unwrap();
    let again = plots(Some(judge(server.address, folder.path())));
    assert!(drawn(&again, folder.path()).await.is_complete());
    let scorer = CodeInterpreterScorer::new(Some(stored(None, folder.path())));
    let verdicts = rescore(&task.samples, &scorer, &log).await.unwrap();
    assert!(verdicts.iter().zip(&log.samples).all(|(verdict, record)| *verdict == record.verdict));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_judges_said_of_shards_goes_with_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&["right", "right", "wrong"]);
    let mut shards = Vec::new();
    for shard in ["1/2", "2/2"] {
        let out = folder.path().join(shard.replace('/', " of "));
        std::fs::create_dir(&out).unwrap();
        let options = RunOptions { shard: shard.parse().unwrap(), ..RunOptions::default() };
        assert!(drawn_with(&plots(Some(judge(server.address, &out))), &out, options).await.is_complete());
        shards.push(out);
    }
    let whole = folder.path().join("whole");
    let log = merge(&shards, &whole.join("log.jsonl")).unwrap();
    assert_eq!(log.samples.len(), 3);
    let scorer = CodeInterpreterScorer::new(Some(stored(None, &whole)));
    let verdicts = rescore(&plots(None).samples, &scorer, &log).await.unwrap();
    assert!(verdicts.iter().zip(&log.samples).all(|(verdict, record)| *verdict == record.verdict));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_judge_that_is_away_leaves_samples_for_later() {
    let folder = tempfile::tempdir().unwrap();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let one = RunOptions { limit: Some(1), ..RunOptions::default() };
    let server = Server::start(&["right"]);
    assert!(drawn_with(&plots(Some(judge(server.address, folder.path()))), folder.path(), one).await.is_complete());
    let outcome = drawn(&plots(Some(judge(nobody, folder.path()))), folder.path()).await;
    assert_eq!((outcome.done, outcome.faults.len()), (1, 2));
    assert!(outcome.faults[0].1.is_passing(), "{}", outcome.faults[0].1);
    assert_eq!(Log::read(folder.path()).unwrap().samples.len(), 1);

    let server = Server::start(&["right", "right"]);
    assert!(drawn(&plots(Some(judge(server.address, folder.path()))), folder.path()).await.is_complete());
    assert_eq!(Log::read(folder.path()).unwrap().samples.len(), 3);
}

#[tokio::test]
async fn without_a_judge_a_verdict_that_is_not_stored_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let log = {
        let task = plots(None);
        assert!(drawn(&task, folder.path()).await.is_complete());
        Log::read(folder.path()).unwrap()
    };
    let scorer = CodeInterpreterScorer::new(Some(stored(None, folder.path())));
    let fault = rescore(&plots(None).samples, &scorer, &log).await.unwrap_err();
    assert!(fault.is_lasting(true) && fault.to_string().contains("--judge"), "{fault}");
}

#[test]
fn the_official_rule_takes_any_right_for_yes() {
    for (reply, right, class) in [
        ("right", true, "right"),
        ("RIGHT!", true, "right"),
        ("wrong", false, "wrong"),
        ("right or wrong?", true, "unclear"),
        ("", false, "unclear"),
    ] {
        let judgement = Judgement { reply: reply.to_owned() };
        assert_eq!((judgement.is_right(), judgement.class()), (right, class), "{reply}");
    }
}
