//! `qianshou chat`.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Args;
use qianshou::agent::{Chat as Conversation, StopReason};
use qianshou::chat::Role;

use super::agent::{AgentOptions, show};
use super::failure::Failure;
use super::lines::Lines;

const HELP: &str = "\
/help      this text
/clear     forget the conversation
/history   show the conversation
/tools     list the tools
/exit      leave; so does Ctrl-D
A line that ends with \\ goes on in the next. Ctrl-C stops a step and keeps the conversation.";

/// Talk with a model that has tools; it remembers what was said.
#[derive(Debug, Args)]
pub(super) struct Chat {
    #[command(flatten)]
    agent: AgentOptions,
}

impl Chat {
    pub(super) async fn run(self) -> Result<ExitCode, Failure> {
        let workplace = self.agent.agent().await?;
        let tools: Vec<String> = workplace.agent.tools().iter().map(|tool| tool.name.clone()).collect();
        let mut conversation = Conversation::new(workplace.agent.clone());
        if let Some(transcript) = self.agent.transcript()? {
            conversation = conversation.recorded(transcript);
        }
        let mut lines = Lines::open("> ")?;
        let mut stderr = anstream::stderr();
        if lines.at_terminal {
            writeln!(stderr, "/help tells what else there is; Ctrl-D leaves.")?;
        }
        loop {
            let said;
            (lines, said) = lines.next().await?;
            let Some(said) = said else {
                return Ok(ExitCode::SUCCESS);
            };
            match said.trim() {
                "" => {}
                "/exit" | "/quit" => return Ok(ExitCode::SUCCESS),
                "/help" => writeln!(stderr, "{HELP}")?,
                "/clear" => conversation.clear(),
                "/tools" => writeln!(stderr, "{}", tools.join(", "))?,
                "/history" => {
                    for message in conversation.history().iter().filter(|message| message.role != Role::System) {
                        writeln!(stderr, "{}: {}", message.role.as_str(), message.text().trim_end())?;
                    }
                }
                command if command.starts_with('/') && !command.contains(char::is_whitespace) => {
                    writeln!(stderr, "there is no {command}; /help tells what there is")?;
                }
                said => answer(&mut conversation, said).await?,
            }
        }
    }
}

/// One turn. What goes wrong is told, and the conversation goes on.
async fn answer(conversation: &mut Conversation, said: &str) -> Result<(), Failure> {
    let turn = conversation.stream(said);
    let cancellation = turn.cancellation().clone();
    let interrupt = tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            cancellation.cancel();
        }
    });
    let shown = show(turn).await;
    interrupt.abort();
    match shown {
        Ok(answer) if answer.is_answered() => {}
        Ok(answer) if answer.stop_reason == StopReason::Cancelled => writeln!(anstream::stderr(), "stopped")?,
        Ok(answer) => {
            Failure::message(format!("there is no answer: {}", answer.stop_reason), None).report();
        }
        Err(failure) => {
            failure.report();
        }
    }
    Ok(())
}
