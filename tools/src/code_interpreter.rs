//! `code_interpreter`: Python in a sandbox, as Qwen was taught to use it.

use std::path::{Path, PathBuf};
use std::{fmt, io};

use async_trait::async_trait;
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use qianshou_agent::{AnyTool, Artifact, PluginError, ToolContext, ToolError, ToolOutput, ToolSpec};
use qianshou_interpreter::{Cell, Interpreter, Session, State, Status};
use qianshou_prompts::{Prompt, Prompts};
use serde_json::{Value, json};
use tokio::sync::Mutex;

/// The largest file that goes into or comes out of a session.
const LARGEST: u64 = 64 << 20;

/// Runs Python code. The session keeps its variables from call to call; a tool belongs to one conversation.
///
/// Files of the run's workspace are there for the code, and files that it writes and figures that it draws
/// come back into it, as artifacts too. The name, description and parameter are those that Qwen was trained on.
///
/// ```no_run
/// use std::sync::Arc;
///
/// use qianshou_interpreter::Interpreter;
/// use qianshou_tools::CodeInterpreter;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let python = Interpreter::builder().build().await?;
/// let tool = CodeInterpreter::new(python)?;
/// # Ok(())
/// # }
/// ```
pub struct CodeInterpreter {
    interpreter: Interpreter,
    prompts: Prompts,
    spec: ToolSpec,
    state: Mutex<Open>,
}

/// What the conversation has had so far.
#[derive(Default)]
struct Open {
    session: Option<Session>,
    figures: usize,
}

impl CodeInterpreter {
    /// A tool over this interpreter.
    ///
    /// # Errors
    /// See [`with_prompts`](Self::with_prompts).
    pub fn new(interpreter: Interpreter) -> Result<Self, PluginError> {
        Self::with_prompts(interpreter, Prompts::embedded())
    }

    /// A tool with texts of your own. Its description goes on with the packages that were imported
    /// beforehand, where there are any.
    ///
    /// # Errors
    /// When the spec cannot be put together.
    pub fn with_prompts(interpreter: Interpreter, prompts: Prompts) -> Result<Self, PluginError> {
        let packages: Vec<&str> = interpreter.python().imported.iter().map(|module| module.name.as_str()).collect();
        let mut description = prompts.text(Prompt::CodeInterpreterDescription).to_owned();
        if !packages.is_empty() {
            description += &prompts.fill(Prompt::CodeInterpreterPackages, &[("packages", &packages.join(", "))]);
        }
        let spec = ToolSpec::from_plugin(&json!({
            "name_for_human": prompts.text(Prompt::CodeInterpreterName),
            "name_for_model": "code_interpreter",
            "description_for_model": description,
            "parameters": [{
                "name": "code",
                "type": "string",
                "description": prompts.text(Prompt::CodeInterpreterCode),
            }],
            "args_format": "code",
        }))?;
        Ok(Self { interpreter, prompts, spec, state: Mutex::default() })
    }

    /// Shows the tool as other typed tools are shown: in English, with a JSON schema and JSON arguments. That
    /// is for models that were not trained on Qwen's form.
    #[must_use]
    pub fn with_json_arguments(mut self) -> Self {
        let schema = json!({
            "type": "object",
            "properties": {
                "code": {"description": self.prompts.text(Prompt::CodeInterpreterJsonCode), "type": "string"},
            },
            "required": ["code"],
        });
        let description = self.prompts.text(Prompt::CodeInterpreterJsonDescription);
        self.spec = ToolSpec::from_schema("code_interpreter", schema).description(description);
        self
    }

    /// What a model reads of a cell, in the form of the reference code interpreter: what there is of stdout,
    /// stderr, value and error each in its section, then figures (the files that they were written to) and files.
    #[must_use]
    pub fn observation(prompts: &Prompts, cell: &Cell, figures: &[String]) -> String {
        let section = |stream: &str, text: &str| {
            let text = text.trim_end();
            let values = [("stream", stream), ("text", text)];
            (!text.is_empty()).then(|| prompts.fill(Prompt::CodeSection, &values))
        };
        let mut parts: Vec<String> = Vec::new();
        parts.extend(section("stdout", &cell.stdout));
        parts.extend(section("stderr", &cell.stderr));
        parts.extend(cell.value_text().and_then(|value| section("execute_result", value)));
        parts.extend(section("error", &fault(prompts, cell)));
        for path in figures {
            let name = path.rsplit_once('.').map_or(path.as_str(), |(stem, _)| stem);
            parts.push(prompts.fill(Prompt::CodeFigure, &[("name", name), ("path", path)]));
        }
        for file in &cell.files {
            let values = [("path", file.path.as_str()), ("bytes", &file.bytes.to_string())];
            parts.push(prompts.fill(Prompt::CodeFile, &values));
        }
        parts.extend(cell.notes.iter().cloned());
        match parts.is_empty() {
            true => prompts.text(Prompt::CodeSilent).to_owned(),
            false => parts.join("\n\n"),
        }
    }
}

/// What went wrong, and what became of the variables.
fn fault(prompts: &Prompts, cell: &Cell) -> String {
    let fill = |prompt, name, value: String| prompts.fill(prompt, &[(name, &value)]);
    let mut lines = Vec::new();
    match cell.status {
        Status::Ok | Status::Exited(_) => {}
        Status::TimedOut => {
            lines.push(fill(Prompt::CodeTimedOut, "seconds", cell.duration.as_secs().to_string()));
        }
        Status::OutOfMemory => {
            lines.push(fill(Prompt::CodeOutOfMemory, "limit", format!("{} MB", cell.peak_memory / 1_000_000)));
        }
        Status::OutputLimit => lines.push(fill(Prompt::CodeTooMuchOutput, "limit", "a cell".to_owned())),
        Status::Crashed(signal) => lines.push(fill(Prompt::CodeCrashed, "cause", format!("signal {signal}"))),
        Status::Vanished(code) => lines.push(fill(Prompt::CodeCrashed, "cause", format!("exit code {code}"))),
        Status::Violation => lines.push(fill(Prompt::CodeCrashed, "cause", "it broke its protocol".to_owned())),
        Status::Error | Status::Interrupted => {}
    }
    if let Some(error) = &cell.error {
        lines.push(error.traceback.trim_end().to_owned());
        lines.extend(error.hint.clone());
    }
    match cell.state {
        State::Kept => {}
        State::Restored => lines.push(prompts.text(Prompt::CodeRestored).to_owned()),
        State::Earlier { .. } => lines.push(prompts.text(Prompt::CodeEarlier).to_owned()),
        State::Lost => lines.push(prompts.text(Prompt::CodeLost).to_owned()),
    }
    lines.join("\n")
}

#[async_trait]
impl AnyTool for CodeInterpreter {
    fn spec(&self) -> ToolSpec {
        self.spec.clone()
    }

    async fn call(&self, arguments: Value, context: &ToolContext) -> Result<ToolOutput, ToolError> {
        let code = arguments.get("code").and_then(Value::as_str);
        let code = code.ok_or_else(|| ToolError::invalid_arguments("`code` is missing"))?;
        let failed = |error: &dyn std::error::Error| ToolError::new("Python cannot run").with_diagnostics(chain(error));
        let mut open = self.state.lock().await;
        let open = &mut *open;
        if open.session.is_none() {
            open.session = Some(self.interpreter.session().await.map_err(|error| failed(&error))?);
        }
        let Some(session) = &open.session else {
            return Err(ToolError::new("Python cannot run"));
        };
        if let Some(workspace) = context.workspace() {
            give_files(session, workspace).await?;
        }
        let cell = session.execute_until(code, context.cancellation()).await.map_err(|error| failed(&error))?;

        let mut figures = Vec::new();
        let mut output = ToolOutput::default();
        for image in &cell.images {
            open.figures += 1;
            let kind = image.mime.strip_prefix("image/").unwrap_or("png");
            let name = format!("fig-{:03}.{kind}", open.figures);
            if let Some(workspace) = context.workspace() {
                keep(workspace, name.clone().into(), image.bytes.clone()).await?;
            }
            output =
                output.with_artifact(Artifact::Image { media_type: image.mime.clone(), bytes: image.bytes.clone() });
            figures.push(name);
        }
        if let Some(workspace) = context.workspace() {
            for file in cell.files.iter().filter(|file| file.bytes <= LARGEST) {
                let path = PathBuf::from(&file.path);
                let content = session.get_file(&path, LARGEST).await.map_err(|error| failed(&error))?;
                keep(workspace, path.clone(), content).await?;
                output = output.with_artifact(Artifact::File { path });
            }
        }
        output.text = Self::observation(&self.prompts, &cell, &figures);
        Ok(output)
    }
}

impl fmt::Debug for CodeInterpreter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("CodeInterpreter").field("interpreter", &self.interpreter).finish_non_exhaustive()
    }
}

/// Gives the session the files that lie in the workspace itself, as they are now.
async fn give_files(session: &Session, workspace: &Path) -> Result<(), ToolError> {
    let files = with_folder(workspace, |folder| {
        let mut files = Vec::new();
        for entry in folder.entries()? {
            let entry = entry?;
            // Not what links point to: that may lie outside.
            if entry.file_type()?.is_file() && entry.metadata()?.len() <= LARGEST {
                files.push((entry.file_name(), folder.read(entry.file_name())?));
            }
        }
        Ok(files)
    });
    for (name, content) in files.await? {
        let given = session.put_file(name, content).await;
        given.map_err(|error| ToolError::new(format!("a file does not fit into the session: {error}")))?;
    }
    Ok(())
}

/// Writes a file into the workspace. Its path comes from the code, so that it may lead anywhere: the folder's
/// own handle keeps it inside.
async fn keep(workspace: &Path, path: PathBuf, content: Vec<u8>) -> Result<(), ToolError> {
    let write = move |folder: &Dir| {
        if let Some(parent) = path.parent() {
            folder.create_dir_all(parent)?;
        }
        folder.write(&path, &content)
    };
    with_folder(workspace, write).await
}

/// Works on the workspace, on a thread where that may take its time.
async fn with_folder<T: Send + 'static>(
    workspace: &Path,
    work: impl FnOnce(&Dir) -> io::Result<T> + Send + 'static,
) -> Result<T, ToolError> {
    let path = workspace.to_owned();
    let open = path.clone();
    let done = tokio::task::spawn_blocking(move || work(&Dir::open_ambient_dir(open, ambient_authority())?)).await;
    done.map_err(io::Error::other).flatten().map_err(|error| {
        ToolError::new("the workspace cannot be used").with_diagnostics(format!("{}: {error}", path.display()))
    })
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
