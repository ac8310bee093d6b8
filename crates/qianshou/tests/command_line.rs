//! The binary as people and scripts meet it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn qianshou(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_qianshou"));
    // Where no desktop runs, Mesa's Vulkan layer that orders devices writes to stderr; this turns it off.
    command.args(arguments).env("NO_COLOR", "1").env("NODEVICE_SELECT", "1");
    command
}

fn run(arguments: &[&str]) -> Output {
    qianshou(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A failure in one line that holds `words`, one line of help where there is one, and nothing on stdout.
#[track_caller]
fn assert_fails(output: &Output, code: i32, words: &[&str]) {
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    assert!(output.stdout.is_empty(), "{}", text(&output.stdout));
    assert!(!stderr.contains("panicked"), "{stderr}");
    for word in words {
        assert!(stderr.contains(word), "`{word}` is missing in: {stderr}");
    }
    if code == 1 {
        let lines: Vec<&str> = stderr.lines().collect();
        assert!(lines.len() <= 2 && lines[0].starts_with("error: "), "{stderr}");
    }
}

fn goldens(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/tests/goldens").join(name);
    folder.to_str().unwrap().to_owned()
}

#[test]
fn ask_prints_the_answer_alone_on_stdout_and_the_steps_on_stderr() {
    let output = run(&["ask", "What is 37 * 48 + 12?", "--device", "cpu"]);
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{stderr}");
    assert!(stdout.contains("1788") && stdout.lines().count() == 1, "{stdout}");
    let expected = "\nAction: calculator\nAction Input: {\"expression\": \"37 * 48 + 12\"}\n";
    assert!(stderr.starts_with("Thought: ") && stderr.contains(expected), "{stderr}");
    assert!(stderr.contains("\nObservation: 1788\n"), "{stderr}");
}

#[test]
fn ask_as_json_is_one_event_a_line() {
    let output = run(&["ask", "What is 2 + 3?", "--device", "cpu", "--json"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let events: Vec<serde_json::Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<&str> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"tool_started"), "{kinds:?}");
    assert_eq!(kinds.last(), Some(&"finished"));
    assert!(events.last().unwrap()["answer"]["text"].as_str().unwrap().contains('5'));
}

#[test]
fn tools_lists_names_and_schemas() {
    let output = run(&["tools"]);
    let expected = "\
calculator: Evaluates an arithmetic expression.
    {\"type\": \"object\", \"properties\": {\"expression\": {\"description\": \"The expression, for example (3 + 4) * 5\", \"type\": \"string\"}}, \"required\": [\"expression\"]}
current_time: Tells the current date and time.
    {\"type\": \"object\", \"properties\": {}, \"required\": []}
read_file: Reads a text file of the workspace.
    {\"type\": \"object\", \"properties\": {\"path\": {\"description\": \"The path in the workspace, for example data/sales.csv\", \"type\": \"string\"}, \"first_line\": {\"description\": \"The first line to read, from 1\", \"type\": \"integer\", \"minimum\": 1}, \"last_line\": {\"description\": \"The last line to read\", \"type\": \"integer\", \"minimum\": 1}}, \"required\": [\"path\"]}
list_files: Lists the files in a folder of the workspace.
    {\"type\": \"object\", \"properties\": {\"path\": {\"description\": \"The folder; the whole workspace by default\", \"type\": \"string\"}}, \"required\": []}
code_interpreter: 代码解释器，可用于执行Python代码。";
    let stdout = text(&output.stdout);
    let packages = stdout.strip_prefix(expected).unwrap_or_else(|| panic!("{stdout}"));
    // Behind the description stand the packages that this machine's Python has.
    assert!(
        packages.ends_with("\n    [{\"name\": \"code\", \"type\": \"string\", \"description\": \"待执行的代码\"}]\n"),
        "{packages}"
    );
}

#[test]
fn tools_are_chosen_by_name_host_and_manifest() {
    let names = |arguments: &[&str]| {
        let output = run(&[&["tools", "--json"], arguments].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        let name =
            |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["name"].as_str().unwrap().into();
        text(&output.stdout).lines().map(name).collect::<Vec<String>>()
    };
    let manifests = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tools/manifests");
    assert_eq!(names(&["--tools", "calculator,write_file,web_search"]), ["calculator", "write_file", "web_search"]);
    assert_eq!(names(&["--tools", "current_time", "--http-host", "docs.rs"]), ["current_time", "http_get"]);
    let from_manifests = ["calculator", "exchange_rates", "forecast", "wikipedia"];
    assert_eq!(names(&["--tools", "calculator", "--manifest", manifests]), from_manifests);

    assert_fails(&run(&["tools", "--tools", "http_get"]), 1, &["http_get", "--http-host"]);
    assert_fails(&run(&["tools", "--http-host", "https://docs.rs/"]), 1, &["https://docs.rs/"]);
    assert_fails(&run(&["tools", "--manifest", "nowhere.json"]), 1, &["nowhere.json"]);
    assert_fails(&run(&["tools", "--python", "nowhere/python3"]), 1, &["nowhere/python3"]);
}

/// The rest of the default tools is there all the same.
#[test]
fn without_python_there_is_a_warning() {
    let output = qianshou(&["tools"]).env("PATH", "").env_remove("VIRTUAL_ENV").output().unwrap();
    assert!(output.status.success());
    assert!(text(&output.stderr).starts_with("warning: there is no code_interpreter in this run: "));
    assert!(text(&output.stdout).contains("list_files") && !text(&output.stdout).contains("code_interpreter"));
}

#[test]
fn verify_agrees_with_the_goldens_and_tells_when_it_does_not() {
    let output = run(&["model", "verify", &goldens("qwen2-gqa-tied"), "--device", "cpu"]);
    assert!(output.status.success(), "{}", text(&output.stdout));
    assert!(text(&output.stdout).ends_with("agrees within 1e-4 on cpu\n"));

    let expected = goldens("qwen2-gqa-tied") + "/expected.safetensors";
    let arguments = ["model", "verify", &goldens("qwen2-yarn"), "--expected", &expected, "--device", "cpu"];
    let output = run(&arguments);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).ends_with("differs within 1e-4 on cpu\n"), "{}", text(&output.stdout));
}

#[test]
fn generate_continues_a_text() {
    let base = std::env::var("QIANSHOU_BASE").unwrap();
    let arguments = ["model", "generate", &base, "--prompt", "The capital of France is", "--max-tokens", "4"];
    let output = run(&arguments);
    assert!(text(&output.stdout).contains("Paris"), "{}", text(&output.stdout));
    assert!(text(&output.stderr).contains("tokens/s"));
}

#[test]
fn generate_holds_a_reply_to_its_constraint() {
    let base = std::env::var("QIANSHOU_BASE").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let generate = |constraint: &[&str]| {
        let arguments = ["model", "generate", &base, "--chat", "--prompt", "What is the capital of France?"];
        run(&[&arguments, constraint, &["--device", "cpu"]].concat())
    };
    let answer = |constraint: &[&str]| {
        let output = generate(constraint);
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    assert_eq!(answer(&["--regex", "(Paris|Rome)!"]), "Paris!\n");
    let schema = file("schema.json", r#"{"enum": [["Paris"], ["Rome"]]}"#);
    assert_eq!(answer(&["--json-schema", &schema]), "[\"Paris\"]\n");
    let grammar = file("grammar.lark", "start: \"The city of \" CITY\nCITY: \"Rome\" | \"Paris\"\n");
    assert_eq!(answer(&["--grammar", &grammar]), "The city of Paris\n");

    assert_fails(&generate(&["--regex", "a", "--grammar", &grammar]), 2, &["--regex", "--grammar"]);
    assert_fails(&generate(&["--regex", "a("]), 1, &["regular expression", "unclosed group", "help: "]);
    assert_fails(&generate(&["--json-schema", &grammar]), 1, &["grammar.lark is not JSON"]);
    assert_fails(&generate(&["--grammar", "/no/such/file"]), 1, &["/no/such/file"]);
}

#[test]
fn wrong_usage_ends_with_2() {
    assert_fails(&run(&[]), 2, &["Usage"]);
    assert_fails(&run(&["ask"]), 2, &["QUESTION"]);
    assert_fails(&run(&["ask", "Hi", "--frobnicate"]), 2, &["--frobnicate"]);
    assert_fails(&run(&["ask", "Hi", "--device", "tpu"]), 2, &["tpu", "auto, cpu, wgpu"]);
    assert_fails(&run(&["ask", "Hi", "--model", "no-such-model"]), 2, &["no-such-model", "tiny"]);
}

#[test]
fn what_cannot_be_done_is_one_line_and_ends_with_1() {
    assert_fails(&run(&["ask", "  "]), 1, &["question is empty"]);
    assert_fails(&run(&["ask", "Hi", "--tools", "hammer", "--device", "cpu"]), 1, &["`hammer`", "calculator"]);
    assert_fails(&run(&["ask", "Hi", "--device", "wgpu:99"]), 1, &["wgpu:99"]);
    assert_fails(&run(&["model", "verify", "/no/such/folder"]), 1, &["/no/such"]);
    assert_fails(&run(&["ask", "Hi", "--adapter", "/no/such/adapter"]), 1, &["adapter_config.json"]);
    let long = "word ".repeat(9000);
    assert_fails(&run(&["ask", &long, "--device", "cpu"]), 1, &["context window is full", "shorten"]);
}

#[test]
fn a_damaged_checkpoint_is_one_line_and_ends_with_1() {
    let base = std::env::var("QIANSHOU_BASE").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let truncated = folder.path().join("truncated.gguf");
    let bytes = std::fs::read(&base).unwrap();
    std::fs::write(&truncated, &bytes[..bytes.len() / 2]).unwrap();
    let path = truncated.to_str().unwrap();
    assert_fails(&run(&["model", "generate", path, "--prompt", "Hi"]), 1, &["truncated.gguf", "damaged"]);

    let wrong = qianshou(&["ask", "Hi"]).env("QIANSHOU_BASE", &truncated).output().unwrap();
    assert_fails(&wrong, 1, &["QIANSHOU_BASE", "truncated.gguf"]);
    let small = goldens("qwen2-gqa-tied");
    let adapter = Path::new(env!("CARGO_MANIFEST_DIR")).join("adapter");
    let arguments = ["model", "bench", &small, "--adapter", adapter.to_str().unwrap(), "--device", "cpu"];
    assert_fails(&run(&arguments), 1, &["does not fit this model"]);
}

#[test]
fn without_network_and_base_the_ways_out_are_told() {
    let home = tempfile::tempdir().unwrap();
    let output = qianshou(&["ask", "Hi"])
        .env_remove("QIANSHOU_BASE")
        .env("QIANSHOU_HOME", home.path())
        .env("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
        .env("PIP_FIND_LINKS", "")
        .env("PIP_NO_CACHE_DIR", "1")
        .env("PIP_RETRIES", "0")
        // Nothing is installed, so it has no say.
        .env("PIP_REQUIRE_VIRTUALENV", "1")
        .output()
        .unwrap();
    assert_fails(&output, 1, &["No matching distribution", "QIANSHOU_BASE=FILE", "--model"]);
}

#[test]
fn a_recorded_run_replays_without_a_model() {
    let folder = tempfile::tempdir().unwrap();
    let recording = folder.path().join("run.jsonl");
    let path = recording.to_str().unwrap();
    let question = "What is 37 * 48 + 12?";
    let recorded = run(&["ask", question, "--device", "cpu", "--record", path]);
    assert!(recorded.status.success(), "{}", text(&recorded.stderr));

    let spec = format!("replay:{path}");
    let replay = |question: &str| {
        qianshou(&["ask", question, "--model", &spec]).env("QIANSHOU_BASE", "/no/such/file").output().unwrap()
    };
    let replayed = replay(question);
    assert_eq!((text(&replayed.stdout), text(&replayed.stderr)), (text(&recorded.stdout), text(&recorded.stderr)));
    assert_fails(&replay("What is 1 + 1?"), 1, &["exchange 1", "another request"]);
    assert_fails(&run(&["ask", question, "--model", "replay:/no/such/recording"]), 1, &["/no/such/recording"]);
    assert_fails(&run(&["ask", question, "--device", "cpu", "--record", path]), 1, &["run.jsonl exists"]);
}

#[test]
fn a_failed_run_of_a_remote_model_replays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl").to_str().unwrap().to_owned();
    let recorded = run(&["ask", "Hi", "--model", "remote:qwen@http://127.0.0.1:9/v1", "--record", &path]);
    assert_fails(&recorded, 1, &["127.0.0.1:9 cannot be reached"]);
    let replayed = run(&["ask", "Hi", "--model", &format!("replay:{path}")]);
    assert_fails(&replayed, 1, &[]);
    assert_eq!(text(&replayed.stderr), text(&recorded.stderr));
}

#[test]
fn a_recorded_run_is_told_checked_and_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let recording = folder.path().join("run.jsonl");
    let path = recording.to_str().unwrap();
    let recorded = run(&["ask", "What is 37 * 48 + 12?", "--device", "cpu", "--record", path]);
    assert!(recorded.status.success(), "{}", text(&recorded.stderr));

    let shown = text(&run(&["trace", "show", path]).stdout);
    for words in ["question: What is 37 * 48 + 12?", "action: calculator", "observation: 1788", "answer: "] {
        assert!(shown.contains(words), "`{words}` is missing in: {shown}");
    }
    assert!(text(&run(&["trace", "show", path, "--exchanges"]).stdout).contains("Answer the following questions"));
    let replayed = run(&["trace", "replay", path]);
    assert_eq!((text(&replayed.stdout), text(&replayed.stderr)), (text(&recorded.stdout), text(&recorded.stderr)));

    // As if the process had been killed after its first step.
    let lines = std::fs::read_to_string(&recording).unwrap();
    let step = lines.lines().position(|line| line.contains(r#""record":"step""#)).unwrap();
    let beginning: String = lines.split_inclusive('\n').take(step + 1).collect();
    std::fs::write(&recording, beginning + "{\"record\":\"excha").unwrap();
    assert!(text(&run(&["trace", "show", path]).stdout).contains("breaks off"));
    let resumed = run(&["ask", "--resume", path, "--device", "cpu"]);
    assert_eq!(text(&resumed.stdout), text(&recorded.stdout), "{}", text(&resumed.stderr));
    assert!(!text(&resumed.stderr).contains("Observation"), "{}", text(&resumed.stderr));
    assert!(run(&["trace", "replay", path]).status.success());

    std::fs::write(&recording, "no transcript").unwrap();
    assert_fails(&run(&["trace", "show", path]), 1, &["run.jsonl", "line 1"]);
    assert_fails(&run(&["trace", "replay", "/no/such/file"]), 1, &["/no/such/file"]);
}

#[test]
fn a_text_that_was_generated_is_generated_again_without_a_model() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("text.jsonl").to_str().unwrap().to_owned();
    let base = std::env::var("QIANSHOU_BASE").unwrap();
    let generate = |arguments: &[&str]| {
        let common = ["--prompt", "The capital of France is", "--max-tokens", "4", "--device", "cpu"];
        run(&[&["model", "generate"], arguments, &common].concat())
    };
    let recorded = generate(&[&base, "--record", &path]);
    assert!(recorded.status.success(), "{}", text(&recorded.stderr));
    assert_eq!(text(&generate(&[&format!("replay:{path}")]).stdout), text(&recorded.stdout));
}

#[test]
fn a_chat_remembers_what_was_said() {
    let mut command = qianshou(&["chat", "--device", "cpu"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let said = "What is 37 * 48 + 12?\n/history\n/frobnicate\n/clear\n/history\nWhat is \\\n2 + 3?\n/exit\nnot read\n";
    child.stdin.take().unwrap().write_all(said.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{stderr}");
    let answers: Vec<&str> = stdout.lines().collect();
    assert!(answers.len() == 2 && answers[0].contains("1788") && answers[1].contains('5'), "{stdout}");
    assert_eq!(stderr.matches("user: What is 37 * 48 + 12?").count(), 1, "{stderr}");
    assert!(stderr.contains("no /frobnicate"), "{stderr}");
}

#[test]
fn files_are_copied_to_where_the_tools_work() {
    let folder = tempfile::tempdir().unwrap();
    let (workspace, file) = (folder.path().join("work"), folder.path().join("data.csv"));
    std::fs::write(&file, "a,b\n1,2\n").unwrap();
    let [work, path] = [&workspace, &file].map(|path| path.to_str().unwrap());
    let ask = || run(&["ask", "What is 2 + 3?", "--device", "cpu", "--workspace", work, "--file", path]);
    assert!(ask().status.success());
    assert_eq!(std::fs::read(workspace.join("data.csv")).unwrap(), std::fs::read(&file).unwrap());
    assert_fails(&ask(), 1, &["data.csv exists"]);
    assert_fails(&run(&["ask", "Hi", "--file", "/no/such/file"]), 1, &["/no/such/file is no file"]);
}

#[test]
fn a_remote_model_that_cannot_be_asked_is_told_in_one_line() {
    assert_fails(&run(&["ask", "Hi", "--model", "remote:qwen"]), 2, &["names no server"]);
    let unreachable = "remote:qwen@http://127.0.0.1:9/v1";
    assert_fails(&run(&["model", "generate", unreachable, "--prompt", "Hi"]), 1, &["plain text", "--chat"]);
    let keyless = qianshou(&["ask", "Hi", "--model", "remote:qwen@https://api.openai.com/v1"])
        .env_remove("QIANSHOU_API_KEY")
        .env_remove("OPENAI_API_KEY")
        .output()
        .unwrap();
    assert_fails(&keyless, 1, &["OPENAI_API_KEY"]);
}

#[test]
fn what_would_not_change_the_model_is_refused() {
    let adapter = concat!(env!("CARGO_MANIFEST_DIR"), "/adapter");
    for model in ["remote:qwen@http://127.0.0.1:9/v1", "replay:/no/such/recording"] {
        for (option, value, named) in
            [("--adapter", adapter, "an adapter"), ("--attention-windows", "0-11:1024", "attention windows")]
        {
            assert_fails(&run(&["ask", "Hi", "--model", model, option, value]), 1, &[named, "help: leave it out"]);
        }
    }
    for model in ["tiny", "replay:/no/such/recording"] {
        let output = run(&["ask", "Hi", "--model", model, "--context-window", "4096"]);
        assert_fails(&output, 1, &["remote models alone", "help: leave `--context-window` out"]);
    }
}

#[test]
fn doctor_counts_an_empty_key_as_none() {
    let mut command = qianshou(&["doctor"]);
    command.env("QIANSHOU_API_KEY", "").env("OPENAI_API_KEY", " ").env_remove("DASHSCOPE_API_KEY");
    let stdout = text(&command.output().unwrap().stdout);
    assert!(stdout.contains("keys       none; "), "{stdout}");
}

#[test]
fn inspect_tells_what_a_checkpoint_is() {
    let output = run(&["model", "inspect", &std::env::var("QIANSHOU_BASE").unwrap()]);
    let expected = "\
family        Llama, 134.5 million parameters
shape         30 layers, hidden 576, 9 heads (3 key-value) of 64, feed-forward 1536
vocabulary    49152
context       8192 tokens
stored as     ";
    assert!(output.status.success() && text(&output.stdout).starts_with(expected), "{}", text(&output.stdout));

    // Random weights come without a tokenizer, which is told and is no failure.
    let output = run(&["model", "inspect", &goldens("qwen1-ntk-logn"), "--json"]);
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&told["family"], &told["missing_tensors"]), (&"Qwen1".into(), &serde_json::json!([])));
    assert!(told["tokenizer"].is_string());
}

#[test]
fn tokenize_goes_both_ways() {
    let base = std::env::var("QIANSHOU_BASE").unwrap();
    let pipe = |arguments: &[&str], input: &str| {
        let arguments = [&["model", "tokenize", &base], arguments].concat();
        let mut command = qianshou(&arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    let lines = "\"<|im_start|>user\"\n\"é\\n\"\n";
    let plain = text(&pipe(&[], lines).stdout);
    assert_eq!(text(&pipe(&["--decode"], &plain).stdout), lines);
    assert_eq!(text(&pipe(&["--special"], lines).stdout).lines().next(), Some("[1,4093]"));
    assert_fails(&pipe(&[], "not JSON\n"), 1, &["line 1", "JSON string"]);
}
