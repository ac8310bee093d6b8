//! What a training made, from its own checkpoint or from an adapter in PEFT's format.

use std::path::{Path, PathBuf};

use half::{bf16, f16};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use serde::Deserialize;

use crate::{Lora, Parameter, State, TrainError};

/// Parameters that were trained.
#[derive(Clone, Debug, PartialEq)]
pub struct Trained {
    /// Where they are.
    path: PathBuf,
    /// What was trained.
    pub parameters: Vec<Parameter>,
    /// The adapter that it is, unless it was everything.
    pub lora: Option<Lora>,
}

/// What is read of `adapter_config.json`.
#[derive(Deserialize)]
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
}

impl Trained {
    /// Opens the folder of a training (`state.safetensors`) or of an adapter (`adapter_config.json`).
    ///
    /// # Errors
    /// When it is neither, is damaged, or holds an adapter of another kind than plain LoRA.
    pub fn open(folder: &Path) -> Result<Self, TrainError> {
        let state = folder.join("state.safetensors");
        if state.exists() {
            let (state, settings, _) = State::open(&state)?;
            return Ok(Self { path: folder.to_owned(), parameters: state.parameters, lora: settings.lora() });
        }
        if !folder.join("adapter_config.json").exists() {
            let reason = format!("{} has no `state.safetensors` and no `adapter_config.json`", folder.display());
            return Err(TrainError::setting("the folder", reason));
        }
        read_adapter(folder)
    }

    /// The parameters for a training that begins with them: `first` are those that it would begin with by itself,
    /// whose names, shapes and order it keeps.
    ///
    /// # Errors
    /// [`TrainError::Setting`] when they are of another adapter, or of another model.
    pub fn begin(mut self, first: &[Parameter], lora: Option<Lora>) -> Result<Vec<Parameter>, TrainError> {
        let refuse = |reason: String| {
            Err(TrainError::setting("what the training begins with", format!("{}: {reason}", self.path.display())))
        };
        if self.lora != lora {
            let name = |lora: Option<Lora>| {
                lora.map_or_else(
                    || "a full fine-tuning".to_owned(),
                    |lora| format!("an adapter of rank {} and α {}", lora.rank, lora.alpha),
                )
            };
            return refuse(format!("it is {}, and the training is of {}", name(self.lora), name(lora)));
        }
        if let Some(other) =
            self.parameters.iter().find(|own| !first.iter().any(|parameter| parameter.name == own.name))
        {
            return refuse(format!("it changes `{}`, which the training does not", other.name));
        }
        let mut parameters = Vec::new();
        for wanted in first {
            let Some(place) = self.parameters.iter().position(|own| own.name == wanted.name) else {
                return refuse(format!("it has no `{}`, which is trained", wanted.name));
            };
            let own = self.parameters.swap_remove(place);
            if own.shape != wanted.shape {
                return refuse(format!("`{}` is {:?} and has to be {:?}", own.name, own.shape, wanted.shape));
            }
            parameters.push(own);
        }
        Ok(parameters)
    }
}

fn read_adapter(folder: &Path) -> Result<Trained, TrainError> {
    let path = folder.join("adapter_config.json");
    let text = std::fs::read(&path).map_err(TrainError::io(&path))?;
    let config: AdapterConfig = serde_json::from_slice(&text).map_err(|error| TrainError::Data {
        path: path.clone(),
        line: error.line(),
        reason: error.to_string(),
    })?;
    let is_other = config.use_dora || config.use_rslora || config.fan_in_fan_out;
    if config.peft_type != "LORA" || is_other || config.r == 0 {
        return Err(TrainError::setting("the adapter", format!("{} is not of plain LoRA", path.display())));
    }
    let path = folder.join("adapter_model.safetensors");
    let bytes = std::fs::read(&path).map_err(TrainError::io(&path))?;
    let damaged = |reason: String| TrainError::setting("the adapter", format!("{}: {reason}", path.display()));
    let tensors = SafeTensors::deserialize(&bytes).map_err(|error| damaged(error.to_string()))?;
    let mut parameters = Vec::new();
    for (name, view) in tensors.iter() {
        let values = floats(&view).ok_or_else(|| damaged(format!("`{name}` is not of F32, F16 or BF16")))?;
        let name = name.strip_prefix("base_model.model.").unwrap_or(name);
        let name = name.strip_suffix(".weight").unwrap_or(name).to_owned();
        parameters.push(Parameter { name, shape: view.shape().to_vec(), values });
    }
    let lora = Lora { rank: config.r, alpha: config.lora_alpha };
    Ok(Trained { path: folder.to_owned(), parameters, lora: Some(lora) })
}

fn floats(view: &TensorView<'_>) -> Option<Vec<f32>> {
    let pairs = || view.data().as_chunks::<2>().0.iter();
    Some(match view.dtype() {
        Dtype::F32 => view.data().as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect(),
        Dtype::F16 => pairs().map(|&bytes| f16::from_le_bytes(bytes).to_f32()).collect(),
        Dtype::BF16 => pairs().map(|&bytes| bf16::from_le_bytes(bytes).to_f32()).collect(),
        _ => return None,
    })
}
