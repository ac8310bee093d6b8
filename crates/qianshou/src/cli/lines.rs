//! What people type, line by line.

use std::io::IsTerminal as _;

use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;

use super::failure::Failure;

/// What the user says, line by line: edited at a terminal, else as it comes from stdin.
pub(super) struct Lines {
    editor: DefaultEditor,
    prompt: &'static str,
    pub(super) at_terminal: bool,
}

impl Lines {
    pub(super) fn open(prompt: &'static str) -> Result<Self, Failure> {
        let at_terminal = std::io::stdin().is_terminal();
        let editor = DefaultEditor::new().map_err(|error| Failure::new(&error, None))?;
        Ok(Self { editor, prompt, at_terminal })
    }

    /// The next thing said, or nothing more. Waiting for it must not hold up the runtime.
    pub(super) async fn next(mut self) -> Result<(Self, Option<String>), Failure> {
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
                (true, true) => self.prompt,
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
