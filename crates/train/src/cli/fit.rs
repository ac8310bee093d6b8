//! `fit`: trains, and goes on where it stopped.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use qianshou_agent::ReAct;
use qianshou_model::Checkpoint;
use qianshou_train::{
    Lora, Metrics, Network, Run, Schedule, Sequence, Settings, Trained, Workers, all_parameters, lora_parameters,
    read_groups,
};

use super::{Failure, fingerprint, renderer, say, split_file};

/// Fine-tune a model.
#[derive(Debug, Args)]
pub(super) struct Fit {
    /// The base: a checkpoint folder or a `.gguf` file.
    #[arg(long, value_name = "PATH")]
    base: PathBuf,
    /// The folder that `data` made.
    #[arg(long, value_name = "FOLDER")]
    data: PathBuf,
    /// Where checkpoints, metrics and the plot go; a training that is there goes on.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// Begin with what another training made: its folder, or an adapter in PEFT's format. Rank and α have to be the
    /// same; optimiser and schedule begin anew.
    #[arg(long, value_name = "FOLDER")]
    from: Option<PathBuf>,
    /// Train every weight instead of an adapter.
    #[arg(long, conflicts_with_all = ["rank", "alpha"])]
    full: bool,
    /// Rank of the adapter.
    #[arg(long, default_value_t = 16)]
    rank: usize,
    /// α of the adapter.
    #[arg(long, default_value_t = 32.0)]
    alpha: f64,
    /// Steps of the optimiser.
    #[arg(long, default_value_t = 1000)]
    steps: usize,
    /// Steps of warm-up.
    #[arg(long, default_value_t = 20)]
    warm_up: usize,
    /// The highest learning rate.
    #[arg(long, default_value_t = 8e-4)]
    rate: f64,
    /// Sequences a step.
    #[arg(long, default_value_t = 1)]
    batch: usize,
    /// Tokens a sequence, at most.
    #[arg(long, default_value_t = 1536)]
    length: usize,
    /// Decay of matrices.
    #[arg(long, default_value_t = 0.0)]
    weight_decay: f64,
    /// Decides an adapter's first values and the order of the data.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Threads, each of which computes a sequence of a step.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Steps between two checkpoints.
    #[arg(long, default_value_t = 25)]
    save_every: usize,
    /// Steps between two looks at the development data.
    #[arg(long, default_value_t = 100)]
    evaluate_every: usize,
    /// Sequences of the development data that are looked at.
    #[arg(long, default_value_t = 12)]
    development: usize,
}

impl Fit {
    pub(super) fn run(self) -> Result<(), Failure> {
        let checkpoint = Checkpoint::open(&self.base)?;
        // Before the data, which take a while.
        let from = self.from.as_deref().map(Trained::open).transpose()?;
        let training = sequences(&checkpoint, &split_file(&self.data, "training"), self.length)?;
        let mut development = sequences(&checkpoint, &split_file(&self.data, "development"), self.length)?;
        development.truncate(self.development);
        say(&summary(&training));
        let lora = (!self.full).then_some(Lora { rank: self.rank, alpha: self.alpha });
        let settings = Settings {
            rank: lora.map(|lora| lora.rank),
            alpha: self.alpha,
            schedule: Schedule { peak: self.rate, warm_up: self.warm_up, steps: self.steps },
            batch: self.batch,
            weight_decay: self.weight_decay,
            clip: 1.0,
            seed: self.seed,
        };
        settings.check()?;
        let mut first = match lora {
            Some(lora) => lora_parameters(checkpoint.config(), lora, self.seed),
            None => all_parameters(checkpoint.config(), &checkpoint.tensors(None)?)?,
        };
        let [learned, watched] = [&training, &development].map(|sequences| fingerprint::of_sequences(sequences));
        let base = fingerprint::of_files(&self.base)?;
        let mut data = format!("{learned}, development {watched}, base {base}");
        if let Some(from) = from {
            first = from.begin(&first, lora)?;
            data += &format!(", from {}", fingerprint::of_parameters(&first));
        }
        let trained: usize = first.iter().map(|parameter| parameter.values.len()).sum();
        say(&format!("{trained} numbers are trained, in {} tensors", first.len()));
        let network = Network::load(&checkpoint, lora)?;
        let run = Run { folder: self.out, save_every: self.save_every, evaluate_every: self.evaluate_every, data };
        let stop = stop_on_interrupt()?;
        let steps = self.steps;
        let mut report = |metrics: &Metrics| say(&line(metrics, steps));
        let workers = Workers::new(self.threads)?;
        let fit = qianshou_train::Fit {
            network: &network,
            settings: &settings,
            run: &run,
            workers: &workers,
            training: &training,
            development: &development,
            stop: &stop,
        };
        let state = fit.run(first, &mut report)?;
        say(&format!("{} of {steps} steps are taken; the state is {}", state.step, run.state().display()));
        Ok(())
    }
}

fn sequences(checkpoint: &Checkpoint, path: &Path, length: usize) -> Result<Vec<Sequence>, Failure> {
    let protocol = ReAct::default();
    let renderer = renderer(checkpoint, &protocol)?;
    let mut sequences = Vec::new();
    for group in read_groups(path)? {
        sequences.extend(renderer.sequences(&group, length)?);
    }
    Ok(sequences)
}

fn summary(sequences: &[Sequence]) -> String {
    let sum = |count: fn(&Sequence) -> usize| sequences.iter().map(count).sum::<usize>();
    let (tokens, learned) = (sum(|sequence| sequence.ids().len()), sum(|sequence| sequence.targets().len()));
    let episodes = sum(|sequence| sequence.episodes().len());
    format!("{} sequences: {episodes} episodes, {tokens} tokens, {learned} of them learned", sequences.len())
}

fn line(metrics: &Metrics, steps: usize) -> String {
    let left = (steps - metrics.step) as f64 * metrics.seconds / 3600.0;
    let development = metrics.development_loss.map_or_else(String::new, |loss| format!("  development {loss:.4}"));
    format!(
        "{:>6}/{steps}  loss {:.4}{development}  norm {:.2}  rate {:.2e}  {:.0} tokens/s  {left:.1} h left",
        metrics.step,
        metrics.loss,
        metrics.gradient_norm,
        metrics.rate,
        metrics.tokens_per_second()
    )
}

/// Ctrl-C ends a training after its step; what is done so far is saved.
fn stop_on_interrupt() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name("interrupt".to_owned()).spawn(move || {
        if runtime.block_on(tokio::signal::ctrl_c()).is_ok() {
            say("stopping after this step");
            flag.store(true, Ordering::Relaxed);
        }
    })?;
    Ok(stop)
}
