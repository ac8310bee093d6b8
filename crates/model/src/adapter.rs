//! LoRA adapters in PEFT's format, merged into the weights as they are read.
//!
//! An adapter holds for a projection W `[out, in]` the factors A `[r, in]` and B `[out, r]`; merging
//! adds (α / r) · B · A (Hu et al., 2021). A merged model costs nothing extra at run time.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use safetensors::SafeTensors;
use safetensors::tensor::TensorView;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::ModelError;
use crate::weights::{FLOATS, dequantize, float_kind};

/// What is read of `adapter_config.json`.
#[derive(Debug, Deserialize)]
struct AdapterConfig {
    peft_type: String,
    r: usize,
    lora_alpha: f64,
    #[serde(default)]
    use_rslora: bool,
    #[serde(default)]
    use_dora: bool,
    #[serde(default)]
    fan_in_fan_out: bool,
    /// α and rank of single projections, by patterns of their names.
    alpha_pattern: Option<Map<String, Value>>,
    rank_pattern: Option<Map<String, Value>>,
}

/// The factors of one projection, row by row.
#[derive(Debug)]
pub struct AdapterFactors {
    /// A, `[rank, columns]`.
    pub a: Vec<f32>,
    /// B, `[rows, rank]`.
    pub b: Vec<f32>,
    /// Rows of the weight that they change.
    pub rows: usize,
    /// Its columns.
    pub columns: usize,
}

/// A LoRA adapter held in memory (they are small), to be merged into a checkpoint as it is loaded.
#[derive(Debug)]
pub struct Adapter {
    name: PathBuf,
    rank: usize,
    alpha: f64,
    /// By the Hugging Face name of the weight that they change.
    factors: HashMap<String, AdapterFactors>,
}

impl Adapter {
    /// Reads `adapter_config.json` and `adapter_model.safetensors` of a folder.
    ///
    /// # Errors
    /// [`ModelError::Io`] when a file is missing, [`ModelError::Damaged`] or [`ModelError::Adapter`] when
    /// it holds no plain LoRA adapter.
    pub fn open(folder: &Path) -> Result<Self, ModelError> {
        let read = |name: &str| {
            let path = folder.join(name);
            std::fs::read(&path).map_err(ModelError::io(path))
        };
        Self::from_bytes(folder, &read("adapter_config.json")?, &read("adapter_model.safetensors")?)
    }

    /// Reads an adapter from the bytes of its two files; `name` stands for it in errors.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn from_bytes(name: impl Into<PathBuf>, config: &[u8], tensors: &[u8]) -> Result<Self, ModelError> {
        let name = name.into();
        let misfit = |reason: String| ModelError::Adapter { path: name.clone(), reason };
        let damaged = |reason: String| ModelError::Damaged { path: name.clone(), reason };
        let config: AdapterConfig =
            serde_json::from_slice(config).map_err(|error| damaged(format!("adapter_config.json: {error}")))?;
        if config.peft_type != "LORA" || config.use_dora || config.fan_in_fan_out {
            let dora = if config.use_dora { " with DoRA" } else { "" };
            return Err(misfit(format!("it is of type {}{dora}; only plain LoRA can be merged", config.peft_type)));
        }
        if config.r == 0 {
            return Err(misfit("its rank is 0".to_owned()));
        }
        for (field, pattern) in [("alpha_pattern", &config.alpha_pattern), ("rank_pattern", &config.rank_pattern)] {
            if pattern.as_ref().is_some_and(|pattern| !pattern.is_empty()) {
                return Err(misfit(format!("`{field}` is not supported; only one rank and one scale can be merged")));
            }
        }
        let files = SafeTensors::deserialize(tensors).map_err(|error| damaged(error.to_string()))?;
        let rank = config.r;
        // Rank-stabilised LoRA multiplies with α / √r (Kalajdzievski, 2023).
        let alpha = config.lora_alpha * if config.use_rslora { (rank as f64).sqrt() } else { 1.0 };
        let mut factors = HashMap::new();
        for key in files.names() {
            if let Some(stem) = key.strip_suffix(".lora_B.weight") {
                // It is read together with its partner.
                if files.tensor(&format!("{stem}.lora_A.weight")).is_err() {
                    return Err(misfit(format!("`{stem}` has no lora_A")));
                }
                continue;
            }
            let Some(stem) = key.strip_suffix(".lora_A.weight") else {
                return Err(misfit(format!("tensor `{key}` is no LoRA factor")));
            };
            let pair = (files.tensor(key), files.tensor(&format!("{stem}.lora_B.weight")));
            let (Ok(a), Ok(b)) = pair else {
                return Err(misfit(format!("`{stem}` has no lora_B")));
            };
            let (&[a_rank, columns], &[rows, b_rank]) = (a.shape(), b.shape()) else {
                return Err(misfit(format!("the factors of `{stem}` are not matrices")));
            };
            if a_rank != rank || b_rank != rank {
                return Err(misfit(format!("`{stem}` has rank {a_rank} and {b_rank}, its configuration says {rank}")));
            }
            let read = |view: &TensorView<'_>, elements: usize| {
                let mut values = vec![0.0; elements];
                let kind = float_kind(view.dtype())?;
                dequantize(kind, view.data(), &mut values).then_some(values)
            };
            let (Some(a), Some(b)) = (read(&a, rank * columns), read(&b, rows * rank)) else {
                return Err(misfit(format!("the factors of `{stem}` are not stored as {FLOATS}")));
            };
            let weight = format!("{}.weight", stem.strip_prefix("base_model.model.").unwrap_or(stem));
            factors.insert(weight, AdapterFactors { a, b, rows, columns });
        }
        if factors.is_empty() {
            return Err(misfit("it changes no weight".to_owned()));
        }
        Ok(Self { name, rank, alpha, factors })
    }

    /// The rank r of its factors.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// The α of its scale: B · A is multiplied with α / r.
    pub fn alpha(&self) -> f64 {
        self.alpha
    }

    /// The factors, by the Hugging Face name of the weight that they change; in no order.
    pub fn factors(&self) -> impl Iterator<Item = (&str, &AdapterFactors)> {
        self.factors.iter().map(|(weight, factors)| (weight.as_str(), factors))
    }

    /// Checks that the model has every weight that the adapter changes, in the shape that it was made for: an
    /// adapter that could be merged in part only is refused.
    pub(crate) fn check<'a>(&self, shape: impl Fn(&str) -> Option<&'a [usize]>) -> Result<(), ModelError> {
        let misfit = |reason: String| Err(ModelError::Adapter { path: self.name.clone(), reason });
        for (weight, factors) in &self.factors {
            let made_for = [factors.rows, factors.columns];
            match shape(weight) {
                Some(found) if found == made_for => {}
                None => return misfit(format!("it changes `{weight}`, which this model does not have")),
                Some(found) => {
                    return misfit(format!("it was made for `{weight}` of shape {made_for:?}, here it is {found:?}"));
                }
            }
        }
        Ok(())
    }

    /// Whether the adapter changes `name`.
    pub(crate) fn changes(&self, name: &str) -> bool {
        self.factors.contains_key(name)
    }

    /// Adds the adapter's change of `name`, if any, to rows of that weight from `first` on.
    pub(crate) fn merge(&self, name: &str, first: usize, rows: &mut [f32]) {
        let Some(factors) = self.factors.get(name) else {
            return;
        };
        let scale = (self.alpha / self.rank as f64) as f32;
        let b = &factors.b[first * self.rank..];
        rows.par_chunks_mut(factors.columns).zip(b.par_chunks(self.rank)).for_each(|(row, b)| {
            for (b, a) in b.iter().zip(factors.a.chunks_exact(factors.columns)) {
                let b = b * scale;
                for (weight, a) in row.iter_mut().zip(a) {
                    *weight += b * a;
                }
            }
        });
    }
}
