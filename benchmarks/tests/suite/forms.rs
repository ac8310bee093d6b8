//! The code-interpreter exam in the forms of other models.

use std::path::Path;
use std::sync::{Arc, Mutex};

use qianshou_bench::code_interpreter::{Category, CodeSample, Rounds, task};
use qianshou_bench::{Log, RunOptions, SolverSettings, run};
use qianshou_chat::{ChatModel, ScriptedModel};
use qianshou_interpreter::Interpreter;
use qianshou_prompts::Prompts;

use crate::support::Instant;

fn prompts(form: &str) -> Prompts {
    Prompts::with_folder(Path::new(env!("CARGO_MANIFEST_DIR")).join("../prompts/forms").join(form)).unwrap()
}

fn sample(is_chinese: bool, files: &[&str]) -> CodeSample {
    CodeSample {
        id: "a".to_owned(),
        category: Category::General,
        is_chinese,
        query: if is_chinese { "六乘七得多少？" } else { "What is 6 times 7?" }.to_owned(),
        opening: None,
        files: files.iter().map(|name| ((*name).to_owned(), Arc::from(&b"1\n"[..]))).collect(),
        answer: None,
        figure: None,
        rounds: Rounds { steps: 3, executions: None, ends_with_error: true },
    }
}

/// What the model was asked, request by request, and the log of its run.
async fn asked(prompts: Prompts, sample: CodeSample, replies: [&'static str; 2]) -> (Vec<String>, Log) {
    let interpreter = Interpreter::builder().build().await.unwrap();
    let requests = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&requests);
    let model = Instant::model(move |asked| {
        let mut seen = seen.lock().unwrap();
        seen.push(asked.to_owned());
        Ok(replies[seen.len() - 1].to_owned())
    });
    let settings = SolverSettings { prompts, ..SolverSettings::default() };
    let task = task(vec![sample], Vec::new(), settings, interpreter, None);
    let folder = tempfile::tempdir().unwrap();
    assert!(run(&task, model, folder.path(), &RunOptions::default(), &|_| {}).await.unwrap().is_complete());
    let requests = requests.lock().unwrap().clone();
    (requests, Log::read(folder.path()).unwrap())
}

const QWEN: [&str; 2] = [
    "Thought: x\nAction: Code Interpreter\nAction Input: ```py\nprint(6 * 7)\n```\nObservation:",
    " I know.\nFinal Answer: 42",
];

#[tokio::test]
async fn qwen_is_asked_in_the_words_that_it_was_taught() {
    let (requests, log) = asked(Prompts::embedded(), sample(true, &["a.csv", "b.csv"]), QWEN).await;
    let tool = "code_interpreter: Call this tool to interact with the 代码解释器 API. What is the 代码解释器 API useful for? \
        代码解释器，可用于执行Python代码。 Parameters: [{\"name\": \"code\", \"type\": \"string\", \"description\": \
        \"待执行的代码\"}] Enclose the code within triple backticks (`) at the beginning and end of the code.";
    assert!(requests[0].contains(&format!("to the following tools:\n\n{tool}\n\nUse the")), "{}", requests[0]);
    assert!(requests[0].ends_with("\nQuestion: [上传文件a.csv, b.csv]六乘七得多少？"), "{}", requests[0]);
    // Whatever name the action has, it is the interpreter's, as for the official script.
    assert!(requests[1].ends_with("\nObservation: stdout:\n\n```\n42\n```\nThought:"), "{}", requests[1]);
    assert_eq!(log.samples[0].verdict.scores["upstream.executable"], 1.0);
    let (requests, _) = asked(Prompts::embedded(), sample(false, &["a.csv", "b.csv"]), QWEN).await;
    assert!(requests[0].ends_with("\nQuestion: [Upload file a.csv, b.csv]What is 6 times 7?"), "{}", requests[0]);
}

#[tokio::test]
async fn llama_s_files_stand_in_backticks() {
    for (is_chinese, files, expected) in [
        (true, &["a.csv", "b.csv"][..], "\nQuestion: 文件`a.csv`, `b.csv`，六乘七得多少？"),
        (false, &["a.csv"], "\nQuestion: File `a.csv`. What is 6 times 7?"),
        (false, &["a.csv", "b.csv"], "\nQuestion: Files `a.csv`, `b.csv`. What is 6 times 7?"),
        (false, &[], "\nQuestion: What is 6 times 7?"),
    ] {
        let (requests, _) = asked(prompts("llama"), sample(is_chinese, files), QWEN).await;
        assert!(requests[0].ends_with(expected), "{}", requests[0]);
        assert!(requests[0].contains("interact with the Code Interpreter API"), "{}", requests[0]);
    }
}

#[tokio::test]
async fn internlm_has_keywords_and_a_tool_of_its_own() {
    let replies = [
        "Thought:算\nAction:PythonInterpreter\nActionInput:```python\ndef solution():\n    return 6 * 7\n```",
        "得到了结果\nFinalAnswer:42",
    ];
    let (requests, log) = asked(prompts("internlm"), sample(true, &["a.csv"]), replies).await;
    let (head, rest) = requests[0].split_once("\n{'PythonInterpreter': '").unwrap();
    assert!(head.ends_with("工具如下："), "{head}");
    assert!(rest.contains("def solution():\\n") && rest.contains("[['PythonInterpreter']]"), "{rest}");
    assert!(
        ["Thought:", "Action:", "ActionInput:", "Response:", "FinalAnswer:"].iter().all(|word| rest.contains(word))
    );
    assert!(rest.ends_with("开始！\n\n文件`a.csv`，六乘七得多少？"), "{rest}");
    // The function is called, and what came of it stands behind InternLM's word for it.
    assert!(requests[1].ends_with("\nResponse: execute_result:\n\n```\n42\n```\nThought:"), "{}", requests[1]);
    assert_eq!(log.samples[0].solution.answer(), "42");
    assert_eq!(log.samples[0].verdict.scores["upstream.executable"], 1.0);
    let (requests, _) = asked(prompts("internlm"), sample(false, &[]), replies).await;
    assert!(requests[0].starts_with("You are a helpful assistant.\nYou can use external tools."), "{}", requests[0]);
}

/// Whether a model that can be held to a grammar is held to it, by its request and by the header of the log.
async fn is_constrained(settings: SolverSettings, rounds: Rounds) -> (bool, bool) {
    let interpreter = Interpreter::builder().build().await.unwrap();
    let model = Arc::new(ScriptedModel::new(["Thought: x\nFinal Answer: 42"]));
    let task = task(vec![CodeSample { rounds, ..sample(false, &[]) }], Vec::new(), settings, interpreter, None);
    let folder = tempfile::tempdir().unwrap();
    let asked = Arc::clone(&model) as Arc<dyn ChatModel>;
    assert!(run(&task, asked, folder.path(), &RunOptions::default(), &|_| {}).await.unwrap().is_complete());
    let header = Log::read(folder.path()).unwrap().header;
    (model.requests()[0].constraint.is_some(), header.solver["solver"]["constrained"].as_bool().unwrap())
}

#[tokio::test]
async fn a_grammar_holds_models_neither_in_the_official_exam_nor_to_keywords_of_another_form() {
    let own = || Rounds { steps: 3, executions: None, ends_with_error: true };
    let settings = SolverSettings::default;
    assert_eq!(is_constrained(settings(), own()).await, (true, true));
    let switched_off = SolverSettings { constrained: false, ..settings() };
    assert_eq!(is_constrained(switched_off, own()).await, (false, false));
    let internlm = SolverSettings { prompts: prompts("internlm"), ..settings() };
    assert_eq!(is_constrained(internlm, own()).await, (false, false));
    let llama = SolverSettings { prompts: prompts("llama"), ..settings() };
    assert_eq!(is_constrained(llama, own()).await, (true, true));
    assert_eq!(is_constrained(settings(), Rounds::official(1)).await, (false, false));
}
