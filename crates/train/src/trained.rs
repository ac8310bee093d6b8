//! What a training made, from its own checkpoint or from an adapter in PEFT's format.

use std::path::{Path, PathBuf};

use qianshou_model::Adapter;

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
    let adapter = Adapter::open(folder)?;
    let rank = adapter.rank();
    let mut parameters = Vec::new();
    for (weight, factors) in adapter.factors() {
        let stem = weight.strip_suffix(".weight").unwrap_or(weight);
        let mut push = |factor: &str, shape: [usize; 2], values: &[f32]| {
            parameters.push(Parameter {
                name: format!("{stem}.{factor}"),
                shape: shape.into(),
                values: values.to_vec(),
            });
        };
        push("lora_A", [rank, factors.columns], &factors.a);
        push("lora_B", [factors.rows, rank], &factors.b);
    }
    parameters.sort_by(|one, other| one.name.cmp(&other.name));
    let lora = Lora { rank, alpha: adapter.alpha() };
    Ok(Trained { path: folder.to_owned(), parameters, lora: Some(lora) })
}
