//! `qianshou chat`.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use clap::Args;
use qianshou::agent::{Chat as Conversation, StopReason};
use qianshou::chat::Role;
use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;

use super::agent::{AgentOptions, show};
use super::failure::Failure;

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
        let mut lines = Lines::open()?;
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

/// What the user says, line by line: edited at a terminal, else as it comes from stdin.
struct Lines {
    editor: DefaultEditor,
    at_terminal: bool,
}

impl Lines {
    fn open() -> Result<Self, Failure> {
        let at_terminal = std::io::stdin().is_terminal();
        let editor = DefaultEditor::new().map_err(|error| Failure::new(&error, None))?;
        Ok(Self { editor, at_terminal })
    }

    /// The next thing said, or nothing more. Waiting for it must not hold up the runtime.
    async fn next(mut self) -> Result<(Self, Option<String>), Failure> {
        let read = tokio::task::spawn_blocking(move || {
            let said = self.read();
            (self, said)
        });
        let (lines, said) = read.await.map_err(|error| Failure::new(&error, None))?;
        said.map(|said| (lines, said))
    }

    fn read(&mut self) -> Result<Option<String>, Failure> {
        let mut said = String::new();
        loop {
            let prompt = match (self.at_terminal, said.is_empty()) {
                (false, _) => "",
                (true, true) => "> ",
                (true, false) => "… ",
            };
            match self.editor.readline(prompt) {
                Ok(line) => match line.strip_suffix('\\') {
                    Some(line) => said = format!("{said}{line}\n"),
                    None => {
                        said += &line;
                        // A history that does not remember a line is no reason to end.
                        let _ = self.editor.add_history_entry(&said);
                        return Ok(Some(said));
                    }
                },
                Err(ReadlineError::Interrupted) => said.clear(),
                Err(ReadlineError::Eof) => return Ok(None),
                Err(error) => return Err(Failure::new(&error, None)),
            }
        }
    }
}
