//! `qianshou ask`.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use futures_util::StreamExt as _;
use qianshou::agent::{Answer, Event, EventStream, StopReason};

use super::agent::{AgentOptions, broken_off, run_failure, show};
use super::failure::Failure;

/// Answer one question with tools.
#[derive(Debug, Args)]
pub(super) struct Ask {
    /// The question.
    #[arg(required_unless_present = "resume")]
    question: Option<String>,
    #[command(flatten)]
    agent: AgentOptions,
    /// Go on with the last run of a file that `--record` wrote and that broke off.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["question", "record"])]
    resume: Option<PathBuf>,
    /// Print every event as one JSON object a line on stdout, the answer among them.
    #[arg(long)]
    json: bool,
}

impl Ask {
    pub(super) async fn run(self) -> Result<ExitCode, Failure> {
        let question = self.question.as_deref().unwrap_or_default();
        if question.trim().is_empty() && self.resume.is_none() {
            return Err(Failure::message("the question is empty", Some("ask something, in quotes")));
        }
        let workplace = self.agent.agent().await?;
        let events = match &self.resume {
            Some(file) => workplace.agent.resume_transcript(file).map_err(|error| Failure::new(&error, None))?,
            None => match self.agent.transcript()? {
                Some(transcript) => workplace.agent.stream(question).recorded(transcript),
                None => workplace.agent.stream(question),
            },
        };
        let cancellation = events.cancellation().clone();
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
        let hint = match answer.stop_reason {
            StopReason::Cancelled => None,
            StopReason::ContextFull => Some("shorten the question, use fewer tools, or a model with a larger window"),
            StopReason::Steps => Some("allow more with `--max-steps`, or ask in smaller parts"),
            _ => Some("ask again in other words, or use a larger model with `--model`"),
        };
        Err(Failure::message(format!("there is no answer: {}", answer.stop_reason), hint))
    }
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
