//! `qianshou tools`, and the choice of tools for a run.

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use qianshou::agent::{AnyTool, python_json};
use qianshou::tools::{CodeInterpreter, default_tools};
use serde_json::json;

use super::failure::Failure;
use super::python::PythonOptions;

/// Starts Python, which takes a moment: only when it is asked for.
const CODE_INTERPRETER: &str = "code_interpreter";

/// Which tools a run may use.
#[derive(Debug, Args)]
pub(super) struct ToolSelection {
    /// Tools that the model may use, by name: those of `qianshou tools`, all by default, and code_interpreter.
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    tools: Option<Vec<String>>,
}

impl ToolSelection {
    pub(super) async fn tools(&self, python: &PythonOptions) -> Result<Vec<Arc<dyn AnyTool>>, Failure> {
        let Some(names) = &self.tools else {
            return Ok(default_tools());
        };
        let is_python = |name: &String| name == CODE_INTERPRETER;
        let others: Vec<String> = names.iter().filter(|name| !is_python(name)).cloned().collect();
        let mut tools = named(&others)?;
        if names.iter().any(is_python) {
            let interpreter = python.start(None).await?;
            let tool = CodeInterpreter::new(interpreter).map_err(|error| Failure::new(&error, None))?;
            tools.push(Arc::new(tool));
        }
        Ok(tools)
    }
}

/// The tools with these names.
pub(super) fn named(names: &[String]) -> Result<Vec<Arc<dyn AnyTool>>, Failure> {
    let all = default_tools();
    let find = |name: &String| {
        let found = all.iter().find(|tool| tool.spec().name == *name).cloned();
        found.ok_or_else(|| {
            let known = all.iter().map(|tool| tool.spec().name).chain([CODE_INTERPRETER.to_owned()]);
            let known: Vec<String> = known.collect();
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
