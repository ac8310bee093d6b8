//! `self-instruct`: a model makes its own data.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use qianshou_agent::AnyTool;
use qianshou_chat::{ChatModel, Replay};
use qianshou_model::{Adapter, Checkpoint, ComputeDevice, Engine};
use qianshou_remote::RemoteSpec;
use qianshou_tools::{default_tools, read_manifests};
use qianshou_train::{Episode, Round, Rounds, read_groups, self_instruct};

use super::{Failure, say};

/// Let a model make episodes.
#[derive(Debug, Args)]
pub(super) struct SelfInstruct {
    /// The model: a checkpoint folder, a `.gguf` file, `remote:NAME@URL`, or `replay:FILE`.
    #[arg(long, value_name = "SPEC")]
    model: String,
    /// An adapter to merge into a local model.
    #[arg(long, value_name = "FOLDER")]
    adapter: Option<PathBuf>,
    /// Manifests of tools; the default tools without any.
    #[arg(long, value_name = "FILE")]
    tools: Vec<PathBuf>,
    /// Episodes to show at first: a file that `data` made, or an earlier `--out`.
    #[arg(long, value_name = "FILE")]
    seeds: PathBuf,
    /// The file that samples are appended to.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Samples that are wanted.
    #[arg(long, default_value_t = 100)]
    wanted: usize,
    /// Rounds at most.
    #[arg(long, default_value_t = 50)]
    rounds: usize,
    /// Requests that the model is asked for in a round.
    #[arg(long, default_value_t = 10)]
    requests: usize,
    /// Samples that it is shown.
    #[arg(long, default_value_t = 6)]
    shots: usize,
    /// Temperature of the requests.
    #[arg(long, default_value_t = 0.8)]
    temperature: f32,
    /// Decides, with the round, which samples are shown and what is sampled.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl SelfInstruct {
    pub(super) fn run(self) -> Result<(), Failure> {
        tokio::runtime::Runtime::new()?.block_on(self.make())
    }

    async fn make(self) -> Result<(), Failure> {
        let model = self.model()?;
        let mut tools: Vec<Arc<dyn AnyTool>> = Vec::new();
        for path in &self.tools {
            tools.extend(read_manifests(path)?);
        }
        if tools.is_empty() {
            tools = default_tools();
        }
        let names: Vec<String> = tools.iter().map(|tool| tool.spec().name).collect();
        let seeds = read_groups(&self.seeds)?.into_iter().flat_map(|group| group.episodes);
        // An example with other tools would teach calls that cannot be made.
        let fits = |episode: &Episode| episode.calls.iter().all(|call| names.contains(&call.tool));
        let seeds: Vec<Episode> = seeds.filter(fits).collect();
        let rounds = Rounds {
            wanted: self.wanted,
            most: self.rounds,
            requests: self.requests,
            shots: self.shots,
            temperature: self.temperature,
            seed: self.seed,
        };
        let report = &mut |round: &Round| {
            say(&format!(
                "round {}: {} requests, {} kept, {} in all",
                round.number, round.requests, round.kept, round.total
            ));
        };
        let total = self_instruct(&model, &tools, &seeds, rounds, &self.out, report).await?;
        say(&format!("{total} samples are in {}", self.out.display()));
        Ok(())
    }

    fn model(&self) -> Result<Arc<dyn ChatModel>, Failure> {
        if let Some(path) = self.model.strip_prefix("replay:") {
            return Ok(Arc::new(Replay::open(path)?));
        }
        if let Some(spec) = self.model.strip_prefix("remote:") {
            return Ok(Arc::new(spec.parse::<RemoteSpec>()?.builder().build()?));
        }
        let adapter = self.adapter.as_deref().map(Adapter::open).transpose()?;
        let checkpoint = Checkpoint::open(self.model.as_ref())?;
        Ok(Arc::new(Engine::load(self.model.clone(), checkpoint, ComputeDevice::cpu(), adapter)?))
    }
}
