//! Comparing a checkpoint with the recorded outputs of the official code.
//!
//! An `expected.safetensors` holds cases; a case is named by what stands before the dot:
//! `CASE.input_ids` `[L]`, then `CASE.logits` `[L, vocabulary]` of one uncached pass or
//! `CASE.last_logits` `[vocabulary]`, and `CASE.greedy_ids` `[N]`, optionally with
//! `CASE.greedy_logits` `[N, vocabulary]`, of the greedy continuation token by token.

use std::path::Path;

use crate::sampler::greatest;
use crate::weights::{SafetensorsFiles, TensorSource};
use crate::{Decoder, ModelError};

/// How one case compares.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseReport {
    /// Name of the case.
    pub name: String,
    /// Greatest absolute difference of any logit, over all passes compared.
    pub max_error: f32,
    /// Greedy tokens that agree, and how many there are.
    pub greedy: (usize, usize),
}

impl CaseReport {
    /// Whether logits are within `tolerance` and all greedy tokens agree.
    pub fn passes(&self, tolerance: f32) -> bool {
        self.max_error <= tolerance && self.greedy.0 == self.greedy.1
    }
}

/// Runs every case of the file `expected` and compares.
///
/// # Errors
/// When the file cannot be read, holds no case, or belongs to a model of another vocabulary.
pub fn verify(decoder: &Decoder, expected: &Path) -> Result<Vec<CaseReport>, ModelError> {
    let file = SafetensorsFiles::open(expected)?;
    let mut names: Vec<&str> = file.names().filter_map(|name| name.strip_suffix(".input_ids")).collect();
    names.sort_unstable();
    if names.is_empty() {
        let reason = "it holds no tensor `CASE.input_ids`".to_owned();
        return Err(ModelError::Damaged { path: expected.to_owned(), reason });
    }
    names.into_iter().map(|name| Case { decoder, file: &file, path: expected, name }.compare()).collect()
}

struct Case<'a> {
    decoder: &'a Decoder,
    file: &'a SafetensorsFiles,
    path: &'a Path,
    name: &'a str,
}

impl Case<'_> {
    fn compare(&self) -> Result<CaseReport, ModelError> {
        let vocabulary = self.decoder.config().vocabulary_size;
        let input = self.ids("input_ids")?;
        let mut report = CaseReport { name: self.name.to_owned(), max_error: 0.0, greedy: (0, 0) };
        let mut cache = self.decoder.new_cache();
        self.decoder.begin(&mut cache, &input);
        let mut logits = if let Some(all) = self.floats("logits", input.len() * vocabulary)? {
            let computed = self.decoder.extend_all(&mut cache, &input)?;
            report.max_error = max_error(&computed, &all);
            computed[computed.len() - vocabulary..].to_vec()
        } else {
            self.decoder.extend(&mut cache, &input)?
        };
        if let Some(last) = self.floats("last_logits", vocabulary)? {
            report.max_error = report.max_error.max(max_error(&logits, &last));
        }
        let greedy = self.ids("greedy_ids")?;
        let steps = self.floats("greedy_logits", greedy.len() * vocabulary)?;
        report.greedy.1 = greedy.len();
        for (step, &id) in greedy.iter().enumerate() {
            if let Some(steps) = &steps {
                let expected = &steps[step * vocabulary..(step + 1) * vocabulary];
                report.max_error = report.max_error.max(max_error(&logits, expected));
            }
            report.greedy.0 += usize::from(greatest(&logits) == Some(id));
            // The recorded token goes on, so that one difference does not hide the steps behind it.
            logits = self.decoder.extend(&mut cache, &[id])?;
        }
        Ok(report)
    }

    fn ids(&self, part: &str) -> Result<Vec<u32>, ModelError> {
        let tensor = format!("{}.{part}", self.name);
        let missing = || ModelError::MissingTensor { path: self.path.to_owned(), tensor: tensor.clone() };
        let ids = self.file.integers(&tensor)?.ok_or_else(missing)?;
        let vocabulary = self.decoder.config().vocabulary_size;
        let in_range = |id: i64| u32::try_from(id).ok().filter(|&id| (id as usize) < vocabulary);
        let ids: Option<Vec<u32>> = ids.into_iter().map(in_range).collect();
        ids.filter(|ids| !ids.is_empty()).ok_or_else(|| ModelError::Damaged {
            path: self.path.to_owned(),
            reason: format!("`{tensor}` is empty or holds an id outside the vocabulary of {vocabulary}"),
        })
    }

    fn floats(&self, part: &str, length: usize) -> Result<Option<Vec<f32>>, ModelError> {
        let tensor = format!("{}.{part}", self.name);
        let Some(shape) = self.file.shape(&tensor) else {
            return Ok(None);
        };
        if shape.iter().product::<usize>() != length {
            return Err(ModelError::Damaged {
                path: self.path.to_owned(),
                reason: format!("`{tensor}` has shape {shape:?}, which is not that of this model's logits"),
            });
        }
        let mut values = vec![0.0; length];
        self.file.read(&tensor, 0, &mut values)?;
        Ok(Some(values))
    }
}

/// NaN counts as an infinite error: a comparison with it must not pass.
fn max_error(computed: &[f32], expected: &[f32]) -> f32 {
    let error = |(a, b): (&f32, &f32)| if a.is_nan() || b.is_nan() { f32::INFINITY } else { (a - b).abs() };
    computed.iter().zip(expected).map(error).fold(0.0, f32::max)
}
