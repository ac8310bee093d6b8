//! Record and replay.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod properties;

use std::collections::VecDeque;
use std::error::Error as _;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use futures_util::{FutureExt as _, StreamExt as _, stream};
use qianshou_chat::{
    Capabilities, ChatError, ChatErrorKind, ChatEvent, ChatModel, ChatRequest, ChatStream, Delta, End, FinishReason,
    Generated, Image, Message, ModelInfo, NativeCall, Part, Recorder, Recording, RecordingError, Replay, Role,
    Sampling, ScriptedModel, ScriptedReply, Usage,
};
use serde_json::{Value, json};
use tempfile::TempDir;

type Item = Result<ChatEvent, ChatError>;

/// Answers with exactly these items.
#[derive(Default)]
struct Canned(Mutex<VecDeque<Vec<Item>>>);

impl Canned {
    fn new(replies: impl IntoIterator<Item = Vec<Item>>) -> Self {
        Self(Mutex::new(replies.into_iter().collect()))
    }
}

#[async_trait::async_trait]
impl ChatModel for Canned {
    fn info(&self) -> ModelInfo {
        ModelInfo { name: "canned".to_owned(), context_window: Some(9), capabilities: Capabilities::default() }
    }

    async fn stream(&self, _: ChatRequest) -> Result<ChatStream, ChatError> {
        Ok(Box::pin(stream::iter(self.0.lock().unwrap().pop_front().unwrap())))
    }
}

fn file() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("recording.jsonl");
    (folder, path)
}

fn ask(text: &str) -> ChatRequest {
    ChatRequest::new([Message::user(text)])
}

fn delta(text: &str, ids: &[u32]) -> ChatEvent {
    ChatEvent::Delta(Delta { text: text.to_owned(), ids: ids.to_vec() })
}

fn call(arguments: &str) -> NativeCall {
    NativeCall { id: "c1".to_owned(), name: "f".to_owned(), arguments: arguments.to_owned() }
}

/// All items of a reply, errors as what people see of them.
fn items(model: &impl ChatModel, request: ChatRequest) -> Vec<Result<ChatEvent, (ChatErrorKind, String)>> {
    let seen = |error: ChatError| (error.kind(), format!("{error} {:?} {:?}", error.hint(), causes(&error)));
    match model.stream(request).now_or_never().unwrap() {
        Ok(stream) => stream.map(|item| item.map_err(seen)).collect::<Vec<_>>().now_or_never().unwrap(),
        Err(error) => vec![Err(seen(error))],
    }
}

fn causes(error: &ChatError) -> Vec<String> {
    let mut causes = Vec::new();
    let mut source = error.source();
    while let Some(cause) = source {
        causes.push(cause.to_string());
        source = cause.source();
    }
    causes
}

fn complete(model: &impl ChatModel, request: ChatRequest) -> Result<String, ChatError> {
    model.complete(request).now_or_never().unwrap().map(|reply| reply.text())
}

/// Records these questions, each answered with its number.
fn record(path: &PathBuf, questions: &[&str]) {
    let replies: Vec<_> = (0..questions.len()).map(|number| number.to_string()).collect();
    let model = Recorder::create(ScriptedModel::new(replies), path).unwrap();
    for (number, question) in questions.iter().enumerate() {
        assert_eq!(complete(&model, ask(question)).unwrap(), number.to_string());
    }
}

/// Changes one line of a recording.
fn edit(path: &PathBuf, line: usize, change: impl FnOnce(&mut Value)) {
    let text = fs::read_to_string(path).unwrap();
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    let mut value = serde_json::from_str(&lines[line]).unwrap();
    change(&mut value);
    lines[line] = value.to_string();
    fs::write(path, lines.join("\n") + "\n").unwrap();
}

fn read_error(path: &PathBuf) -> String {
    Replay::open(path).unwrap_err().to_string().replace(path.to_str().unwrap(), "FILE")
}

#[test]
fn a_run_is_replayed_without_its_model() {
    let (_folder, path) = file();
    let cause = std::io::Error::other("bus error");
    let failure = || ChatError::new(ChatErrorKind::Failed, "out of memory").with_hint("use less").with_source(cause);
    let scripted = ScriptedModel::new([ScriptedReply::Error(failure()), "Paris.".into(), "And?".into()]);
    let scripted = Arc::new(scripted);
    let model: Recorder<Arc<dyn ChatModel>> = Recorder::create(scripted.clone() as _, &path).unwrap();
    let requests = [ask("a"), ChatRequest { stop: vec!["r".to_owned()], ..ask("a") }, ask("b")];
    let said: Vec<_> = requests.iter().map(|request| items(&model, request.clone())).collect();
    assert_eq!(scripted.requests(), requests);

    let replay = Replay::open(&path).unwrap();
    assert_eq!(replay.info(), scripted.info());
    assert_eq!((replay.remaining(), replay.truncated()), (3, None));
    let replayed: Vec<_> = requests.iter().map(|request| items(&replay, request.clone())).collect();
    assert_eq!(replayed, said);
    assert_eq!(replayed[0], [Err((ChatErrorKind::Failed, r#"out of memory Some("use less") ["bus error"]"#.into()))]);
    assert_eq!(replay.remaining(), 0);

    let error = complete(&replay, ask("b")).unwrap_err();
    assert_eq!(error.kind(), ChatErrorKind::Unavailable);
    assert!(error.to_string().ends_with("recording.jsonl has no exchange left (it holds 3)"), "{error}");

    // The exchanges alone, as a transcript holds them.
    let exchanges = Recording::read(&path).unwrap().exchanges;
    assert_eq!(exchanges.iter().map(|recorded| recorded.after).collect::<Vec<_>>(), [0, 1, 2]);
    let replay = Replay::new(exchanges.into_iter().map(|recorded| recorded.exchange));
    let replayed: Vec<_> = requests.iter().map(|request| items(&replay, request.clone())).collect();
    assert_eq!(replayed, said);
    let empty = Replay::new([]);
    assert_eq!(empty.info().name, "replay");
    assert_eq!(complete(&empty, ask("a")).unwrap_err().to_string(), "the recording has no exchange left (it holds 0)");
}

#[test]
fn another_request_is_refused_with_the_first_difference() {
    let (_folder, path) = file();
    record(&path, &["a", "b"]);
    let replay = Replay::open(&path).unwrap();
    let refused = |request, expected: &str| {
        let error = complete(&replay, request).unwrap_err();
        assert_eq!(error.kind(), ChatErrorKind::InvalidRequest);
        assert_eq!(error.to_string().replace(path.to_str().unwrap(), "FILE"), expected);
    };
    refused(
        ask("b"),
        "exchange 1 of the recording FILE is of another request: `messages[0].content[0].text` is \"a\" there and \
         \"b\" here",
    );
    let sampling = Sampling { temperature: Some(0.7), ..Sampling::default() };
    refused(
        ChatRequest { sampling, ..ask("a") },
        "exchange 1 of the recording FILE is of another request: `sampling.temperature` is null there and 0.7 here",
    );
    // A refused request uses nothing up.
    assert_eq!(complete(&replay, ask("a")).unwrap(), "0");
    let longer = ChatRequest { messages: vec![Message::user("b"), Message::assistant("c")], ..ask("") };
    refused(
        longer,
        "exchange 2 of the recording FILE is of another request: `messages[1]` is absent there and \
         {\"role\":\"assistant\",\"content\":[{\"text\":\"c\"}]} here",
    );
    assert_eq!(complete(&replay, ask("b")).unwrap(), "1");
}

#[test]
fn a_number_that_is_none_replays_too() {
    let (_folder, path) = file();
    let sampling = Sampling { temperature: Some(f32::NAN), ..Sampling::default() };
    let request = ChatRequest { sampling, ..ask("a") };
    let model = Recorder::create(ScriptedModel::new(["x"]), &path).unwrap();
    let said = items(&model, request.clone());
    assert_eq!(items(&Replay::open(&path).unwrap(), request), said);
}

#[test]
fn a_dropped_stream_is_recorded_as_cancelled() {
    let (_folder, path) = file();
    let events = || vec![Ok(delta("one ", &[1, 2])), Ok(delta("two", &[3])), Ok(delta("three", &[4]))];
    let model = Recorder::create(Canned::new([events(), events()]), &path).unwrap();
    let mut stream = model.stream(ask("a")).now_or_never().unwrap().unwrap();
    for _ in 0..2 {
        stream.next().now_or_never().unwrap().unwrap().unwrap();
    }
    drop(stream);
    drop(model.stream(ask("b")).now_or_never().unwrap().unwrap());

    let replay = Replay::open(&path).unwrap();
    let cancelled = |generated| {
        let usage = Usage { generated, ..Usage::default() };
        Ok(ChatEvent::End(End { finish: FinishReason::Cancelled, usage }))
    };
    assert_eq!(items(&replay, ask("a")), [Ok(delta("one ", &[1, 2])), Ok(delta("two", &[3])), cancelled(3)]);
    assert_eq!(items(&replay, ask("b")), [cancelled(0)]);
}

/// Never answers.
#[derive(Debug)]
struct Silent;

#[async_trait::async_trait]
impl ChatModel for Silent {
    fn info(&self) -> ModelInfo {
        Canned::default().info()
    }

    async fn stream(&self, _: ChatRequest) -> Result<ChatStream, ChatError> {
        std::future::pending().await
    }
}

#[test]
fn a_call_given_up_before_its_stream_is_cancelled_too() {
    let (_folder, path) = file();
    let model = Recorder::create(Silent, &path).unwrap();
    assert!(model.stream(ask("a")).now_or_never().is_none());
    let [recorded] = &Recording::read(&path).unwrap().exchanges[..] else { panic!() };
    assert!(matches!(&recorded.exchange.events[..], [ChatEvent::End(End { finish: FinishReason::Cancelled, .. })]));
}

#[test]
fn exchanges_in_flight_together_replay_in_any_order() {
    let (_folder, path) = file();
    let model = Recorder::create(ScriptedModel::new(["x", "y", "z"]), &path).unwrap();
    let x = model.stream(ask("x")).now_or_never().unwrap().unwrap();
    assert_eq!(complete(&model, ask("y")).unwrap(), "y");
    x.collect::<Vec<_>>().now_or_never().unwrap();
    assert_eq!(complete(&model, ask("z")).unwrap(), "z");

    for order in [["x", "y"], ["y", "x"]] {
        let replay = Replay::open(&path).unwrap();
        // This one was asked only after both.
        let error = complete(&replay, ask("z")).unwrap_err();
        assert_eq!(error.kind(), ChatErrorKind::InvalidRequest);
        for question in order.into_iter().chain(["z"]) {
            assert_eq!(complete(&replay, ask(question)).unwrap(), question);
        }
    }
}

#[test]
fn a_recording_goes_on_where_a_killed_one_ended() {
    let (_folder, path) = file();
    record(&path, &["a", "千"]);
    let whole = fs::read(&path).unwrap();
    let second = whole.iter().position(|&byte| byte == b'\n').unwrap() + 1;
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let Recording { exchanges, truncated, .. } = Recording::read(&path).unwrap();
        let complete_lines = whole[..length].iter().filter(|&&byte| byte == b'\n').count();
        let at_end = length + 1 == second || length + 1 == whole.len();
        // Only the line break is missing there.
        assert_eq!(exchanges.len(), complete_lines + usize::from(at_end), "{length}");
        let cut = length != 0 && length != second && !at_end;
        assert_eq!(truncated, cut.then_some(complete_lines + 1), "{length}");

        let expected = exchanges.len();
        let model = Recorder::append(ScriptedModel::new(["new"]), &path).unwrap();
        complete(&model, ask("c")).unwrap();
        let Recording { exchanges, truncated, .. } = Recording::read(&path).unwrap();
        assert_eq!((exchanges.len(), truncated), (expected + 1, None), "{length}");
        assert_eq!(exchanges.last().unwrap().after, expected);
    }
    fs::remove_file(&path).unwrap();
    let model = Recorder::append(ScriptedModel::new(["new"]), &path).unwrap();
    complete(&model, ask("c")).unwrap();
    assert_eq!(Replay::open(&path).unwrap().remaining(), 1);
}

#[test]
fn what_is_wrong_with_a_file_is_said() {
    let (folder, path) = file();
    assert_eq!(read_error(&path), "could not read the recording FILE");
    assert!(Recorder::create(Silent, folder.path()).unwrap_err().to_string().starts_with("could not create"));
    fs::write(&path, "\n\n").unwrap();
    assert_eq!(read_error(&path), "the recording FILE holds no exchange");

    let malformed: [(&str, Value, &str); 7] = [
        (
            "/version",
            3.into(),
            "line 2 of the recording FILE: `exchange` of version 3, and versions 1 to 2 can be read; use the program",
        ),
        ("/version", "1".into(), "line 2 of the recording FILE: `version`: invalid type: string \"1\""),
        ("/after", 5.into(), "line 2 of the recording FILE: `after`: 5 exchanges should have ended before"),
        ("/exchange/request/stop", 1.into(), "line 2 of the recording FILE: `exchange.request.stop`: invalid type"),
        (
            "/exchange/request/messages/0/role",
            "judge".into(),
            "line 2 of the recording FILE: `exchange.request.messages[0].role`: unknown variant `judge`",
        ),
        ("/exchange/events/0", json!({}), "line 2 of the recording FILE: `exchange.events[0]`: "),
        ("/exchange", json!({}), "line 2 of the recording FILE: `exchange`: missing field `model`"),
    ];
    for (field, value, expected) in malformed {
        record(&path, &["a", "b"]);
        edit(&path, 1, |line| *line.pointer_mut(field).unwrap() = value);
        let error = read_error(&path);
        assert!(error.starts_with(expected), "{error}");
        // Nothing is appended to a file that cannot be read.
        assert!(Recorder::append(Silent, &path).is_err());
    }
    for (text, expected) in [
        ("{}\n", "line 1 of the recording FILE: `.`: missing field `record`"),
        ("[1]\n", "line 1 of the recording FILE: `"),
        ("hello", "line 1 of the recording FILE: `.`: expected value"),
        ("{\n", "line 1 of the recording FILE: `.`: EOF while parsing"),
        ("{\"record\":\"run\",\"version\":1} x\n", "line 1 of the recording FILE: `.`: trailing characters"),
    ] {
        fs::write(&path, text).unwrap();
        let error = read_error(&path);
        assert!(error.starts_with(expected), "{error}");
    }
    fs::write(&path, b"\xff\n").unwrap();
    assert!(matches!(Replay::open(&path), Err(RecordingError::Malformed { line: 1, .. })));
}

#[test]
fn records_of_other_kinds_are_passed_over() {
    let (_folder, path) = file();
    record(&path, &["a", "b"]);
    let text = fs::read_to_string(&path).unwrap();
    let other = "{\"record\":\"tool\",\"version\":7,\"name\":\"x\"}\n";
    fs::write(&path, format!("{other}{}", text.replace('\n', &format!("\n{other}")))).unwrap();
    let replay = Replay::open(&path).unwrap();
    assert_eq!(complete(&replay, ask("a")).unwrap(), "0");
    assert_eq!(complete(&replay, ask("b")).unwrap(), "1");
}

/// The format, literally: a change here is a new version.
#[test]
fn a_line_is_written_like_this() {
    let (_folder, path) = file();
    let events = [delta("x", &[7]), ChatEvent::Call(call("")), ChatEvent::Arguments("{}".to_owned())];
    let model = Recorder::create(Canned::new([events.clone().map(Ok).into()]), &path).unwrap();
    let image = Part::Image(Image { media_type: "image/png".to_owned(), bytes: vec![0, 255, 16] });
    let generated = Part::Generated(Generated { text: "g".to_owned(), ids: vec![1] });
    let call = Part::Call(call("{}"));
    let request = ChatRequest {
        messages: vec![
            Message { role: Role::User, content: vec![image, generated] },
            Message { role: Role::Assistant, content: vec![call] },
            Message::result("c1", "sunny"),
        ],
        ..ChatRequest::default()
    };
    items(&model, request);
    let expected = concat!(
        r#"{"record":"exchange","version":2,"after":0,"exchange":{"model":{"name":"canned","context_window":9,"#,
        r#""capabilities":{"continue_last":false,"constraints":false,"native_tools":false,"images":false}},"#,
        r#""request":{"messages":[{"role":"user","content":[{"image":{"media_type":"image/png","bytes":"AP8Q"}},"#,
        r#"{"generated":{"text":"g","ids":[1]}}]},{"role":"assistant","content":[{"call":{"id":"c1","name":"f","#,
        r#""arguments":"{}"}}]},{"role":"tool","content":[{"result":{"call":"c1","text":"sunny"}}]}],"continue_last":false,"stop":[],"sampling":{"temperature":null,"#,
        r#""top_p":null,"top_k":null,"repetition_penalty":null,"seed":null},"max_tokens":null,"constraint":null,"#,
        r#""tools":[]},"events":[{"delta":{"text":"x","ids":[7]}},{"call":{"id":"c1","name":"f","arguments":""}},"#,
        r#"{"arguments":"{}"}],"error":null}}"#,
        "\n",
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
    // The reply broke off, and so does its replay.
    let request = Recording::read(&path).unwrap().exchanges[0].exchange.request.clone();
    assert_eq!(items(&Replay::open(&path).unwrap(), request), events.map(Ok));
}

/// A line of the first version, which had no native calls.
#[test]
fn older_recordings_replay() {
    let (_folder, path) = file();
    let line = concat!(
        r#"{"record":"exchange","version":1,"after":0,"exchange":{"model":{"name":"canned","context_window":9,"#,
        r#""capabilities":{"continue_last":false,"constraints":false,"native_tools":false,"images":false}},"#,
        r#""request":{"messages":[{"role":"user","content":[{"text":"a"}]}],"continue_last":false,"stop":[],"#,
        r#""sampling":{"temperature":null,"top_p":null,"top_k":null,"repetition_penalty":null,"seed":null},"#,
        r#""max_tokens":null,"constraint":null,"tools":[]},"events":[{"delta":{"text":"x","ids":[7]}},"#,
        r#"{"end":{"finish":"end_of_turn","usage":{"cached":0,"computed":1,"generated":1}}}],"error":null}}"#,
        "\n",
    );
    fs::write(&path, line).unwrap();
    assert_eq!(complete(&Replay::open(&path).unwrap(), ask("a")).unwrap(), "x");
    // What is appended has the version of today.
    complete(&Recorder::append(ScriptedModel::new(["y"]), &path).unwrap(), ask("b")).unwrap();
    let replay = Replay::open(&path).unwrap();
    assert_eq!(["a", "b"].map(|question| complete(&replay, ask(question)).unwrap()), ["x", "y"]);
}

/// `/dev/full` refuses every write.
#[cfg(target_os = "linux")]
#[test]
fn nothing_goes_unrecorded() {
    let model = Recorder::create(ScriptedModel::new(["x", "y"]), "/dev/full").unwrap();
    let error = complete(&model, ask("a")).unwrap_err();
    assert!(error.to_string().starts_with("could not record to /dev/full: No space left"), "{error}");
    let error = complete(&model, ask("b")).unwrap_err();
    assert_eq!(error.kind(), ChatErrorKind::Unavailable);
}
