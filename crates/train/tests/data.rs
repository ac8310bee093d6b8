//! The generator: reproducible, apart, true to what the tools tell, and rendered as the agent renders.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::path::Path;

use qianshou_train::{
    Beyond, Group, Kind, NoTool, Overlap, Plan, Sources, Splits, exam_overlaps, generate, prove_disjoint, read_groups,
    write_groups,
};

const BUILT_IN: [&str; 5] = ["calculator", "current_time", "read_file", "list_files", "code_interpreter"];

/// The committed sources, with a few tools, questions and tasks.
fn sources() -> Sources {
    let folder = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let copy = |from: &Path| {
        for entry in std::fs::read_dir(root.join(from)).unwrap() {
            let path = entry.unwrap().path();
            std::fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
        }
    };
    for name in ["arithmetic.jsonl", "clock.jsonl", "files.jsonl", "listing.jsonl", "phrases.json"] {
        std::fs::copy(root.join("data").join(name), folder.path().join(name)).unwrap();
    }
    copy(Path::new("tests/sources"));
    Sources::read(folder.path()).unwrap()
}

async fn splits(seed: u64) -> Splits {
    let plan = Plan { seed, prompts: 40, episodes: 8, tests: 40, development: 20 };
    generate(&sources(), plan, None).await.unwrap().0
}

fn questions(groups: &[Group]) -> Vec<&str> {
    groups.iter().flat_map(|group| &group.episodes).map(|episode| episode.question.as_str()).collect()
}

#[tokio::test]
async fn the_same_seed_makes_the_same_data() {
    let [one, same, other] = [splits(1).await, splits(1).await, splits(2).await];
    assert_eq!(one, same);
    assert_ne!(questions(&one.training), questions(&other.training));
}

#[tokio::test]
async fn splits_are_apart() {
    for seed in 0..3 {
        let mut splits = splits(seed).await;
        assert!(splits.test_seen.iter().map(|group| group.episodes.len()).sum::<usize>() >= 40);
        assert!(splits.test_unseen.iter().map(|group| group.episodes.len()).sum::<usize>() >= 40);
        assert_eq!(prove_disjoint(&splits, &BUILT_IN), Ok(()));
        // The proof finds what it looks for.
        let learned = splits.training.iter().find(|group| group.episodes[0].kind == Kind::Authored).unwrap().clone();
        splits.test_unseen.push(learned);
        let shared = prove_disjoint(&splits, &BUILT_IN).unwrap_err();
        assert!(shared.iter().any(|line| line.starts_with("test-unseen and training: the tool")), "{shared:?}");
        assert!(shared.len() >= 2, "{shared:?}");
    }
}

#[tokio::test]
async fn episodes_hold_what_the_tools_told() {
    let splits = splits(3).await;
    let mut kinds = BTreeSet::new();
    for group in &splits.training {
        let names: BTreeSet<&str> = group.tools.iter().map(|spec| spec.name.as_str()).collect();
        for episode in &group.episodes {
            kinds.insert(episode.kind);
            assert!(episode.calls.iter().all(|call| names.contains(call.tool.as_str())), "{episode:?}");
            match episode.kind {
                Kind::Repair => assert!(episode.calls.len() == 2 && episode.calls[0].mistake, "{episode:?}"),
                Kind::Steps => {
                    assert_eq!(episode.calls[1].tool, "calculator");
                    assert!(episode.answer.contains(&episode.calls[1].observation), "{episode:?}");
                }
                Kind::Arithmetic => {
                    assert!(episode.calls[0].observation.parse::<f64>().is_ok(), "{episode:?}");
                    assert!(episode.answer.contains(&episode.calls[0].observation), "{episode:?}");
                }
                Kind::Cannot | Kind::NoNeed => assert!(episode.calls.is_empty()),
                _ => assert!(
                    !episode.calls.is_empty()
                        && episode.calls.iter().all(|call| !call.mistake || episode.kind == Kind::Files)
                ),
            }
        }
    }
    let expected = [Kind::Authored, Kind::Arithmetic, Kind::Time, Kind::Files, Kind::Cannot, Kind::NoNeed];
    assert!(expected.iter().all(|kind| kinds.contains(kind)), "{kinds:?}");
}

#[tokio::test]
async fn what_is_near_a_tool_is_asked_where_it_is_offered() {
    let mut sources = sources();
    let near = |tool: &str, kind: &str| -> Vec<String> {
        (0..30).map(|number| format!("{kind} {tool}, number {number}")).collect()
    };
    for tool in &mut sources.tools {
        let question = |question: String| NoTool { question, answer: "That is so.".to_owned() };
        tool.known = near(&tool.description, "about").into_iter().map(question).collect();
        let beyond = |question: String| Beyond { question, purpose: "qqqq zzzz".to_owned() };
        tool.beyond = near(&tool.description, "beyond").into_iter().map(beyond).collect();
    }
    let plan = Plan { seed: 1, prompts: 60, episodes: 8, tests: 80, development: 40 };
    let (splits, _) = generate(&sources, plan, None).await.unwrap();
    assert_eq!(prove_disjoint(&splits, &BUILT_IN), Ok(()));
    for groups in [&splits.training, &splits.test_seen, &splits.test_unseen] {
        let mut asked = BTreeSet::new();
        for group in groups {
            for episode in &group.episodes {
                let Some((kind, rest)) = episode.question.split_once(' ') else { continue };
                if !["about", "beyond"].contains(&kind) {
                    continue;
                }
                asked.insert(kind);
                assert!(group.tools.iter().any(|spec| rest.starts_with(&spec.description)), "{episode:?}");
                assert_eq!(episode.kind, if kind == "about" { Kind::NoNeed } else { Kind::Cannot });
            }
        }
        assert_eq!(asked.len(), 2);
    }
}

#[tokio::test]
async fn groups_are_read_as_they_were_written() {
    let splits = splits(1).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("groups.jsonl");
    write_groups(&path, &splits.training).unwrap();
    assert_eq!(read_groups(&path).unwrap(), splits.training);
    std::fs::write(&path, "{}\n").unwrap();
    let error = read_groups(&path).unwrap_err().to_string();
    assert!(error.contains("groups.jsonl:1: missing field"), "{error}");
}

#[tokio::test]
async fn an_exam_in_the_data_is_found() {
    let splits = splits(1).await;
    let episode = &splits.training[0].episodes[0];
    let spec = &splits.training[0].tools[0];
    let folder = tempfile::tempdir().unwrap();
    let sample = |question: &str, name: &str, description: &str| {
        serde_json::json!({
            "id": "multiple_0",
            "question": [[{"role": "user", "content": question}]],
            "function": [{"name": name, "description": description, "parameters": {"type": "dict"}}],
        })
    };
    let path = folder.path().join("BFCL_v4_multiple.json");
    std::fs::write(&path, sample("Is this new?", "something.new", "Is new.").to_string()).unwrap();
    assert_eq!(exam_overlaps(folder.path(), &splits.training).unwrap(), []);
    // Also where a sample takes several lines.
    let text = format!("{:#}", sample(&episode.question.to_uppercase(), &spec.name, &spec.description));
    std::fs::write(&path, text).unwrap();
    let overlaps = exam_overlaps(folder.path(), &splits.training).unwrap();
    assert!(matches!(overlaps[..], [Overlap::Question(_), Overlap::Function(_)]), "{overlaps:?}");
    assert!(exam_overlaps(&folder.path().join("none"), &[]).is_err());
}
