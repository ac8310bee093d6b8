//! Manifests in files.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use qianshou_agent::AnyTool;
use serde_json::Value;

use super::{ManifestError, ManifestTool};

/// The tools of a manifest, or of all manifests (`*.json`) in a folder, in the order of their names. A file
/// holds one manifest or a list of them.
///
/// ```no_run
/// # fn main() -> Result<(), qianshou_tools::ManifestError> {
/// let tools = qianshou_tools::read_manifests("manifests")?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When something cannot be read, or a manifest cannot be used; the error names the file and the field.
pub fn read_manifests(path: impl AsRef<Path>) -> Result<Vec<Arc<dyn AnyTool>>, ManifestError> {
    let path = path.as_ref();
    let mut tools = Vec::new();
    for file in files(path)? {
        tools.extend(read(&file)?);
    }
    Ok(tools)
}

/// The file itself, or the manifests in the folder.
fn files(path: &Path) -> Result<Vec<PathBuf>, ManifestError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let unreadable = |source| ManifestError::Read { path: path.to_owned(), source };
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.path();
        if file.extension().is_some_and(|extension| extension == "json") {
            files.push(file);
        }
    }
    files.sort_unstable();
    if files.is_empty() { Err(ManifestError::Empty { path: path.to_owned() }) } else { Ok(files) }
}

fn read(path: &Path) -> Result<Vec<Arc<dyn AnyTool>>, ManifestError> {
    let bytes = fs::read(path).map_err(|source| ManifestError::Read { path: path.to_owned(), source })?;
    let content = serde_json::from_slice(&bytes);
    let content = content.map_err(|source| ManifestError::Json { path: path.to_owned(), source })?;
    let tool = |manifest| ManifestTool::new(manifest).map(|tool| Arc::new(tool) as Arc<dyn AnyTool>);
    let tools = match &content {
        Value::Array(manifests) => {
            let numbered = manifests.iter().enumerate();
            numbered.map(|(index, manifest)| tool(manifest).map_err(|fault| fault.in_list(index))).collect()
        }
        manifest => tool(manifest).map(|tool| vec![tool]),
    };
    tools.map_err(|source| ManifestError::Manifest { path: path.to_owned(), source })
}
