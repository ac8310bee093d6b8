//! The Python tool as a run calls it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use qianshou_agent::{AnyTool, ArgumentsFormat, Artifact, ToolContext, ToolOutput};
use qianshou_interpreter::{Interpreter, InterpreterBuilder};
use qianshou_tools::CodeInterpreter;
use serde_json::json;

async fn tool(builder: InterpreterBuilder) -> CodeInterpreter {
    let interpreter = builder.preload(["json"]).build().await.unwrap_or_else(|error| panic!("{error}"));
    CodeInterpreter::new(interpreter).unwrap()
}

async fn run(tool: &CodeInterpreter, code: &str, context: &ToolContext) -> ToolOutput {
    AnyTool::call(tool, json!({ "code": code }), context).await.unwrap()
}

#[tokio::test]
async fn the_model_is_told_what_qwen_was_trained_on() {
    let spec = AnyTool::spec(&tool(Interpreter::builder()).await);
    assert_eq!((spec.name.as_str(), spec.name_for_people.as_str()), ("code_interpreter", "代码解释器"));
    assert!(spec.description.starts_with("代码解释器，可用于执行Python代码。"), "{}", spec.description);
    assert_eq!(spec.parameters, json!([{ "name": "code", "type": "string", "description": "待执行的代码" }]));
    assert_eq!(spec.arguments_format, ArgumentsFormat::Code);
}

#[tokio::test]
async fn variables_stay_from_call_to_call() {
    let (tool, context) = (tool(Interpreter::builder()).await, ToolContext::default());
    assert_eq!(run(&tool, "x = 41", &context).await.text, "Finished execution.");
    let output = run(&tool, "print('hello')\nx + 1", &context).await;
    assert_eq!(output.text, "stdout:\n\n```\nhello\n```\n\nexecute_result:\n\n```\n42\n```");
    let output = run(&tool, "1 / 0", &context).await;
    assert!(output.text.contains("ZeroDivisionError: division by zero"), "{}", output.text);
    assert!(run(&tool, "x", &context).await.text.contains("41"));
}

#[tokio::test]
async fn files_go_in_and_out_of_the_workspace_and_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let workspace = folder.path().join("workspace");
    std::fs::create_dir(&workspace).unwrap();
    std::fs::write(workspace.join("data.csv"), "a\n1\n2\n").unwrap();
    std::fs::write(folder.path().join("secret"), "canary").unwrap();
    std::os::unix::fs::symlink(folder.path().join("secret"), workspace.join("link")).unwrap();
    let (tool, context) = (tool(Interpreter::builder()).await, ToolContext::default().with_workspace(&workspace));

    let code = "import os\nprint(open('data.csv').read(), os.path.exists('link'))\n\
                os.makedirs('made'); open('made/out.txt', 'w').write('done');";
    let output = run(&tool, code, &context).await;
    assert!(output.text.contains("a\n1\n2\n False") && !output.text.contains("canary"), "{}", output.text);
    assert_eq!(std::fs::read_to_string(workspace.join("made/out.txt")).unwrap(), "done");
    assert_eq!(output.artifacts, [Artifact::File { path: "made/out.txt".into() }]);

    // Where the code's file has the name of a link, what it points to is not written.
    let output = AnyTool::call(&tool, json!({ "code": "open('link', 'w').write('gone');" }), &context).await;
    assert!(output.is_err() || !output.unwrap().artifacts.is_empty());
    assert_eq!(std::fs::read_to_string(folder.path().join("secret")).unwrap(), "canary");
}

#[tokio::test]
async fn what_stops_code_is_told_with_what_became_of_the_variables() {
    let builder = Interpreter::builder().cell_time(Duration::from_millis(1500)).grace(Duration::from_millis(200));
    let (tool, context) = (tool(builder).await, ToolContext::default());
    run(&tool, "x = 41", &context).await;
    let output = run(&tool, "x = 0\nwhile True: pass", &context).await;
    assert!(output.text.contains("Timeout"), "{}", output.text);
    let output = run(&tool, "x = 1\nimport os\nos._exit(3)", &context).await;
    assert!(output.text.contains("ended while it ran") && output.text.contains("as they were"), "{}", output.text);
    let left = run(&tool, "x", &context).await.text;
    assert!(left.contains('0') || left.contains("41"), "{left}");
}
