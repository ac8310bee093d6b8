//! The training loop.

mod metrics;
mod plot;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use rand::SeedableRng as _;
use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::SliceRandom as _;

pub use self::metrics::Metrics;
use self::metrics::MetricsFile;
use crate::checkpoint::State;
use crate::optimizer::{AdamW, clip};
use crate::{Network, Parameter, Sequence, Settings, TrainError, Workers};

/// Steps among whose sequences those of about the same length are put together.
const STRETCH: usize = 16;

/// Where a training is kept, and how often it looks up from its work.
#[derive(Clone, Debug)]
pub struct Run {
    /// The folder of `state.safetensors`, `metrics.jsonl` and `loss.svg`.
    pub folder: PathBuf,
    /// Steps between two checkpoints.
    pub save_every: usize,
    /// Steps between two looks at the development data.
    pub evaluate_every: usize,
    /// What the base and the data are, in a few characters, and what the training began with, if not with the base: a
    /// checkpoint is resumed with the same only.
    pub data: String,
}

impl Run {
    /// The checkpoint.
    pub fn state(&self) -> PathBuf {
        self.folder.join("state.safetensors")
    }
}

/// A training: a network, its data, and how it is gone about.
#[derive(Clone, Copy, Debug)]
pub struct Fit<'a> {
    /// What is not trained, and how everything is computed.
    pub network: &'a Network,
    /// The settings.
    pub settings: &'a Settings,
    /// Where it is kept.
    pub run: &'a Run,
    /// Who computes.
    pub workers: &'a Workers,
    /// What is learned.
    pub training: &'a [Sequence],
    /// What is looked at meanwhile; may be empty.
    pub development: &'a [Sequence],
    /// Ends the training after its step once it is set.
    pub stop: &'a AtomicBool,
}

impl Fit<'_> {
    /// Trains, or goes on from the checkpoint that is in the folder, until all steps are taken or `stop` is set; in
    /// either case the state is saved. `first` are the parameters of a training that begins. `report` hears of every
    /// step.
    ///
    /// # Errors
    /// When settings, data or a checkpoint cannot be used, a file cannot be written, or a number is not finite.
    pub fn run(&self, first: Vec<Parameter>, report: &mut dyn FnMut(&Metrics)) -> Result<State, TrainError> {
        let Self { network, settings, run, workers, .. } = *self;
        settings.check()?;
        self.check_data()?;
        std::fs::create_dir_all(&run.folder).map_err(TrainError::io(&run.folder))?;
        let mut state = if run.state().exists() {
            State::resume(&run.state(), settings, &run.data)?
        } else {
            State { step: 0, optimizer: AdamW::new(&first, settings.weight_decay), parameters: first }
        };
        let mut file = MetricsFile::open(&run.folder, state.step)?;
        let development: Vec<&Sequence> = self.development.iter().collect();
        while state.step < settings.schedule.steps && !self.stop.load(Ordering::Relaxed) {
            let started = Instant::now();
            let batch = batch(self.training, settings, state.step);
            state.step += 1;
            let mut metrics = take_step(network, &mut state, settings, workers, &batch)?;
            metrics.seconds = started.elapsed().as_secs_f64();
            let last = state.step == settings.schedule.steps;
            if !development.is_empty() && (state.step.is_multiple_of(run.evaluate_every.max(1)) || last) {
                metrics.development_loss = Some(workers.loss(network, &state.parameters, &development)?);
            }
            file.push(&metrics)?;
            report(&metrics);
            if state.step.is_multiple_of(run.save_every.max(1)) {
                self.save(&state, &file)?;
            }
        }
        self.save(&state, &file)?;
        Ok(state)
    }

    fn save(&self, state: &State, file: &MetricsFile) -> Result<(), TrainError> {
        file.plot(&self.run.folder)?;
        state.save(&self.run.state(), self.settings, &self.run.data)
    }

    fn check_data(&self) -> Result<(), TrainError> {
        let refuse = |reason: String| Err(TrainError::setting("the data", reason));
        if self.training.is_empty() {
            return refuse("it holds no sequence to learn from".to_owned());
        }
        let longest = self.network.longest();
        let vocabulary = self.network.config().vocabulary_size;
        for sequence in self.training.iter().chain(self.development) {
            if sequence.positions().any(|position| position >= longest) {
                return refuse(format!("an episode is longer than the {longest} tokens of the model"));
            }
            if sequence.ids().iter().any(|&id| id as usize >= vocabulary) {
                return refuse(format!("it has ids beyond the vocabulary of {vocabulary}"));
            }
        }
        Ok(())
    }
}

/// One step of the optimiser on the mean loss a token of the batch.
fn take_step(
    network: &Network,
    state: &mut State,
    settings: &Settings,
    workers: &Workers,
    batch: &[&Sequence],
) -> Result<Metrics, TrainError> {
    let mut gradients = workers.gradients(network, &state.parameters, batch)?;
    let learned: usize = batch.iter().map(|sequence| sequence.targets().len()).sum();
    let share = 1.0 / learned as f32;
    gradients.values.iter_mut().flatten().for_each(|value| *value *= share);
    let loss = gradients.loss / learned as f64;
    let norm = clip(&mut gradients.values, settings.clip);
    for (what, value) in [("the loss", loss), ("the gradient", norm)] {
        if !value.is_finite() {
            return Err(TrainError::NotFinite { step: state.step, what });
        }
    }
    let rate = settings.schedule.rate(state.step);
    state.optimizer.step(&mut state.parameters, &gradients.values, state.step, rate);
    Ok(Metrics {
        step: state.step,
        loss,
        development_loss: None,
        rate,
        gradient_norm: norm,
        tokens: batch.iter().map(|sequence| sequence.ids().len()).sum(),
        learned_tokens: learned,
        seconds: 0.0,
    })
}

/// The sequences of the step behind `done` others. Each time through the data has an order of its own, which the
/// seed decides: nothing has to be remembered to go on.
fn batch<'a>(training: &'a [Sequence], settings: &Settings, done: usize) -> Vec<&'a Sequence> {
    let mut order = (usize::MAX, Vec::new());
    let places = done * settings.batch..(done + 1) * settings.batch;
    let sequence = |place: usize| {
        let pass = place / training.len();
        if order.0 != pass {
            order = (pass, self::order(training, settings, pass));
        }
        &training[order.1[place % training.len()]]
    };
    places.map(sequence).collect()
}

/// One time through the data. Those of a step are about as long as each other, so that no worker waits long for
/// another: what is drawn is sorted by length in stretches, and the stretches' steps are shuffled.
fn order(training: &[Sequence], settings: &Settings, pass: usize) -> Vec<usize> {
    let mut generator = Xoshiro256PlusPlus::seed_from_u64(settings.seed.wrapping_add(pass as u64));
    let mut drawn: Vec<usize> = (0..training.len()).collect();
    drawn.shuffle(&mut generator);
    for stretch in drawn.chunks_mut(STRETCH * settings.batch) {
        stretch.sort_by_key(|&index| training[index].ids().len());
    }
    let whole = drawn.chunks_exact(settings.batch);
    let rest = whole.remainder();
    let mut steps: Vec<&[usize]> = whole.collect();
    steps.shuffle(&mut generator);
    steps.push(rest);
    steps.concat()
}

/// The metrics of a training by its folder.
///
/// # Errors
/// When there are none.
pub fn read_metrics(folder: &Path) -> Result<Vec<Metrics>, TrainError> {
    metrics::read(folder)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::{Schedule, Tokens};

    #[test]
    fn every_sequence_comes_once_beside_others_of_its_length() {
        let sequence = |length: usize| {
            let learned = (0..length).map(|index| index > 0).collect();
            Sequence::pack(&[Tokens { ids: vec![1; length], learned }]).unwrap()
        };
        let training: Vec<Sequence> = (0..131).map(|number| sequence(2 + number * 37 % 131)).collect();
        let settings = Settings {
            rank: None,
            alpha: 1.0,
            schedule: Schedule { peak: 1.0, warm_up: 1, steps: 1 },
            batch: 4,
            weight_decay: 0.0,
            clip: 1.0,
            seed: 7,
        };
        let [first, second] = [0, 1].map(|pass| order(&training, &settings, pass));
        assert_ne!(first, second);
        for pass in [first, second] {
            let mut sorted = pass.clone();
            sorted.sort_unstable();
            assert!(sorted.into_iter().eq(0..131));
            for step in pass.chunks_exact(4) {
                let lengths = || step.iter().map(|&index| training[index].ids().len());
                let spread = lengths().max().unwrap() - lengths().min().unwrap();
                // Of 64 that are drawn from 131 lengths, four in a row differ by about eight.
                assert!(spread < 40, "{spread}");
            }
        }
    }
}
