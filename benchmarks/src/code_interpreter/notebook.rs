//! The interpreter as the exam has it: a session that begins with a prelude and the question's files, and that
//! tells how each cell ended and what its figures show.

use async_trait::async_trait;
use qianshou_agent::{AnyTool, Artifact, PluginError, ToolContext, ToolError, ToolOutput, ToolSpec};
use qianshou_interpreter::{Cell, ExecuteError, Interpreter, Session, State, Status};
use qianshou_prompts::{Prompt, Prompts};
use qianshou_tools::CodeInterpreter;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::{CodeSample, FigureFacts};
use crate::{Fault, SolverSettings};

const PRELUDE: &str = include_str!("prelude.py");
/// Where the prelude puts what it found out about figures.
const FIGURES: &str = ".exam-figures.json";
const LARGEST: u64 = 16 << 20;

/// How a cell ended, as scores tell it apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CellClass {
    /// To its last line.
    Ran,
    /// By an exception.
    Exception,
    /// A package that it imports is not installed.
    PackageMissing,
    /// It wanted the network, which is off.
    NetworkDenied,
    /// It took too long.
    TimeOut,
    /// It took too much memory.
    Memory,
    /// It printed too much.
    Output,
    /// It ended the Python process.
    Crash,
    /// The run was over.
    Interrupted,
}

impl CellClass {
    fn of(cell: &Cell) -> Self {
        match cell.status {
            Status::Ok | Status::Exited(_) => Self::Ran,
            Status::TimedOut => Self::TimeOut,
            Status::OutOfMemory => Self::Memory,
            Status::OutputLimit => Self::Output,
            Status::Crashed(_) | Status::Vanished(_) | Status::Violation => Self::Crash,
            Status::Interrupted => Self::Interrupted,
            Status::Error => {
                cell.error.as_ref().map_or(Self::Exception, |error| of_exception(&error.name, &error.message))
            }
        }
    }
}

fn of_exception(name: &str, message: &str) -> CellClass {
    let name = name.rsplit('.').next().unwrap_or(name);
    let network =
        ["URLError", "gaierror", "ConnectionError", "ConnectTimeout", "ConnectionRefusedError", "ConnectError"];
    match name {
        "ModuleNotFoundError" => CellClass::PackageMissing,
        "MemoryError" => CellClass::Memory,
        _ if network.contains(&name) || message.contains("Network is unreachable") => CellClass::NetworkDenied,
        _ => CellClass::Exception,
    }
}

/// What is known about a cell that ran; it stands in the transcript beside the observation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CellFacts {
    /// How it ended.
    pub class: CellClass,
    /// How long it took.
    pub milliseconds: u64,
    /// The figures that it drew.
    pub figures: Vec<FigureFacts>,
}

impl CellFacts {
    /// The facts among artifacts.
    pub(super) fn among(artifacts: &[Artifact]) -> Option<Self> {
        artifacts.iter().find_map(|artifact| match artifact {
            Artifact::Json(value) => Self::deserialize(value.get("cell")?).ok(),
            _ => None,
        })
    }
}

/// The tool of one attempt.
pub(super) struct Notebook {
    interpreter: Interpreter,
    prompts: Prompts,
    spec: ToolSpec,
    files: Vec<(String, std::sync::Arc<[u8]>)>,
    state: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    session: Option<Session>,
    figures: usize,
    /// Why Python could not run, if it could not.
    fault: Option<String>,
}

impl Notebook {
    pub(super) fn new(
        interpreter: Interpreter,
        settings: &SolverSettings,
        sample: &CodeSample,
    ) -> Result<Self, PluginError> {
        let prompts = settings.prompts.clone();
        let tool = CodeInterpreter::with_prompts(interpreter.clone(), prompts.clone())?;
        // Without the packages that are named in other places: models are to be given what the exam gives them.
        let mut spec = tool.spec().description(prompts.text(Prompt::CodeInterpreterDescription));
        prompts.text(Prompt::CodeExamToolName).clone_into(&mut spec.name);
        Ok(Self { interpreter, prompts, spec, files: sample.files.clone(), state: Mutex::default() })
    }

    /// Why nothing that was observed can be scored, if Python failed.
    pub(super) async fn fault(&self) -> Option<Fault> {
        self.state.lock().await.fault.clone().map(Fault::passing)
    }

    async fn begin(&self) -> Result<Session, String> {
        let session = self.interpreter.session().await.map_err(|error| error.to_string())?;
        for (name, content) in &self.files {
            session.put_file(name, content.to_vec()).await.map_err(|error| format!("{name}: {error}"))?;
        }
        let cell = session.execute(PRELUDE).await.map_err(|error| error.to_string())?;
        match cell.error {
            Some(error) => Err(format!("the exam's prelude fails: {}: {}", error.name, error.message)),
            None => Ok(session),
        }
    }

    /// Runs a cell and looks at its figures.
    async fn run(open: &mut Open, code: &str, context: &ToolContext) -> Result<(Cell, CellFacts), ExecuteError> {
        let Some(session) = &open.session else {
            return Err(ExecuteError::Ended("there is none".to_owned()));
        };
        let cell = session.execute_until(code, context.cancellation()).await?;
        let milliseconds = u64::try_from(cell.duration.as_millis()).unwrap_or(u64::MAX);
        let mut facts = CellFacts { class: CellClass::of(&cell), milliseconds, figures: Vec::new() };
        if cell.state == State::Lost {
            open.session = None;
        } else if !cell.images.is_empty() {
            session.execute(format!("import __exam__; __exam__.give({FIGURES:?})")).await?;
            let given = session.get_file(FIGURES, LARGEST).await;
            facts.figures = given.ok().and_then(|given| serde_json::from_slice(&given).ok()).unwrap_or_default();
        }
        Ok((cell, facts))
    }
}

#[async_trait]
impl AnyTool for Notebook {
    fn spec(&self) -> ToolSpec {
        self.spec.clone()
    }

    async fn call(&self, arguments: Value, context: &ToolContext) -> Result<ToolOutput, ToolError> {
        let code = arguments.get("code").and_then(Value::as_str).unwrap_or_default();
        let mut open = self.state.lock().await;
        let open = &mut *open;
        let failed = |open: &mut Open, reason: String| {
            open.fault = Some(reason.clone());
            ToolError::new("Python cannot run").with_diagnostics(reason)
        };
        if open.session.is_none() {
            match self.begin().await {
                Ok(session) => open.session = Some(session),
                Err(reason) => return Err(failed(open, reason)),
            }
        }
        // Models that were taught to write a function expect it to be called.
        let code = if code.contains("def solution()") { format!("{code}\nsolution()") } else { code.to_owned() };
        let (cell, facts) = match Self::run(open, &code, context).await {
            Ok(ran) => ran,
            Err(error @ ExecuteError::TooLong { .. }) => return Err(ToolError::new(error.to_string())),
            Err(error) => return Err(failed(open, error.to_string())),
        };
        let mut output = ToolOutput::default();
        let mut figures = Vec::new();
        for image in &cell.images {
            open.figures += 1;
            let kind = image.mime.strip_prefix("image/").unwrap_or("png");
            figures.push(format!("fig-{:03}.{kind}", open.figures));
            output =
                output.with_artifact(Artifact::Image { media_type: image.mime.clone(), bytes: image.bytes.clone() });
        }
        output.text = CodeInterpreter::observation(&self.prompts, &cell, &figures);
        Ok(output.with_artifact(Artifact::Json(json!({ "cell": facts }))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceptions_are_told_apart() {
        assert_eq!(of_exception("ModuleNotFoundError", ""), CellClass::PackageMissing);
        assert_eq!(of_exception("requests.exceptions.ConnectionError", ""), CellClass::NetworkDenied);
        assert_eq!(of_exception("OSError", "[Errno 101] Network is unreachable"), CellClass::NetworkDenied);
        assert_eq!(of_exception("MemoryError", ""), CellClass::Memory);
        assert_eq!(of_exception("ValueError", ""), CellClass::Exception);
    }
}
