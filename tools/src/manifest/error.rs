//! What is wrong with a manifest, and where.

use std::path::PathBuf;

/// Why manifests cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// A file or folder cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not JSON.
    #[error("{} is not JSON", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: serde_json::Error,
    },
    /// A folder has no manifests in it.
    #[error("{} has no files that end in .json", path.display())]
    Empty {
        /// The folder.
        path: PathBuf,
    },
    /// A manifest cannot be used.
    #[error("the manifest {} cannot be used", path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        source: ManifestFault,
    },
}

/// What is wrong in a manifest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{problem}", field.as_ref().map(|field| format!("`{field}`: ")).unwrap_or_default())]
pub struct ManifestFault {
    /// The path of the field, if it is about one.
    field: Option<String>,
    problem: String,
}

impl ManifestFault {
    pub(crate) fn of(field: impl Into<String>, problem: impl Into<String>) -> Self {
        let field = field.into();
        // That is how `serde_path_to_error` names the whole.
        Self { field: Some(field).filter(|field| field != "."), problem: problem.into() }
    }

    pub(crate) fn whole(problem: impl Into<String>) -> Self {
        Self { field: None, problem: problem.into() }
    }

    /// The fault in the manifest of this number in a list.
    pub(crate) fn in_list(self, index: usize) -> Self {
        let field = self.field.map_or_else(|| format!("[{index}]"), |field| format!("[{index}].{field}"));
        Self { field: Some(field), ..self }
    }
}
