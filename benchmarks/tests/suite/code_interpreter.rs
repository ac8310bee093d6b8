//! The code-interpreter exam over the sandbox.

use std::sync::Arc;

use qianshou_bench::code_interpreter::{Answer, Category, CodeSample, Rounds, task};
use qianshou_bench::{Log, RunOptions, Sample, SolverSettings, rescore, run};
use qianshou_interpreter::Interpreter;
use serde_json::json;

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
        rounds: Rounds { steps: 3, ends_with_error: true },
    }
}

fn call(code: &str) -> String {
    format!("Thought: I write code.\nAction: code_interpreter\nAction Input:\n```py\n{code}\n```\nObservation:")
}

/// Runs samples whose first reply is code by their id, and whose second is an answer.
async fn logged(samples: Vec<CodeSample>, code: fn(&str) -> &'static str, answer: &'static str) -> Log {
    let interpreter = Interpreter::builder().build().await.unwrap();
    let model = Instant::model(move |asked| {
        // The first is in the description of the format.
        if asked.matches("\nObservation: ").count() > 1 {
            return Ok(format!(" I know.\nFinal Answer: {answer}"));
        }
        let id = asked.rsplit_once("Do ").and_then(|(_, rest)| rest.split_once('.')).unwrap().0;
        Ok(call(code(id)))
    });
    let task = task(samples, Vec::new(), SolverSettings::default(), interpreter, None);
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
