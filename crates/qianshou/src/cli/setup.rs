//! `qianshou setup`.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use qianshou::LoadError;
use qianshou::base::{Settings, locate_or_fetch};
use qianshou::interpreter::{EnvironmentProgress, make_environment};

use super::failure::Failure;
use super::progress::Bars;

/// Fetch what the default model needs, make a Python environment with the scientific packages, and print where both lie.
#[derive(Debug, Args)]
pub(super) struct Setup {
    /// Do one of the two alone.
    #[arg(long, value_enum)]
    only: Option<Part>,
    /// The Python that the environment is made of; `python3` by default.
    #[arg(long, value_name = "PROGRAM")]
    python: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The base of the default model, 98 MB.
    Model,
    /// The Python environment, some 400 MB.
    Python,
}

impl Setup {
    pub(super) async fn run(self) -> Result<ExitCode, Failure> {
        if self.only != Some(Part::Python) {
            let bars = Bars::default();
            let path = locate_or_fetch(&Settings::from_env(), &|progress| bars.show(progress)).await;
            bars.finish();
            writeln!(anstream::stdout(), "{}", path.map_err(LoadError::from)?.display())?;
        }
        if self.only != Some(Part::Model) {
            let environment = make_environment(self.python.as_deref(), tell).await;
            writeln!(anstream::stdout(), "{}", environment.map_err(|error| Failure::new(&error, None))?.display())?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// A line on stderr for each step.
fn tell(progress: EnvironmentProgress) {
    let line = match progress {
        EnvironmentProgress::Waiting => "waiting for another process that makes the Python environment".to_owned(),
        EnvironmentProgress::Making => "making a Python environment".to_owned(),
        EnvironmentProgress::Fetching(package) => format!("fetching {package}"),
        EnvironmentProgress::Installing => "installing the packages".to_owned(),
        // A step that is new to this program needs no line.
        _ => return,
    };
    // With stderr closed there is nobody to tell.
    let _ = writeln!(anstream::stderr(), "{line}");
}
