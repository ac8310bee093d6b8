//! `qianshou tools`, and the choice of tools for a run.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use qianshou::agent::{AnyTool, python_json};
use qianshou::tools::{
    Calculator, CodeInterpreter, CurrentTime, HttpGet, ListFiles, ReadFile, WebSearch, WriteFile, read_manifests,
};
use serde_json::json;

use super::failure::Failure;
use super::python::PythonOptions;

const CODE_INTERPRETER: &str = "code_interpreter";
const HTTP_GET: &str = "http_get";

/// The tools by default: none of them changes anything outside the run, or leaves the machine.
const DEFAULT: [&str; 5] = ["calculator", "current_time", "read_file", "list_files", CODE_INTERPRETER];
const OTHERS: [&str; 3] = ["write_file", HTTP_GET, "web_search"];

/// Which tools a run may use.
#[derive(Debug, Args)]
pub(super) struct ToolSelection {
    /// The built-in tools to use; by default calculator, current_time, read_file, list_files and
    /// code_interpreter, and there are write_file, http_get and web_search.
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    tools: Option<Vec<String>>,
    /// Use the services of a manifest, or of a folder of them, as tools; may be given several times.
    #[arg(long, value_name = "PATH")]
    manifest: Vec<PathBuf>,
    /// Let http_get read pages of these hosts: `docs.rs`, `*.rust-lang.org`, or `*` for all.
    #[arg(long, value_delimiter = ',', value_name = "HOST,…")]
    http_host: Vec<String>,
}

impl ToolSelection {
    /// The tools. Python starts only if it is among them; where it may not, the default does without.
    pub(super) async fn tools(&self, python: &PythonOptions) -> Result<Vec<Arc<dyn AnyTool>>, Failure> {
        let default: Vec<String> = DEFAULT.map(str::to_owned).into();
        let mut names = self.tools.clone().unwrap_or(default);
        if !self.http_host.is_empty() && !names.iter().any(|name| name == HTTP_GET) {
            names.push(HTTP_GET.to_owned());
        }
        let mut tools: Vec<Arc<dyn AnyTool>> = Vec::new();
        for name in &names {
            match name.as_str() {
                CODE_INTERPRETER => match code_interpreter(python).await {
                    Ok(tool) => tools.push(Arc::new(tool)),
                    Err(failure) if self.tools.is_some() || python.is_chosen() => return Err(failure),
                    Err(failure) => failure.warn("there is no code_interpreter in this run")?,
                },
                name => tools.push(self.named(name)?),
            }
        }
        for path in &self.manifest {
            tools.extend(read_manifests(path).map_err(|error| Failure::new(&error, None))?);
        }
        Ok(tools)
    }

    fn named(&self, name: &str) -> Result<Arc<dyn AnyTool>, Failure> {
        Ok(match name {
            "calculator" => Arc::new(Calculator),
            "current_time" => Arc::new(CurrentTime),
            "read_file" => Arc::new(ReadFile),
            "list_files" => Arc::new(ListFiles),
            "write_file" => Arc::new(WriteFile),
            "web_search" => Arc::new(WebSearch::default()),
            HTTP_GET if self.http_host.is_empty() => {
                let hint = "name hosts with --http-host, for example `--http-host docs.rs`";
                return Err(Failure::message("http_get may talk to no host", Some(hint)));
            }
            HTTP_GET => Arc::new(HttpGet::new(&self.http_host).map_err(|error| Failure::new(&error, None))?),
            _ => {
                let hint = format!("the tools are {}", [&DEFAULT[..], &OTHERS].concat().join(", "));
                return Err(Failure::message(format!("there is no tool `{name}`"), Some(&hint)));
            }
        })
    }
}

async fn code_interpreter(python: &PythonOptions) -> Result<CodeInterpreter, Failure> {
    CodeInterpreter::new(python.start(None).await?).map_err(|error| Failure::new(&error, None))
}

/// List the tools that a run with these options has, with what the model is told about them.
#[derive(Debug, Args)]
pub(super) struct Tools {
    #[command(flatten)]
    selection: ToolSelection,
    #[command(flatten)]
    python: PythonOptions,
    /// Print one JSON object a line.
    #[arg(long)]
    json: bool,
}

impl Tools {
    pub(super) async fn run(self) -> Result<ExitCode, Failure> {
        let bold = anstyle::Style::new().bold();
        let mut stdout = anstream::stdout();
        for tool in self.selection.tools(&self.python).await? {
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
