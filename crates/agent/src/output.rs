//! What a tool gives back.

use std::error::Error;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Something that a tool made besides text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Artifact {
    /// An image.
    Image {
        /// Media type, for example `image/png`.
        media_type: String,
        /// The encoded file. Records hold it as base64.
        #[serde(with = "qianshou_chat::bytes")]
        bytes: Vec<u8>,
    },
    /// A file in the workspace.
    File {
        /// Where it is, relative to the workspace.
        path: PathBuf,
    },
    /// Structured data.
    Json(Value),
}

/// The result of a tool: text for the model, artifacts for the application.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolOutput {
    /// What the model reads as its observation.
    pub text: String,
    /// What the application gets besides.
    pub artifacts: Vec<Artifact>,
}

impl ToolOutput {
    /// Adds an artifact.
    #[must_use]
    pub fn with_artifact(mut self, artifact: Artifact) -> Self {
        self.artifacts.push(artifact);
        self
    }
}

impl From<String> for ToolOutput {
    fn from(text: String) -> Self {
        Self { text, artifacts: Vec::new() }
    }
}

impl From<&str> for ToolOutput {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

/// Why a tool gave no result, in two texts: one that the model reads as its observation, one for whoever
/// runs the program. The second never reaches a model.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub struct ToolError {
    text: String,
    invalid_arguments: bool,
    diagnostics: Option<String>,
    #[source]
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl ToolError {
    /// The tool failed; `text` tells the model what went wrong, as a lower-case fragment.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), invalid_arguments: false, diagnostics: None, source: None }
    }

    /// The arguments fit the schema, but not the tool: a date that does not exist, a name that is not
    /// known. The model may repair them, within its budget of repairs.
    pub fn invalid_arguments(text: impl Into<String>) -> Self {
        Self { invalid_arguments: true, ..Self::new(text) }
    }

    /// Adds what the operator should know and the model should not.
    #[must_use]
    pub fn with_diagnostics(mut self, diagnostics: impl Into<String>) -> Self {
        self.diagnostics = Some(diagnostics.into());
        self
    }

    /// Adds the error that caused this one. It is for the operator; the model does not see it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What the model reads.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether other arguments could mend it.
    pub fn is_invalid_arguments(&self) -> bool {
        self.invalid_arguments
    }

    /// What the operator reads: the diagnostics and the chain of causes.
    pub fn diagnostics(&self) -> Option<String> {
        let mut parts: Vec<String> = self.diagnostics.iter().cloned().collect();
        let mut cause = self.source.as_deref().map(|source| source as &dyn Error);
        while let Some(error) = cause {
            parts.push(error.to_string());
            cause = error.source();
        }
        (!parts.is_empty()).then(|| parts.join(": "))
    }
}

impl From<String> for ToolError {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for ToolError {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_and_the_operator_read_different_texts() {
        let cause = std::io::Error::other("connection to 10.0.0.7 refused");
        let error = ToolError::new("the service is down").with_diagnostics("host a").with_source(cause);
        assert_eq!(error.to_string(), "the service is down");
        assert_eq!(error.diagnostics().as_deref(), Some("host a: connection to 10.0.0.7 refused"));
        assert_eq!(ToolError::new("x").diagnostics(), None);
    }
}
