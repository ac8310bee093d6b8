//! Running a task: what is left to do is done, several samples at a time, each written down when it is over.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures_util::{StreamExt as _, stream};
use qianshou_chat::ChatModel;
use qianshou_prompts::{Prompt, Prompts};
use tokio_util::sync::CancellationToken;

use crate::hash::sha256;
use crate::log::LogFile;
use crate::{
    Attempt, Fault, Header, LOG_NAME, Log, LogError, Sample, SampleRecord, Scorer, Shard, Solution, Task, Verdict,
};

/// How a task is run. Nothing of this changes a score; what does is in the header of the log.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// How many samples, from the first on; `None` for all.
    pub limit: Option<usize>,
    /// How often each is made.
    pub epochs: u32,
    /// Which share of them.
    pub shard: Shard,
    /// How many at a time.
    pub concurrency: usize,
    /// How often a sample is tried again after a passing fault of the surroundings.
    pub retries: u32,
    /// How long the first of those waits; each further one waits twice as long.
    pub backoff: Duration,
    /// Ends the run with what is done so far.
    pub cancellation: CancellationToken,
    /// What decides the model's replies besides its name; see [`Header::provenance`].
    pub provenance: BTreeMap<String, String>,
    /// Where it runs; see [`Header::environment`].
    pub environment: BTreeMap<String, String>,
    /// The prompts in force.
    pub prompts: Prompts,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            limit: None,
            epochs: 1,
            shard: Shard::default(),
            concurrency: 1,
            retries: 4,
            backoff: Duration::from_secs(1),
            cancellation: CancellationToken::new(),
            provenance: BTreeMap::new(),
            environment: BTreeMap::new(),
            prompts: Prompts::embedded(),
        }
    }
}

/// How far a run is.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// Samples with a verdict, those of earlier runs included.
    pub done: usize,
    /// Samples that are to have one, epochs counted.
    pub total: usize,
    /// Samples a second in this run; nothing before the first.
    pub rate: Option<f64>,
    /// How long the rest will take at this rate.
    pub left: Option<Duration>,
}

/// What came of a run.
#[derive(Debug)]
pub struct Outcome {
    /// Samples with a verdict.
    pub done: usize,
    /// Samples that were to have one.
    pub total: usize,
    /// Samples that came to nothing, through no fault of the model, each with what went wrong.
    pub faults: Vec<(String, Fault)>,
}

impl Outcome {
    /// Whether every sample has a verdict, whatever the score.
    pub fn is_complete(&self) -> bool {
        self.done == self.total
    }
}

/// Why a run ended early. What was done is saved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    /// The log cannot be written, or is of another run.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Every further sample would meet the same fault.
    #[error("the run ended at the sample {sample}: {fault}")]
    Lasting {
        /// The sample that met it.
        sample: String,
        /// What it is.
        fault: Fault,
    },
}

/// Runs what is left to do of a task, and appends it to the log in the folder `out`.
///
/// `observe` hears of every sample that is done.
///
/// # Errors
/// When the log cannot be written or is of another run, or a fault would meet every sample. Faults of single
/// samples are in the [`Outcome`]; they are tried again when the run is.
pub async fn run<S: Sample>(
    task: &Task<S>,
    model: Arc<dyn ChatModel>,
    out: &Path,
    options: &RunOptions,
    observe: &(dyn Fn(&Progress) + Send + Sync),
) -> Result<Outcome, BenchError> {
    let (mut log, done) = LogFile::open(&out.join(LOG_NAME), &header(task, &*model, options))?;
    let done: HashSet<_> = done.into_iter().map(|record| (record.epoch, record.index)).collect();
    let limit = options.limit.unwrap_or(usize::MAX).min(task.samples.len());
    let wanted: Vec<_> = (1..=options.epochs)
        .flat_map(|epoch| (0..limit).filter(|&index| options.shard.holds(index)).map(move |index| (epoch, index)))
        .collect();
    let todo: Vec<_> = wanted.iter().copied().filter(|key| !done.contains(key)).collect();
    let mut outcome = Outcome { done: wanted.len() - todo.len(), total: wanted.len(), faults: Vec::new() };
    let clock = Clock { begun: Instant::now(), before: outcome.done };
    observe(&clock.progress(&outcome));

    let concurrency = options.concurrency.max(1);
    let mut attempts = stream::iter(todo)
        .map(|(epoch, index)| sample(task, Arc::clone(&model), epoch, index, options))
        .buffer_unordered(concurrency)
        .ready_chunks(concurrency);
    loop {
        let ended = tokio::select! {
            biased;
            () = options.cancellation.cancelled() => break,
            ended = attempts.next() => ended,
        };
        let Some(ended) = ended else { break };
        let answered = outcome.done > 0 || ended.iter().any(|(_, result)| result.is_ok());
        let mut records = Vec::new();
        let mut lasting = None;
        for (index, result) in ended {
            let id = || task.samples[index].id().to_owned();
            match result {
                Ok(record) => records.push(record),
                Err(fault) if fault.is_lasting(answered) => lasting = Some((id(), fault)),
                Err(fault) => outcome.faults.push((id(), fault)),
            }
        }
        log.append(&records)?;
        outcome.done += records.len();
        observe(&clock.progress(&outcome));
        if let Some((sample, fault)) = lasting {
            return Err(BenchError::Lasting { sample, fault });
        }
    }
    drop(attempts);
    log.close()?;
    Ok(outcome)
}

/// Makes one sample; faults of the surroundings are tried again.
async fn sample<S: Sample>(
    task: &Task<S>,
    model: Arc<dyn ChatModel>,
    epoch: u32,
    index: usize,
    options: &RunOptions,
) -> (usize, Result<SampleRecord, Fault>) {
    let sample = &task.samples[index];
    let (at, begun) = (now(), Instant::now());
    let mut faults = 0;
    let (solution, verdict) = loop {
        match once(task, sample, Arc::clone(&model), epoch).await {
            Ok(made) => break made,
            Err(fault) if fault.is_passing() && faults < options.retries => {
                tokio::time::sleep(options.backoff * 2_u32.saturating_pow(faults)).await;
                faults += 1;
            }
            Err(fault) => return (index, Err(fault)),
        }
    };
    let record = SampleRecord {
        id: sample.id().to_owned(),
        epoch,
        index,
        category: sample.category().to_owned(),
        question: sample.question().to_owned(),
        expected: sample.expected(),
        verdict,
        stop: solution.stop(),
        faults,
        at,
        milliseconds: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        solution,
    };
    (index, Ok(record))
}

async fn once<S: Sample>(
    task: &Task<S>,
    sample: &S,
    model: Arc<dyn ChatModel>,
    epoch: u32,
) -> Result<(Solution, Verdict), Fault> {
    let mut solution = task.solver.solve(sample, &Attempt { model, epoch }).await?;
    solution.compact();
    let verdict = task.scorer.score(sample, &solution).await?;
    Ok((solution, verdict))
}

/// Scores the solutions of a log again, without a model. Nothing is written. The samples are found by their ids:
/// there may be more of them than the run had.
///
/// # Errors
/// When a sample of the log is none of these, or cannot be scored.
pub async fn rescore<S: Sample>(samples: &[S], scorer: &dyn Scorer<S>, log: &Log) -> Result<Vec<Verdict>, Fault> {
    let known: HashMap<&str, &S> = samples.iter().map(|sample| (sample.id(), sample)).collect();
    let mut verdicts = Vec::new();
    for record in &log.samples {
        let missing = || Fault::lasting(format!("the task has no sample {:?} any more", record.id));
        let sample = known.get(record.id.as_str()).copied().ok_or_else(missing)?;
        verdicts.push(scorer.score(sample, &record.solution).await?);
    }
    Ok(verdicts)
}

fn header<S: Sample>(task: &Task<S>, model: &dyn ChatModel, options: &RunOptions) -> Header {
    let mut environment = options.environment.clone();
    environment.extend(task.solver.environment());
    environment.insert("program".to_owned(), concat!("qianshou ", env!("CARGO_PKG_VERSION")).to_owned());
    environment.insert("began".to_owned(), now().to_string());
    let prompts = Prompt::ALL.iter().map(|&prompt| format!("{}\0{}\0", prompt.path(), options.prompts.text(prompt)));
    Header {
        task: task.name.to_owned(),
        task_version: task.version,
        data: task.data.clone(),
        samples: task.samples.len(),
        model: model.info(),
        provenance: options.provenance.clone(),
        prompts: sha256(prompts.collect::<String>().as_bytes()),
        solver: task.solver.settings(),
        scorer: task.scorer.settings(),
        measures: task.scorer.measures(),
        environment,
    }
}

/// Milliseconds since 1970 began.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Measures the rate of a run.
struct Clock {
    begun: Instant,
    before: usize,
}

impl Clock {
    fn progress(&self, outcome: &Outcome) -> Progress {
        let made = outcome.done - self.before;
        let seconds = self.begun.elapsed().as_secs_f64();
        let rate = (made > 0 && seconds > 0.0).then(|| made as f64 / seconds);
        let rest = (outcome.total - outcome.done - outcome.faults.len()) as f64;
        let left = rate.and_then(|rate| Duration::try_from_secs_f64(rest / rate).ok());
        Progress { done: outcome.done, total: outcome.total, rate, left }
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} of {}", self.done, self.total)?;
        if let (Some(rate), Some(left)) = (self.rate, self.left) {
            let left = left.as_secs();
            let (hours, minutes, seconds) = (left / 3600, left / 60 % 60, left % 60);
            write!(formatter, ", {rate:.2} a second, {hours}:{minutes:02}:{seconds:02} left")?;
        }
        Ok(())
    }
}
