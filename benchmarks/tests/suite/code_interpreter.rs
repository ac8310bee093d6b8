//! The code-interpreter exam over the sandbox.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use qianshou_agent::ObservationKind;
use qianshou_bench::code_interpreter::{Answer, Category, CodeInterpreterScorer, CodeSample, Rounds, task};
use qianshou_bench::{CallFormat, Log, RunOptions, Sample, Scorer as _, Solution, SolverSettings, merge, rescore, run};
use qianshou_chat::{ChatModel, NativeCall, Part, ScriptedModel, ScriptedReply};
use qianshou_interpreter::Interpreter;
use serde_json::{Value, json};

use crate::support::Instant;

fn sample(id: &str, category: Category) -> CodeSample {
    CodeSample {
        id: id.to_owned(),
        category,
        is_chinese: false,
        query: format!("Do {id}."),
        opening: None,
        files: vec![("data.csv".to_owned(), Arc::from(&b"month,sales\n1,10\n2,20\n"[..]))],
        answer: None,
        figure: None,
        rounds: Rounds { steps: 3, executions: None, ends_with_error: true },
    }
}

fn call(code: &str) -> String {
    format!("Thought: I write code.\nAction: code_interpreter\nAction Input:\n```py\n{code}\n```\nObservation:")
}

/// How many observations a prompt holds; the first of the keyword is in the description of the format.
fn observations(asked: &str) -> usize {
    asked.matches("\nObservation: ").count() - 1
}

/// A model whose first reply is code by the id of what is asked, and whose second is an answer.
fn coder(code: fn(&str) -> &'static str, answer: &'static str) -> Arc<dyn ChatModel> {
    Instant::model(move |asked| {
        if observations(asked) > 0 {
            return Ok(format!(" I know.\nFinal Answer: {answer}"));
        }
        let id = asked.rsplit_once("Do ").and_then(|(_, rest)| rest.split_once('.')).unwrap().0;
        Ok(call(code(id)))
    })
}

/// Runs samples whose first reply is code by their id, and whose second is an answer.
async fn logged(samples: Vec<CodeSample>, code: fn(&str) -> &'static str, answer: &'static str) -> Log {
    logged_with(samples, coder(code, answer), SolverSettings::default()).await
}

async fn logged_with(samples: Vec<CodeSample>, model: Arc<dyn ChatModel>, settings: SolverSettings) -> Log {
    let interpreter = Interpreter::builder().build().await.unwrap();
    let task = task(samples, Vec::new(), settings, interpreter, None);
    let folder = tempfile::tempdir().unwrap();
    let outcome =
        run(&task, model, folder.path(), &RunOptions { retries: 0, ..RunOptions::default() }, &|_| {}).await.unwrap();
    assert!(outcome.is_complete(), "{:?}", outcome.faults);
    let log = Log::read(folder.path()).unwrap();
    let again = rescore(&task.samples, &*task.scorer, &log).await.unwrap();
    assert!(again.iter().zip(&log.samples).all(|(verdict, record)| *verdict == record.verdict));
    assert_eq!(log.samples.len(), task.samples.iter().map(Sample::id).count());
    log
}

#[tokio::test]
async fn how_the_sandbox_ended_code_is_a_class_of_its_own() {
    let code = |id: &str| match id {
        "ran" => "print(open('data.csv').read())",
        "exception" => "1 / 0",
        "package" => "import no_such_package",
        "network" => "import urllib.request\nurllib.request.urlopen('http://192.0.2.1/', timeout=5)",
        "crash" => "import os\nos.abort()",
        _ => "def solution():\n    print('called')",
    };
    let ids = ["ran", "exception", "package", "network", "crash", "function"];
    let log = logged(ids.map(|id| sample(id, Category::General)).to_vec(), code, "done").await;
    let class = |record: &qianshou_bench::SampleRecord| record.verdict.labels["sandbox"].clone();
    let expected = ["ran", "exception", "package missing", "network denied", "crash", "ran"];
    assert_eq!(log.samples.iter().map(class).collect::<Vec<_>>(), expected);
    let executable: Vec<_> = log.samples.iter().map(|record| record.verdict.scores["upstream.executable"]).collect();
    assert_eq!(executable, [1.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
    let steps = log.samples[5].solution.steps();
    assert!(steps[0].calls[0].observation.as_ref().unwrap().text.contains("called"));
}

#[tokio::test]
async fn numbers_are_right_in_reply_and_result() {
    let mut asked = sample("sum", Category::Math);
    asked.answer = Some(Answer::Number { number: 30.0, tolerance: 0.01 });
    let log = logged(vec![asked], |_| "print(10 + 20)", "The sum is 30.").await;
    let scores = &log.samples[0].verdict.scores;
    for measure in ["strict.answer", "strict.correct", "upstream.math", "upstream.math_both", "upstream.executable"] {
        assert_eq!(scores[measure], 1.0, "{measure}");
    }
}

/// Runs three samples with an interpreter that is started for it; gives how many of those asked for are done.
async fn run_anew(out: &Path, options: RunOptions) -> usize {
    let interpreter = Interpreter::builder().preload(["json", "unittest"]).build().await.unwrap();
    let samples = ["a", "b", "c"].map(|id| sample(id, Category::General)).to_vec();
    let task = task(samples, Vec::new(), SolverSettings::default(), interpreter, None);
    run(&task, coder(|_| "print(1)", "done"), out, &options, &|_| {}).await.unwrap().done
}

#[tokio::test]
async fn a_run_goes_on_and_shards_are_merged_whatever_an_import_took() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole");
    assert_eq!(run_anew(&whole, RunOptions { limit: Some(1), ..RunOptions::default() }).await, 1);
    assert_eq!(run_anew(&whole, RunOptions::default()).await, 3);

    let mut shards: Vec<PathBuf> = Vec::new();
    for shard in ["1/2", "2/2"] {
        let out = folder.path().join(shard.replace('/', " of "));
        run_anew(&out, RunOptions { shard: shard.parse().unwrap(), ..RunOptions::default() }).await;
        shards.push(out);
    }
    let merged = merge(&shards, &folder.path().join("merged/log.jsonl")).unwrap();
    assert_eq!(merged.samples.len(), 3);
    // What decides scores is compared, and where it ran is told.
    let packages = merged.header.solver["packages"].as_object().unwrap();
    assert_eq!(packages.keys().collect::<Vec<_>>(), ["json", "unittest"]);
    assert!(merged.header.solver["python"].as_str().is_some_and(|version| version.starts_with('3')));
    assert!(merged.header.environment.contains_key("python") && merged.header.environment.contains_key("isolation"));
}

/// A first step that a question already holds.
const OPENING: &str = "Thought: I look.\nAction: code_interpreter\nAction Input: ```py\nx = 20\n```\n";

#[tokio::test]
async fn official_rounds_end_with_the_last_execution() {
    for (opening, executed) in [(None, 2), (Some(OPENING.to_owned()), 3)] {
        let asked = CodeSample { opening, rounds: Rounds::official(2), ..sample("a", Category::VisualizationEasy) };
        let model = Instant::model(|asked| Ok(call(&format!("print({})", observations(asked)))));
        let log = logged_with(vec![asked], model, SolverSettings::default()).await;
        let steps = log.samples[0].solution.steps();
        let seen = steps.iter().flat_map(|step| step.observations());
        assert_eq!(seen.filter(|seen| seen.kind == ObservationKind::Output).count(), executed);
        assert_eq!(steps.len(), executed);
    }
}

#[tokio::test]
async fn a_first_step_that_is_given_runs_for_native_calls_too() {
    let asked = CodeSample {
        opening: Some(OPENING.to_owned()),
        rounds: Rounds::official(3),
        ..sample("a", Category::VisualizationEasy)
    };
    let code = NativeCall {
        id: String::new(),
        name: "code_interpreter".to_owned(),
        arguments: json!({"code": "print(x + 1)"}).to_string(),
    };
    let model = Arc::new(ScriptedModel::new([ScriptedReply::Calls(String::new(), vec![code]), "It is 21.".into()]));
    let settings = SolverSettings { format: CallFormat::Native, ..SolverSettings::default() };
    let log = logged_with(vec![asked], Arc::clone(&model) as Arc<dyn ChatModel>, settings).await;

    let steps = log.samples[0].solution.steps();
    let texts: Vec<_> = steps.iter().flat_map(|step| step.observations()).map(|seen| seen.text.as_str()).collect();
    assert!(texts.len() == 2 && texts[1].contains("21"), "{texts:?}");
    assert_eq!(steps[0].thought, "I look.");
    assert_eq!(log.samples[0].verdict.scores["upstream.executable"], 1.0);
    // The model is shown it as a call of its own.
    let requests = model.requests();
    let parts = requests[0].messages.iter().flat_map(|message| &message.content);
    let opening = json!({"code": "x = 20"}).to_string();
    let shown = |part: &Part| matches!(part, Part::Call(call) if call.arguments == opening);
    assert_eq!(parts.filter(|part| shown(part)).count(), 1);
}

/// Makes as if each cell had taken so long.
fn with_times(value: &mut Value, milliseconds: u64) {
    match value {
        Value::Object(map) => {
            if map.contains_key("class") && map.contains_key("milliseconds") {
                map.insert("milliseconds".to_owned(), milliseconds.into());
            }
            map.values_mut().for_each(|value| with_times(value, milliseconds));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| with_times(value, milliseconds)),
        _ => {}
    }
}

#[tokio::test]
async fn the_official_ten_seconds_are_for_all_code_together() {
    let asked = CodeSample {
        rounds: Rounds { steps: 4, executions: None, ends_with_error: true },
        ..sample("a", Category::Math)
    };
    let model = Instant::model(|asked| match observations(asked) {
        3 => Ok(" I know.\nFinal Answer: 2".to_owned()),
        made => Ok(call(&format!("print({made})"))),
    });
    let log = logged_with(vec![asked.clone()], model, SolverSettings::default()).await;
    for (milliseconds, executable) in [(3_000, 1.0), (4_000, 0.0)] {
        let mut solution = serde_json::to_value(&log.samples[0].solution).unwrap();
        with_times(&mut solution, milliseconds);
        let solution: Solution = serde_json::from_str(&solution.to_string()).unwrap();
        let verdict = CodeInterpreterScorer::new(None).score(&asked, &solution).await.unwrap();
        assert_eq!(verdict.scores["upstream.executable"], executable, "{:?}", verdict.why);
    }
}

/// Needs matplotlib in the Python that is used.
#[tokio::test]
#[ignore = "needs a Python with matplotlib"]
async fn plots_are_checked_by_what_their_figures_show() {
    let plot = |id: &str, figure| {
        let figure = Some(serde_json::from_value(figure).unwrap());
        CodeSample { figure, ..sample(id, Category::VisualizationHard) }
    };
    let right = json!({"kind": "bar", "axes": 1, "series": 1, "title": "Sales", "x": "month", "labels": ["shop"], "data": [[10.0, 20.0]]});
    let samples = vec![plot("right", right.clone()), plot("wrong", right)];
    let code = |id: &str| match id {
        "right" => {
            "d = pd.read_csv('data.csv')\nplt.bar(d['month'], d['sales'], label='shop')\nplt.title('Sales')\nplt.xlabel('month')\n\
             plt.legend()\nplt.show()"
        }
        _ => "plt.plot([1, 2])\nplt.savefig('a.png')",
    };
    let log = logged(samples, code, "Here it is.").await;
    assert_eq!(log.samples[0].verdict.scores["strict.plot"], 1.0, "{:?}", log.samples[0].verdict);
    assert_eq!(log.samples[1].verdict.scores["strict.plot"], 0.0);
    assert!(
        log.samples[1].verdict.why.contains(&"the figure has no bar plot".to_owned()),
        "{:?}",
        log.samples[1].verdict
    );
    assert_eq!(log.samples[0].solution.artifacts().count(), 2);
}
