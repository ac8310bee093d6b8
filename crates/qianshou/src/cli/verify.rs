//! `qianshou model verify`.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use qianshou::model::verify;

use super::RunOptions;
use super::failure::Failure;

/// Greatest error of a logit in F32: on the CPU, and on other devices.
const TOLERANCE_CPU: f32 = 1e-4;
const TOLERANCE_OTHER: f32 = 1e-3;

/// Compare a checkpoint with recorded outputs of the official code; exit code 1 when they differ.
#[derive(Debug, Args)]
pub(super) struct Verify {
    /// A checkpoint folder or a .gguf file; no tokenizer is needed.
    path: PathBuf,
    /// The recorded outputs; by default `expected.safetensors` beside the weights.
    #[arg(long, value_name = "FILE")]
    expected: Option<PathBuf>,
    /// Greatest absolute error of a logit; by default 1e-4 on the CPU and 1e-3 elsewhere.
    #[arg(long, value_name = "X")]
    tolerance: Option<f32>,
    #[command(flatten)]
    run: RunOptions,
}

impl Verify {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let folder = if self.path.is_dir() { self.path.clone() } else { self.path.with_file_name("") };
        let expected = self.expected.clone().unwrap_or_else(|| folder.join("expected.safetensors"));
        if !expected.exists() {
            let message = format!("there are no recorded outputs at {}", expected.display());
            return Err(Failure::message(message, Some("name them with `--expected FILE`")));
        }
        let decoder = self.run.load_decoder(&self.path)?;
        let by_device = if decoder.device().is_cpu() { TOLERANCE_CPU } else { TOLERANCE_OTHER };
        let tolerance = self.tolerance.unwrap_or(by_device);
        let mut stdout = anstream::stdout();
        let mut all = true;
        for report in verify(&decoder, &expected)? {
            let passes = report.passes(tolerance);
            all &= passes;
            let (agreeing, greedy) = report.greedy;
            writeln!(
                stdout,
                "{:<16} max abs error {:.2e}  greedy {agreeing}/{greedy}  {}",
                report.name,
                report.max_error,
                if passes { "ok" } else { "DIFFERS" }
            )?;
        }
        let verdict = if all { "agrees" } else { "differs" };
        writeln!(stdout, "{verdict} within {tolerance:.0e} on {}", decoder.device().name())?;
        Ok(if all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
