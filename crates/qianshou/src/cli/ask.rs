//! `qianshou ask`.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Args;
use futures_util::StreamExt as _;
use qianshou::ModelSpec;
use qianshou::agent::{Agent, Answer, Event, EventStream, RunError, StopReason};
use tokio_util::sync::CancellationToken;

use super::ModelOptions;
use super::failure::Failure;
use super::steps::Steps;
use super::tools::ToolSelection;

/// Answer one question with tools.
#[derive(Debug, Args)]
pub(super) struct Ask {
    /// The question.
    question: String,
    #[command(flatten)]
    model: ModelOptions,
    #[command(flatten)]
    tools: ToolSelection,
    /// Most steps that the run may take.
    #[arg(long, value_name = "N")]
    max_steps: Option<usize>,
    /// Print every event as one JSON object a line on stdout, the answer among them.
    #[arg(long)]
    json: bool,
}

impl Ask {
    pub(super) async fn run(self) -> Result<ExitCode, Failure> {
        if self.question.trim().is_empty() {
            return Err(Failure::message("the question is empty", Some("ask something, in quotes")));
        }
        let model = self.model.load().await?;
        let mut builder = Agent::builder(model).any_tools(self.tools.tools()?);
        // A recording may be of any model; most likely it is of the default one.
        if matches!(self.model.model, ModelSpec::Tiny | ModelSpec::Replay(_)) {
            builder = builder.protocol(qianshou::tiny_protocol());
        }
        if let Some(steps) = self.max_steps {
            builder = builder.max_steps(steps);
        }
        let agent = builder.build().map_err(|error| Failure::new(&error, None))?;
        let run = agent.start(self.question.as_str()).map_err(run_failure)?;
        let cancellation = CancellationToken::new();
        let events = agent.drive(run, cancellation.clone());
        tokio::spawn(async move {
            // Without a signal handler Ctrl-C ends the process at once, as it would anyhow.
            if tokio::signal::ctrl_c().await.is_ok() {
                cancellation.cancel();
            }
        });
        let answer = if self.json { print_events(events).await? } else { show(events).await? };
        if answer.is_answered() {
            return Ok(ExitCode::SUCCESS);
        }
        let cancelled = answer.stop_reason == StopReason::Cancelled;
        let hint = (!cancelled).then_some("ask again in other words, or use a larger model with `--model`");
        Err(Failure::message(format!("there is no answer: {}", answer.stop_reason), hint))
    }
}

/// A failed run is told by its cause, which is the model's.
fn run_failure(error: RunError) -> Failure {
    match error {
        RunError::Model { source, .. } => source.into(),
        other => Failure::new(&other, None),
    }
}

/// Steps to stderr, the answer to stdout, both as they come.
async fn show(mut events: EventStream) -> Result<Answer, Failure> {
    let mut steps = Steps::new(anstream::stderr());
    let mut stdout = anstream::stdout();
    let mut line_is_open = false;
    while let Some(event) = events.next().await {
        let event = event.map_err(run_failure)?;
        if line_is_open && !matches!(event, Event::AnswerDelta { .. }) {
            writeln!(stdout)?;
            line_is_open = false;
        }
        steps.show(&event)?;
        match event {
            Event::AnswerDelta { text } => {
                write!(stdout, "{text}")?;
                stdout.flush()?;
                line_is_open = true;
            }
            Event::Finished { answer } => return Ok(*answer),
            _ => {}
        }
    }
    Err(broken_off())
}

/// Every event to stdout as JSON.
async fn print_events(mut events: EventStream) -> Result<Answer, Failure> {
    let mut stdout = std::io::stdout();
    while let Some(event) = events.next().await {
        let event = event.map_err(run_failure)?;
        let line = serde_json::to_string(&event).map_err(std::io::Error::from)?;
        writeln!(stdout, "{line}")?;
        if let Event::Finished { answer } = event {
            return Ok(*answer);
        }
    }
    Err(broken_off())
}

fn broken_off() -> Failure {
    Failure::message("the run broke off before its end", None)
}
