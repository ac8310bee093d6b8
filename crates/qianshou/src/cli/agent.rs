//! The agent behind `ask` and `chat`.

use std::io::Write as _;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::Args;
use futures_util::{Stream, StreamExt as _};
use qianshou::ModelSpec;
use qianshou::agent::{Agent, Answer, Event, RunError, TranscriptWriter};
use tempfile::TempDir;

use super::ModelOptions;
use super::failure::Failure;
use super::python::PythonOptions;
use super::steps::Steps;
use super::tools::ToolSelection;

/// Which agent it is.
#[derive(Debug, Args)]
pub(super) struct AgentOptions {
    #[command(flatten)]
    model: ModelOptions,
    #[command(flatten)]
    tools: ToolSelection,
    #[command(flatten)]
    python: PythonOptions,
    /// Most steps that a run may take.
    #[arg(long, value_name = "N")]
    max_steps: Option<NonZeroUsize>,
    /// Most tokens of one reply; 2048 by default, 512 for the default model.
    #[arg(long, value_name = "N")]
    max_reply_tokens: Option<NonZeroUsize>,
    /// Copy a file into the workspace, where the tools can read it; may be given several times.
    #[arg(long, value_name = "PATH")]
    file: Vec<PathBuf>,
    /// The folder that the tools work in; by default an empty one that is removed in the end.
    #[arg(long, value_name = "FOLDER")]
    workspace: Option<PathBuf>,
    /// Write all that happens to a new file, for `trace show`, `ask --resume` and `--model replay:FILE`.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
}

/// An agent, and the folder that its tools work in.
#[derive(Debug)]
pub(super) struct Workplace {
    pub(super) agent: Agent,
    /// Removed when it is dropped.
    _folder: Option<TempDir>,
}

impl AgentOptions {
    pub(super) async fn agent(&self) -> Result<Workplace, Failure> {
        if let Some(path) = self.record.as_deref().filter(|path| path.exists()) {
            let message = format!("{} exists; a recording is not written over anything", path.display());
            return Err(Failure::message(message, Some("name a new file with --record")));
        }
        let (workspace, folder) = self.workspace()?;
        // Python starts in processes of its own while the model loads here.
        let tools = self.tools.tools(&self.python);
        let (tools, model) = tokio::try_join!(tools, self.model.load())?;
        // A recording replays with the limit that the recorded run had.
        let is_tiny = match &self.model.model {
            ModelSpec::Replay(_) => model.info().name == ModelSpec::Tiny.to_string(),
            spec => *spec == ModelSpec::Tiny,
        };
        let most = self.max_reply_tokens.map_or(if is_tiny { 512 } else { 2048 }, NonZeroUsize::get);
        let mut builder = Agent::builder(model).any_tools(tools).workspace(workspace).max_reply_tokens(most);
        if let Some(steps) = self.max_steps {
            builder = builder.max_steps(steps.get());
        }
        let agent = builder.build().map_err(|error| Failure::new(&error, None))?;
        Ok(Workplace { agent, _folder: folder })
    }

    /// Where the run is written to, if anywhere.
    pub(super) fn transcript(&self) -> Result<Option<TranscriptWriter>, Failure> {
        let writer = self.record.as_deref().map(TranscriptWriter::create).transpose();
        writer.map_err(|error| Failure::new(&error, None))
    }

    /// The workspace with the files in it.
    fn workspace(&self) -> Result<(PathBuf, Option<TempDir>), Failure> {
        let failed = |path: &Path, error: std::io::Error| {
            Failure::message(format!("cannot use {} for the workspace: {error}", path.display()), None)
        };
        let (folder, temporary) = match &self.workspace {
            Some(folder) => {
                std::fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
                (folder.clone(), None)
            }
            None => {
                let folder = TempDir::with_prefix("qianshou-").map_err(|error| failed(&std::env::temp_dir(), error))?;
                (folder.path().to_owned(), Some(folder))
            }
        };
        for path in &self.file {
            let name = path.file_name().filter(|_| path.is_file()).ok_or_else(|| {
                Failure::message(format!("{} is no file", path.display()), Some("name files with --file"))
            })?;
            let target = folder.join(name);
            if target.exists() {
                let message = format!("{} exists and is not written over", target.display());
                return Err(Failure::message(message, Some("rename one of the files")));
            }
            std::fs::copy(path, target).map_err(|error| failed(path, error))?;
        }
        Ok((folder, temporary))
    }
}

/// Steps to stderr, the answer to stdout. At a terminal both are shown as they come. Elsewhere the answer is
/// written when it is certain: what comes as an answer can turn out to be a thought before a call.
pub(super) async fn show(mut events: impl Stream<Item = Result<Event, RunError>> + Unpin) -> Result<Answer, Failure> {
    let mut steps = Steps::new(anstream::stderr());
    let mut stdout = anstream::stdout();
    let at_terminal = stdout.is_terminal();
    let mut line_is_open = false;
    while let Some(event) = events.next().await {
        let event = event.map_err(run_failure)?;
        if line_is_open && !matches!(event, Event::AnswerDelta { .. }) {
            writeln!(stdout)?;
            line_is_open = false;
        }
        steps.show(&event)?;
        match event {
            Event::AnswerDelta { text } if at_terminal => {
                write!(stdout, "{text}")?;
                stdout.flush()?;
                line_is_open = true;
            }
            Event::Finished { answer } => {
                if !at_terminal && answer.is_answered() {
                    writeln!(stdout, "{}", answer.text())?;
                }
                return Ok(*answer);
            }
            _ => {}
        }
    }
    Err(broken_off())
}

/// A failed run is told by its cause, which is the model's.
pub(super) fn run_failure(error: RunError) -> Failure {
    match error {
        RunError::Model { source, .. } => source.into(),
        other => Failure::new(&other, None),
    }
}

pub(super) fn broken_off() -> Failure {
    Failure::message("the run broke off before its end", None)
}
