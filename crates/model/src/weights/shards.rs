//! Which files of a folder hold its weights: a single one, or the shards that an index lists.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::ModelError;

/// The file `single` of a folder, else the shards in the `weight_map` of `single` + `.index.json`; `None`
/// where the folder has neither.
pub(crate) fn shards(folder: &Path, single: &str) -> Result<Option<Vec<PathBuf>>, ModelError> {
    let index = folder.join(format!("{single}.index.json"));
    let single = folder.join(single);
    if single.exists() {
        return Ok(Some(vec![single]));
    }
    if !index.exists() {
        return Ok(None);
    }
    let text = std::fs::read(&index).map_err(ModelError::io(&index))?;
    let damaged = |reason: &str| ModelError::Damaged { path: index.clone(), reason: reason.to_owned() };
    let parsed: Value = serde_json::from_slice(&text).map_err(|error| damaged(&error.to_string()))?;
    let Some(weight_map) = parsed.get("weight_map").and_then(Value::as_object) else {
        return Err(damaged("it has no `weight_map`"));
    };
    let mut paths: Vec<PathBuf> = Vec::new();
    for (tensor, shard) in weight_map {
        let name = shard.as_str().ok_or_else(|| damaged("a shard's name is not a string"))?;
        if Path::new(name).components().count() != 1 {
            return Err(damaged("a shard's name is not a plain file name"));
        }
        let path = folder.join(name);
        if paths.contains(&path) {
            continue;
        }
        if !path.exists() {
            return Err(ModelError::MissingShard { path, index: index.clone(), tensor: tensor.clone() });
        }
        paths.push(path);
    }
    Ok(Some(paths))
}
