//! `data`: makes the splits, and proves that they are apart.

use std::path::PathBuf;

use clap::Args;
use qianshou_interpreter::Interpreter;
use qianshou_train::{Group, Kind, Plan, Sources, exam_overlaps, generate, prove_disjoint, write_groups};

use super::{Failure, say, split_file};

/// Make episodes.
#[derive(Debug, Args)]
pub(super) struct Data {
    /// The folder of authored sources.
    #[arg(long, value_name = "FOLDER", default_value = "crates/train/data")]
    sources: PathBuf,
    /// The folder for `training.jsonl`, `development.jsonl`, `test-seen.jsonl` and `test-unseen.jsonl`.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// Decides everything that is drawn.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Prompts for training.
    #[arg(long, default_value_t = 1000)]
    prompts: usize,
    /// Episodes behind each of them.
    #[arg(long, default_value_t = 12)]
    episodes: usize,
    /// Episodes of each test split, at least.
    #[arg(long, default_value_t = 600)]
    tests: usize,
    /// Episodes for development, at least.
    #[arg(long, default_value_t = 200)]
    development: usize,
    /// Leave Python out, where nothing isolates it.
    #[arg(long)]
    no_python: bool,
    /// The folder `bfcl_eval/data` of that exam: nothing of it may be in the data.
    #[arg(long, value_name = "FOLDER")]
    exam: Option<PathBuf>,
}

impl Data {
    pub(super) fn run(self) -> Result<(), Failure> {
        tokio::runtime::Runtime::new()?.block_on(self.make())
    }

    async fn make(self) -> Result<(), Failure> {
        let sources = Sources::read(&self.sources)?;
        say(&format!(
            "sources: {} tools, {} questions without tools, {} tasks for Python, {} problems",
            sources.tools.len(),
            sources.no_tool.len(),
            sources.python.len(),
            sources.problems.len()
        ));
        let interpreter = if self.no_python { None } else { Some(Interpreter::builder().build().await?) };
        let plan = Plan {
            seed: self.seed,
            prompts: self.prompts,
            episodes: self.episodes,
            tests: self.tests,
            development: self.development,
        };
        let (splits, dropped) = generate(&sources, plan, interpreter.as_ref()).await?;
        let built_in = ["calculator", "current_time", "read_file", "list_files", "code_interpreter"];
        prove_disjoint(&splits, &built_in).map_err(|shared| format!("the splits share: {}", shared.join("; ")))?;
        std::fs::create_dir_all(&self.out)?;
        let all = [
            ("training", &splits.training),
            ("development", &splits.development),
            ("test-seen", &splits.test_seen),
            ("test-unseen", &splits.test_unseen),
        ];
        for (name, groups) in all {
            write_groups(&split_file(&self.out, name), groups)?;
            say(&format!("{name}: {}", summary(groups)));
            if let Some(exam) = &self.exam {
                let overlaps = exam_overlaps(exam, groups)?;
                if !overlaps.is_empty() {
                    return Err(format!("{name} has of the exam: {overlaps:?}").into());
                }
            }
        }
        let dropped: Vec<String> = dropped.iter().map(|(rule, count)| format!("{rule} {count}")).collect();
        say(&format!("dropped: {}", if dropped.is_empty() { "none".to_owned() } else { dropped.join(", ") }));
        Ok(())
    }
}

fn summary(groups: &[Group]) -> String {
    let mut kinds: std::collections::BTreeMap<Kind, usize> = std::collections::BTreeMap::new();
    for episode in groups.iter().flat_map(|group| &group.episodes) {
        *kinds.entry(episode.kind).or_default() += 1;
    }
    let total: usize = kinds.values().sum();
    let kinds: Vec<String> = kinds.iter().map(|(kind, count)| format!("{kind:?} {count}")).collect();
    format!("{total} episodes behind {} prompts ({})", groups.len(), kinds.join(", "))
}
