//! `qianshou setup`.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Args;
use qianshou::LoadError;
use qianshou::base::{Settings, locate_or_fetch};

use super::failure::Failure;
use super::progress::Bars;

/// Fetch what the default model needs, and print where it lies.
#[derive(Debug, Args)]
pub(super) struct Setup {}

impl Setup {
    pub(super) async fn run(self) -> Result<ExitCode, Failure> {
        let bars = Bars::default();
        let path = locate_or_fetch(&Settings::from_env(), &|progress| bars.show(progress)).await;
        bars.finish();
        writeln!(anstream::stdout(), "{}", path.map_err(LoadError::from)?.display())?;
        Ok(ExitCode::SUCCESS)
    }
}
