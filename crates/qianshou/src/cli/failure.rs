//! One line that says what went wrong, and one that says how to mend it.

use std::error::Error;
use std::fmt;
use std::io::Write as _;
use std::process::ExitCode;

use qianshou::LoadError;
use qianshou::chat::ChatError;
use qianshou::model::ModelError;

/// Why a command ended without what was asked for.
#[derive(Debug)]
pub(super) struct Failure {
    message: String,
    hint: Option<String>,
}

impl Failure {
    /// A failure with its causes behind it.
    pub(super) fn new(error: &dyn Error, hint: Option<&str>) -> Self {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            let cause_message = cause.to_string();
            if !message.contains(&cause_message) {
                message = format!("{message}: {cause_message}");
            }
            source = cause.source();
        }
        Self { message, hint: hint.map(str::to_owned) }
    }

    /// A failure in words.
    pub(super) fn message(message: impl Into<String>, hint: Option<&str>) -> Self {
        Self { message: message.into(), hint: hint.map(str::to_owned) }
    }

    /// Tells on stderr what follows from it, where the command goes on.
    pub(super) fn warn(&self, consequence: &str) -> std::io::Result<()> {
        let yellow = anstyle::AnsiColor::Yellow.on_default();
        writeln!(anstream::stderr(), "{yellow}warning:{yellow:#} {consequence}: {}", self.message)
    }

    /// Tells it on stderr.
    pub(super) fn report(&self) -> ExitCode {
        let bold = anstyle::Style::new().bold();
        let red = anstyle::AnsiColor::Red.on_default().bold();
        // With stderr closed there is nobody left to tell.
        let mut stderr = anstream::stderr();
        let _ = writeln!(stderr, "{red}error:{red:#} {}", self.message);
        if let Some(hint) = &self.hint {
            let _ = writeln!(stderr, "{bold}help:{bold:#} {hint}");
        }
        ExitCode::FAILURE
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl From<ModelError> for Failure {
    fn from(error: ModelError) -> Self {
        Self::new(&error, None)
    }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        Self::new(&error, error.hint())
    }
}

impl From<ChatError> for Failure {
    fn from(error: ChatError) -> Self {
        Self::new(&error, error.hint())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::message(format!("cannot write the output: {error}"), None)
    }
}
