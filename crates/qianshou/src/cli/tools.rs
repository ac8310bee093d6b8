//! `qianshou tools`, and the choice of tools for a run.

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use qianshou::agent::{AnyTool, python_json};
use qianshou::tools::default_tools;
use serde_json::json;

use super::failure::Failure;

/// Which tools a run may use.
#[derive(Debug, Args)]
pub(super) struct ToolSelection {
    /// Tools that the model may use, by name; see `qianshou tools`. All by default.
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    tools: Option<Vec<String>>,
}

impl ToolSelection {
    pub(super) fn tools(&self) -> Result<Vec<Arc<dyn AnyTool>>, Failure> {
        match &self.tools {
            None => Ok(default_tools()),
            Some(names) => named(names),
        }
    }
}

/// The tools with these names.
pub(super) fn named(names: &[String]) -> Result<Vec<Arc<dyn AnyTool>>, Failure> {
    let all = default_tools();
    let find = |name: &String| {
        let found = all.iter().find(|tool| tool.spec().name == *name).cloned();
        found.ok_or_else(|| {
            let known: Vec<String> = all.iter().map(|tool| tool.spec().name).collect();
            let hint = format!("the tools are {}", known.join(", "));
            Failure::message(format!("there is no tool `{name}`"), Some(&hint))
        })
    };
    names.iter().map(find).collect()
}

/// List the tools with what the model is told about them.
#[derive(Debug, Args)]
pub(super) struct Tools {
    /// Print one JSON object a line.
    #[arg(long)]
    json: bool,
}

impl Tools {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let bold = anstyle::Style::new().bold();
        let mut stdout = anstream::stdout();
        for tool in default_tools() {
            let spec = tool.spec();
            if self.json {
                let line = json!({
                    "name": spec.name,
                    "description": spec.description,
                    "parameters": spec.parameters,
                });
                writeln!(stdout, "{line}")?;
            } else {
                writeln!(stdout, "{bold}{}{bold:#}: {}", spec.name, spec.description)?;
                writeln!(stdout, "    {}", python_json(&spec.parameters))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
