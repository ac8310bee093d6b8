//! What a reply has to satisfy, as the command line says it.

use std::path::{Path, PathBuf};

use clap::Args;
use qianshou::chat::Constraint;

use super::failure::Failure;

/// One of these, or none.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(super) struct ConstraintOptions {
    /// Hold the reply to a regular expression, from its first to its last character.
    #[arg(long)]
    regex: Option<String>,
    /// Hold the reply to the JSON schema in this file.
    #[arg(long, value_name = "FILE")]
    json_schema: Option<PathBuf>,
    /// Hold the reply to the Lark grammar in this file.
    #[arg(long, value_name = "FILE")]
    grammar: Option<PathBuf>,
}

impl ConstraintOptions {
    pub(super) fn constraint(&self) -> Result<Option<Constraint>, Failure> {
        if let Some(path) = &self.json_schema {
            let schema = serde_json::from_str(&read(path)?)
                .map_err(|error| Failure::message(format!("{} is not JSON: {error}", path.display()), None))?;
            return Ok(Some(Constraint::JsonSchema(schema)));
        }
        let grammar = self.grammar.as_deref().map(read).transpose()?.map(Constraint::Grammar);
        Ok(grammar.or(self.regex.clone().map(Constraint::Regex)))
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path)
        .map_err(|error| Failure::message(format!("cannot read {}: {error}", path.display()), None))
}
