//! The committed adapter does what `qianshou-train eval` has recorded of it.
//!
//! `sixty/episodes.jsonl` are 60 episodes of the two test splits, of every kind its share; `sixty/outcomes.jsonl` is what
//! `qianshou-train eval --data episodes.jsonl --out outcomes.jsonl` wrote.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::sync::Arc;

use qianshou_agent::ReAct;
use qianshou_chat::ChatModel;
use qianshou_interpreter::Interpreter;
use qianshou_model::{Adapter, Checkpoint, ComputeDevice, Engine};
use qianshou_train::{Evaluation, Outcome, Summary, ToolsAtWork, read_groups};

#[tokio::test]
async fn the_adapter_does_what_is_recorded() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let base = std::env::var_os("QIANSHOU_BASE")
        .expect("QIANSHOU_BASE is not set: run `cargo xtask test`, which fetches the base model");
    let checkpoint = Checkpoint::open(Path::new(&base)).unwrap();
    let adapter = Adapter::open(&root.join("../qianshou/adapter")).unwrap();
    let model: Arc<dyn ChatModel> =
        Arc::new(Engine::load("tiny", checkpoint, ComputeDevice::cpu(), Some(adapter)).unwrap());
    let builder = Interpreter::builder();
    let builder = match std::env::var_os("QIANSHOU_TEST_PYTHON") {
        Some(python) => builder.python(python),
        None => builder,
    };
    let python = builder.build().await.unwrap();

    let groups = read_groups(&root.join("tests/sixty/episodes.jsonl")).unwrap();
    let evaluation = Evaluation { model: &model, protocol: &ReAct::default(), tools: ToolsAtWork::Real(Some(&python)) };
    let found = evaluation.run(&groups, 0, &mut |_| Ok(())).await.unwrap();

    let recorded = std::fs::read_to_string(root.join("tests/sixty/outcomes.jsonl")).unwrap();
    let recorded: Vec<Outcome> = recorded.lines().skip(1).map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((found.len(), recorded.len()), (60, 60));
    let verdict = |outcome: &Outcome| (outcome.selected, outcome.exact, outcome.observed, outcome.right);
    let differing: Vec<_> =
        found.iter().zip(&recorded).filter(|(found, recorded)| verdict(found) != verdict(recorded)).collect();
    // Another kind of processor rounds differently, which turns a reply where two tokens are about as likely.
    assert!(differing.len() <= 2, "{differing:#?}");
    let [found, recorded] = [&found, &recorded].map(|outcomes| Summary::new(outcomes).totals());
    for ((name, found), (_, recorded)) in found.into_iter().zip(recorded) {
        assert!(found.hits.abs_diff(recorded.hits) <= 2, "{name}: {found} for {recorded}");
    }
}
