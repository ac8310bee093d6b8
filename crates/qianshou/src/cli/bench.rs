//! `qianshou model bench`: speed and memory of a checkpoint, on made-up tokens.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Args;
use qianshou::model::{Decoder, ModelError};
use serde::Serialize;

use super::RunOptions;
use super::failure::Failure;

/// Measure load time, prefill and decode speed, and peak memory.
#[derive(Debug, Args)]
pub(super) struct Bench {
    /// A checkpoint folder or a .gguf file; no tokenizer is needed.
    path: PathBuf,
    /// Prompt lengths to measure.
    #[arg(long, value_delimiter = ',', default_value = "128,512", value_name = "N,…")]
    prefill: Vec<usize>,
    /// Tokens to decode behind a prompt of 128.
    #[arg(long, default_value_t = 64, value_name = "N")]
    decode: usize,
    /// Print one JSON object instead of lines.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    run: RunOptions,
}

#[derive(Debug, Serialize)]
struct Figures {
    device: String,
    /// Bytes of weights by the type that they are held in.
    weight_bytes: BTreeMap<String, usize>,
    load_seconds: f64,
    prefill: Vec<Prefill>,
    decode_tokens_per_second: f64,
    /// Absent where the system does not tell.
    peak_memory_bytes: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Prefill {
    tokens: usize,
    tokens_per_second: f64,
}

impl Bench {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let start = Instant::now();
        let decoder = self.run.load_decoder(&self.path)?;
        let load_seconds = start.elapsed().as_secs_f64();
        let longest = self.prefill.iter().copied().chain([128 + self.decode]).max().unwrap_or(0);
        if longest > decoder.config().context_window || self.prefill.contains(&0) {
            let message = format!("prompts must have 1 to {} tokens", decoder.config().context_window);
            return Err(Failure::message(message, Some("choose other lengths with --prefill and --decode")));
        }
        let prefill = self.prefill.iter().map(|&tokens| prefill(&decoder, tokens)).collect::<Result<_, _>>()?;
        let figures = Figures {
            device: decoder.device().name().to_owned(),
            weight_bytes: decoder.weight_bytes(),
            load_seconds,
            prefill,
            decode_tokens_per_second: decode(&decoder, self.decode)?,
            peak_memory_bytes: peak_memory(),
        };
        let mut stdout = anstream::stdout();
        if self.json {
            let line = serde_json::to_string(&figures).map_err(std::io::Error::from)?;
            writeln!(stdout, "{line}")?;
            return Ok(ExitCode::SUCCESS);
        }
        writeln!(stdout, "device        {}", figures.device)?;
        writeln!(stdout, "load          {:.2} s", figures.load_seconds)?;
        for Prefill { tokens, tokens_per_second } in &figures.prefill {
            writeln!(stdout, "prefill {tokens:>5} {tokens_per_second:.1} tokens/s")?;
        }
        writeln!(stdout, "decode        {:.1} tokens/s", figures.decode_tokens_per_second)?;
        let megabytes = |bytes: f64| bytes / 1e6;
        for (dtype, &bytes) in &figures.weight_bytes {
            writeln!(stdout, "weights       {:.0} MB of {dtype}", megabytes(bytes as f64))?;
        }
        if let Some(peak) = figures.peak_memory_bytes {
            writeln!(stdout, "peak memory   {:.0} MB", megabytes(peak as f64))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Made-up tokens, different from each other.
fn tokens(decoder: &Decoder, count: usize) -> Vec<u32> {
    let vocabulary = decoder.config().vocabulary_size;
    (0..count).map(|index| (index * 7919 % vocabulary) as u32).collect()
}

fn prefill(decoder: &Decoder, count: usize) -> Result<Prefill, ModelError> {
    let tokens = tokens(decoder, count);
    let start = Instant::now();
    decoder.extend(&mut decoder.new_cache(), &tokens)?;
    Ok(Prefill { tokens: count, tokens_per_second: count as f64 / start.elapsed().as_secs_f64() })
}

fn decode(decoder: &Decoder, count: usize) -> Result<f64, ModelError> {
    let mut cache = decoder.new_cache();
    decoder.extend(&mut cache, &tokens(decoder, 128))?;
    let tokens = tokens(decoder, count);
    let start = Instant::now();
    for &token in &tokens {
        decoder.extend(&mut cache, &[token])?;
    }
    Ok(count as f64 / start.elapsed().as_secs_f64())
}

/// The most memory that this process ever held, from Linux's `/proc`.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}
