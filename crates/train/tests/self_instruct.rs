//! Self-instruct with a model whose replies were recorded.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::sync::Arc;

use qianshou_agent::AnyTool;
use qianshou_chat::{ChatModel, ScriptedModel};
use qianshou_tools::Calculator;
use qianshou_train::{Call, Episode, Kind, Rounds, read_groups, self_instruct};

const ROUNDS: Rounds = Rounds { wanted: 3, most: 4, requests: 3, shots: 2, temperature: 0.7, seed: 1 };

fn tools() -> Vec<Arc<dyn AnyTool>> {
    vec![Arc::new(Calculator)]
}

fn seed() -> Episode {
    let call = Call {
        thought: "I should compute this.".to_owned(),
        tool: "calculator".to_owned(),
        input: r#"{"expression": "1 + 1"}"#.to_owned(),
        observation: "2".to_owned(),
        mistake: false,
    };
    Episode {
        kind: Kind::Arithmetic,
        question: "What is 1 + 1?".to_owned(),
        calls: vec![call],
        thought: "I now know the final answer".to_owned(),
        answer: "It is 2.".to_owned(),
        files: Vec::new(),
    }
}

fn call(expression: &str) -> String {
    format!("Thought: I compute.\nAction: calculator\nAction Input: {{\"expression\": \"{expression}\"}}\n")
}

fn answer(text: &str) -> String {
    format!(" I now know the final answer\nFinal Answer: {text}")
}

#[tokio::test]
async fn samples_are_made_kept_and_shown_again() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("samples.jsonl");
    let script = Arc::new(ScriptedModel::new([
        // Of three requests one was asked before, and one is answered with a mistake on the way.
        "1. What is 1 + 1?\n2. Multiply 6 by 7.\n3. Halve 9.".to_owned(),
        call("1 + 1"),
        answer("It is 2."),
        call("6 * 7"),
        answer("It is 42."),
        call("9 //// 2"),
        " I try again.\nAction: calculator\nAction Input: {\"expression\": \"9 / 2\"}\n".to_owned(),
        answer("It is 4.5."),
        "1. Add 20 and 5.\n2. What is 3 cubed?".to_owned(),
        call("20 + 5"),
        answer("It is 25."),
        call("3 ** 3"),
        answer("It is 27."),
    ]));
    let model: Arc<dyn ChatModel> = Arc::clone(&script) as _;
    let mut rounds = Vec::new();
    let report = &mut |round: &qianshou_train::Round| rounds.push((round.requests, round.kept, round.total));
    let total = self_instruct(&model, &tools(), &[seed()], ROUNDS, &out, report).await.unwrap();
    assert_eq!(total, 3);
    assert_eq!(rounds, [(3, 1, 1), (2, 2, 3)]);

    let groups = read_groups(&out).unwrap();
    let answers: Vec<&str> = groups.iter().map(|group| group.episodes[0].answer.as_str()).collect();
    assert_eq!(answers, ["It is 42.", "It is 25.", "It is 27."]);
    assert_eq!(groups[0].episodes[0].calls[0].observation, "42");
    // What was kept in the first round is an example in the second.
    let second =
        script.requests().iter().filter(|request| request.messages.len() == 1).nth(1).unwrap().messages[0].text();
    assert!(second.contains("Multiply 6 by 7."), "{second}");

    // A call that was broken off goes on: all is there, and the model is not asked.
    let silent: Arc<dyn ChatModel> = Arc::new(ScriptedModel::new(Vec::<String>::new()));
    let again = self_instruct(&silent, &tools(), &[seed()], ROUNDS, &out, &mut |_| {}).await.unwrap();
    assert_eq!(again, 3);
    assert_eq!(read_groups(&out).unwrap().len(), 3);
}

#[tokio::test]
async fn a_model_that_cannot_do_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("samples.jsonl");
    let script = Arc::new(ScriptedModel::new(["no", "no", "no", "no"]));
    let model: Arc<dyn ChatModel> = Arc::clone(&script) as _;
    let seeds: Vec<Episode> =
        (0..100).map(|number| Episode { question: format!("What is 1 + {number}?"), ..seed() }).collect();
    let total = self_instruct(&model, &tools(), &seeds, ROUNDS, &out, &mut |_| {}).await.unwrap();
    assert_eq!(total, 0);
    // It is not asked the same again and again.
    let requests = script.requests();
    let prompts: BTreeSet<String> = requests.iter().map(|request| request.messages[0].text()).collect();
    let sampled: BTreeSet<Option<u64>> = requests.iter().map(|request| request.sampling.seed).collect();
    assert_eq!((prompts.len(), sampled.len()), (ROUNDS.most, ROUNDS.most));
}
