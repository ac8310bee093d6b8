//! `qianshou trace`: transcripts for people.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anstyle::{AnsiColor, Style};
use async_trait::async_trait;
use clap::Subcommand;
use qianshou::LoadError;
use qianshou::agent::{
    Agent, AnyTool, Detail, Native, Paragraph, ParagraphKind, RecordedRun, ToolContext, ToolError, ToolOutput,
    ToolSpec, Transcript,
};
use qianshou::chat::Replay;
use serde_json::Value;

use super::failure::Failure;
use super::steps::Steps;

/// Look at what `--record` wrote.
#[derive(Debug, Subcommand)]
pub(super) enum Trace {
    /// Tell what happened in the runs of a transcript.
    Show {
        /// A file that `ask --record` or `chat --record` wrote.
        file: PathBuf,
        /// Show prompts and replies too, as they went to and came from the model.
        #[arg(long)]
        exchanges: bool,
    },
    /// Go through the runs again without model and tools, and check that this program would do the same.
    Replay {
        /// A file that `ask --record` or `chat --record` wrote.
        file: PathBuf,
    },
}

impl Trace {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        match self {
            Self::Show { file, exchanges } => {
                let detail = if exchanges { Detail::Exchanges } else { Detail::Steps };
                let mut stdout = anstream::stdout();
                for run in read(&file)?.runs {
                    for paragraph in run.paragraphs(detail) {
                        write_paragraph(&mut stdout, &paragraph)?;
                    }
                }
                Ok(ExitCode::SUCCESS)
            }
            Self::Replay { file } => {
                let mut steps = Steps::new(anstream::stderr());
                for run in read(&file)?.runs {
                    let agent = agent_of(&file, &run)?;
                    for event in agent.replay(&run).map_err(|error| Failure::new(&error, None))? {
                        steps.show(&event)?;
                    }
                    if let Some(end) = run.end() {
                        writeln!(anstream::stdout(), "{}", end.answer)?;
                    }
                }
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

/// A tool as the file describes it.
struct RecordedTool(ToolSpec);

#[async_trait]
impl AnyTool for RecordedTool {
    fn spec(&self) -> ToolSpec {
        self.0.clone()
    }

    async fn call(&self, _: Value, _: &ToolContext) -> Result<ToolOutput, ToolError> {
        Err(ToolError::new("a replay calls no tool"))
    }
}

/// An agent set up as that of the run was, by what the file says of it.
fn agent_of(file: &Path, run: &RecordedRun) -> Result<Agent, Failure> {
    let model = Replay::open(file).map_err(LoadError::from)?;
    let tools = run.header.tools.iter().map(|spec| Arc::new(RecordedTool(spec.clone())) as Arc<dyn AnyTool>);
    let builder = Agent::builder(Arc::new(model)).any_tools(tools);
    let builder = match run.header.protocol.as_str() {
        "native" => builder.protocol(Native::default()),
        _ => builder,
    };
    builder.limits(run.header.limits).build().map_err(|error| Failure::new(&error, None))
}

fn read(file: &Path) -> Result<Transcript, Failure> {
    Transcript::read(file).map_err(|error| Failure::new(&error, None))
}

/// Headings stand alone, everything else is set in below them; its lines keep their indentation.
fn write_paragraph(output: &mut impl io::Write, paragraph: &Paragraph) -> io::Result<()> {
    let style = style(paragraph.kind);
    let bold = Style::new().bold();
    if paragraph.kind == ParagraphKind::Heading {
        return writeln!(output, "{bold}{paragraph}{bold:#}");
    }
    write!(output, "  {bold}{}:{bold:#}", paragraph.label)?;
    // A text of several lines begins below its label.
    let separator = if paragraph.text.trim_end().contains('\n') { "\n    " } else { " " };
    for line in paragraph.text.trim_end().lines() {
        let separator = if line.is_empty() { "\n" } else { separator };
        write!(output, "{separator}{style}{line}{style:#}")?;
    }
    writeln!(output)
}

fn style(kind: ParagraphKind) -> Style {
    match kind {
        ParagraphKind::Thought | ParagraphKind::Note | ParagraphKind::Prompt => Style::new().dimmed(),
        ParagraphKind::Action | ParagraphKind::Input => AnsiColor::Cyan.on_default(),
        ParagraphKind::Observation => AnsiColor::Green.on_default(),
        ParagraphKind::Fault => AnsiColor::Red.on_default(),
        ParagraphKind::Warning => AnsiColor::Yellow.on_default(),
        _ => Style::new(),
    }
}
