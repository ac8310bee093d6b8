//! What was trained, in the forms that others read.

mod gguf;
mod metadata;

use std::collections::HashMap;
use std::path::Path;

use half::bf16;
use qianshou_model::{Checkpoint, Tensors};
use safetensors::tensor::{Dtype, TensorView};
use serde_json::json;

pub use self::gguf::{Quantisation, write_gguf};
use crate::parameters::shapes;
use crate::{Lora, Parameter, TrainError};

/// Writes an adapter in the format of PEFT: `adapter_config.json`, and `adapter_model.safetensors` in bf16. `base`
/// is the name that others know the base model by.
///
/// # Errors
/// When a file cannot be written, or the parameters are no adapter.
pub fn write_adapter(folder: &Path, parameters: &[Parameter], lora: Lora, base: &str) -> Result<(), TrainError> {
    let mut targets: Vec<&str> = Vec::new();
    let mut tensors = Vec::new();
    for parameter in parameters {
        let stem = parameter.name.strip_suffix(".lora_A").or_else(|| parameter.name.strip_suffix(".lora_B"));
        let Some(target) = stem.and_then(|stem| stem.rsplit('.').next()) else {
            return Err(TrainError::setting(
                "the adapter",
                format!("`{}` is no part of one; export a merged model", parameter.name),
            ));
        };
        if !targets.contains(&target) {
            targets.push(target);
        }
        tensors.push((
            format!("base_model.model.{}.weight", parameter.name),
            &parameter.shape,
            bytes(&parameter.values),
        ));
    }
    std::fs::create_dir_all(folder).map_err(TrainError::io(folder))?;
    let config = json!({
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "r": lora.rank,
        "lora_alpha": lora.alpha,
        "lora_dropout": 0.0,
        "bias": "none",
        "fan_in_fan_out": false,
        "inference_mode": true,
        "target_modules": targets,
    });
    let path = folder.join("adapter_config.json");
    let text = format!("{config:#}\n");
    std::fs::write(&path, text).map_err(TrainError::io(&path))?;
    write_tensors(&folder.join("adapter_model.safetensors"), &tensors)
}

/// Writes a checkpoint folder of Hugging Face with what was trained in it: the files of the base beside its weights,
/// and `model.safetensors` in bf16.
///
/// # Errors
/// When the base is no folder (the tokenizer of a GGUF file has no form there), is `folder` itself or of another shape
/// than what was trained, or a file cannot be read or written.
pub fn write_merged(
    folder: &Path,
    base: &Checkpoint,
    parameters: &[Parameter],
    lora: Option<Lora>,
) -> Result<(), TrainError> {
    if !base.path().is_dir() {
        let reason =
            format!("{} is no folder of Hugging Face; export an adapter or a GGUF file instead", base.path().display());
        return Err(TrainError::setting("the base", reason));
    }
    let shapes = shapes(base.config());
    check(folder, base.path(), &shapes, parameters, lora)?;
    std::fs::create_dir_all(folder).map_err(TrainError::io(folder))?;
    for entry in std::fs::read_dir(base.path()).map_err(TrainError::io(base.path()))? {
        let path = entry.map_err(TrainError::io(base.path()))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let is_small = [".json", ".jinja", ".txt", ".model", ".tiktoken"].iter().any(|end| name.ends_with(end));
        if is_small && !name.ends_with(".index.json") {
            std::fs::copy(&path, folder.join(&name)).map_err(TrainError::io(&path))?;
        }
    }
    let tensors = base.tensors(None)?;
    let mut merged = Vec::new();
    for (name, shape) in &shapes {
        let values = trained_values(&tensors, name, shape, parameters, lora)?;
        merged.push((name.clone(), shape, bytes(&values)));
    }
    write_tensors(&folder.join("model.safetensors"), &merged)
}

/// Checks before anything is written that it would be whole: what does not fit into the base could be merged in part
/// only, and the base must not be written over while it is read.
fn check(
    out: &Path,
    base: &Path,
    shapes: &[(String, Vec<usize>)],
    parameters: &[Parameter],
    lora: Option<Lora>,
) -> Result<(), TrainError> {
    if let (Ok(out_place), Ok(base_place)) = (out.canonicalize(), base.canonicalize())
        && out_place == base_place
    {
        let reason = format!("{} is the base; write to another place", out.display());
        return Err(TrainError::setting("the output", reason));
    }
    let mut fitting: HashMap<String, Vec<usize>> = shapes.iter().cloned().collect();
    for (name, shape) in shapes {
        if let (Some(stem), &[rows, columns], Some(lora)) = (name.strip_suffix(".weight"), shape.as_slice(), lora) {
            fitting.insert(format!("{stem}.lora_A"), vec![lora.rank, columns]);
            fitting.insert(format!("{stem}.lora_B"), vec![rows, lora.rank]);
        }
    }
    for Parameter { name, shape, .. } in parameters {
        let reason = match fitting.get(name) {
            Some(wanted) if wanted == shape => continue,
            Some(wanted) => format!("`{name}` was trained as {shape:?}, and only {wanted:?} fits"),
            None => format!("it has nothing that `{name}` could change"),
        };
        return Err(TrainError::setting("the base", format!("{}: {reason}", base.display())));
    }
    Ok(())
}

/// A tensor of the base with what was trained in it.
fn trained_values(
    base: &Tensors,
    name: &str,
    shape: &[usize],
    parameters: &[Parameter],
    lora: Option<Lora>,
) -> Result<Vec<f32>, TrainError> {
    match parameters.iter().find(|parameter| parameter.name == name) {
        Some(parameter) => Ok(parameter.values.clone()),
        None => Ok(merged_values(base.read(name, shape)?, name, parameters, lora)),
    }
}

/// W + scale · B · A, where there are such factors.
fn merged_values(mut weight: Vec<f32>, name: &str, parameters: &[Parameter], lora: Option<Lora>) -> Vec<f32> {
    let Some(stem) = name.strip_suffix(".weight") else {
        return weight;
    };
    let find = |suffix: &str| parameters.iter().find(|parameter| parameter.name == format!("{stem}.{suffix}"));
    let (Some(a), Some(b), Some(lora)) = (find("lora_A"), find("lora_B"), lora) else {
        return weight;
    };
    let columns = a.values.len() / lora.rank;
    let scale = lora.scale() as f32;
    for (row, b) in weight.chunks_mut(columns).zip(b.values.chunks(lora.rank)) {
        for (b, a) in b.iter().zip(a.values.chunks(columns)) {
            row.iter_mut().zip(a).for_each(|(weight, a)| *weight += scale * b * a);
        }
    }
    weight
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|&value| bf16::from_f32(value).to_le_bytes()).collect()
}

/// Writes a file of tensors. A file that is there is replaced in one go.
fn write_tensors(path: &Path, tensors: &[(String, &Vec<usize>, Vec<u8>)]) -> Result<(), TrainError> {
    let failed = |error: safetensors::SafeTensorError| TrainError::io(path)(std::io::Error::other(error));
    let mut views = Vec::new();
    for (name, shape, bytes) in tensors {
        views.push((name, TensorView::new(Dtype::BF16, (*shape).clone(), bytes).map_err(failed)?));
    }
    let part = path.with_extension("part");
    safetensors::serialize_to_file(views, None, &part).map_err(failed)?;
    std::fs::rename(&part, path).map_err(TrainError::io(path))
}
