//! What is measured at each step, and the file of it.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::plot;
use crate::TrainError;

/// The measures of one step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// Which step, counted from 1.
    pub step: usize,
    /// −ln p a token under loss, before the step.
    pub loss: f64,
    /// The same on the development data, after the step, where it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub development_loss: Option<f64>,
    /// The learning rate.
    pub rate: f64,
    /// The global norm of the gradient before clipping.
    pub gradient_norm: f64,
    /// Tokens computed.
    pub tokens: usize,
    /// Those of them that were under loss.
    pub learned_tokens: usize,
    /// How long it took, without a look at the development data.
    pub seconds: f64,
}

impl Metrics {
    /// Tokens computed a second.
    pub fn tokens_per_second(&self) -> f64 {
        self.tokens as f64 / self.seconds
    }
}

/// `metrics.jsonl`, to which steps are appended.
#[derive(Debug)]
pub(super) struct MetricsFile {
    path: PathBuf,
    file: File,
    steps: Vec<Metrics>,
}

impl MetricsFile {
    /// Opens the file, and drops what is beyond `step`: a training that was killed between two checkpoints takes
    /// those steps again.
    pub(super) fn open(folder: &Path, step: usize) -> Result<Self, TrainError> {
        let path = path(folder);
        let mut steps = if path.exists() { read(folder)? } else { Vec::new() };
        steps.retain(|metrics| metrics.step <= step);
        let lines: Vec<String> = steps.iter().filter_map(line).collect();
        std::fs::write(&path, lines.concat()).map_err(TrainError::io(&path))?;
        let file = OpenOptions::new().append(true).open(&path).map_err(TrainError::io(&path))?;
        Ok(Self { path, file, steps })
    }

    pub(super) fn push(&mut self, metrics: &Metrics) -> Result<(), TrainError> {
        let line = line(metrics).unwrap_or_default();
        self.file.write_all(line.as_bytes()).map_err(TrainError::io(&self.path))?;
        self.steps.push(metrics.clone());
        Ok(())
    }

    /// Draws `loss.svg`.
    pub(super) fn plot(&self, folder: &Path) -> Result<(), TrainError> {
        let path = folder.join("loss.svg");
        std::fs::write(&path, plot::svg(&self.steps)).map_err(TrainError::io(&path))
    }
}

fn line(metrics: &Metrics) -> Option<String> {
    serde_json::to_string(metrics).ok().map(|line| line + "\n")
}

fn path(folder: &Path) -> PathBuf {
    folder.join("metrics.jsonl")
}

/// Reads the file; a last line that was cut off while it was written does not count.
pub(super) fn read(folder: &Path) -> Result<Vec<Metrics>, TrainError> {
    let path = path(folder);
    let text = std::fs::read_to_string(&path).map_err(TrainError::io(&path))?;
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let parse = |(index, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|error| TrainError::Data {
            path: path.clone(),
            line: index + 1,
            reason: error.to_string(),
        })
    };
    whole.lines().enumerate().map(parse).collect()
}
