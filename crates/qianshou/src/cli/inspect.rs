//! `qianshou model inspect`.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use qianshou::model::{Checkpoint, Inspection};
use serde_json::json;

use super::failure::Failure;

/// Tell what a checkpoint is and what running it takes; exit code 1 when tensors are missing.
#[derive(Debug, Args)]
pub(super) struct Inspect {
    /// A checkpoint folder or a .gguf file.
    path: PathBuf,
    /// Print one JSON object instead of lines.
    #[arg(long)]
    json: bool,
}

impl Inspect {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let checkpoint = Checkpoint::open(&self.path)?;
        let config = checkpoint.config();
        let Inspection { kinds, missing } = checkpoint.inspect()?;
        let tokenizer = checkpoint.tokenizer();
        let family = format!("{:?}", config.family);
        // F16 (`--precision f16`) takes half of that; keys and values are always F32.
        let weight_bytes = config.parameters().saturating_mul(size_of::<f32>());
        let cache_bytes = 2 * config.layers * config.key_value_heads * config.head_size * size_of::<f32>();
        let mut stdout = anstream::stdout();
        if self.json {
            let line = json!({
                "family": family,
                "parameters": config.parameters(),
                "layers": config.layers,
                "hidden_size": config.hidden_size,
                "heads": config.heads,
                "key_value_heads": config.key_value_heads,
                "head_size": config.head_size,
                "feed_forward_size": config.feed_forward_size,
                "vocabulary_size": config.vocabulary_size,
                "context_window": config.context_window,
                "stored_as": kinds,
                "weight_bytes": weight_bytes,
                "cache_bytes_per_token": cache_bytes,
                "missing_tensors": missing,
                "tokenizer": tokenizer.as_ref().map_err(ToString::to_string).err(),
            });
            writeln!(stdout, "{line}")?;
        } else {
            let stored: Vec<String> = kinds.iter().map(|(kind, count)| format!("{count} × {kind}")).collect();
            writeln!(stdout, "family        {family}, {:.1} million parameters", config.parameters() as f64 / 1e6)?;
            writeln!(
                stdout,
                "shape         {} layers, hidden {}, {} heads ({} key-value) of {}, feed-forward {}",
                config.layers,
                config.hidden_size,
                config.heads,
                config.key_value_heads,
                config.head_size,
                config.feed_forward_size
            )?;
            writeln!(stdout, "vocabulary    {}", config.vocabulary_size)?;
            writeln!(stdout, "context       {} tokens", config.context_window)?;
            writeln!(stdout, "stored as     {}", stored.join(", "))?;
            writeln!(
                stdout,
                "memory        {:.0} MB of weights (half in F16), {:.1} MB more for 1,000 tokens",
                weight_bytes as f64 / 1e6,
                cache_bytes as f64 / 1e3
            )?;
            match &tokenizer {
                Ok(tokenizer) => writeln!(stdout, "tokenizer     {} entries", tokenizer.vocabulary_size())?,
                Err(error) => writeln!(stdout, "tokenizer     none: {error}")?,
            }
            for tensor in &missing {
                writeln!(stdout, "missing       {tensor}")?;
            }
        }
        Ok(if missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
