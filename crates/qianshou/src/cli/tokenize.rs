//! `qianshou model tokenize`.

use std::io::{BufRead as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use qianshou::model::open_tokenizer;
use qianshou::tokenizer::Specials;

use super::failure::Failure;

/// JSON strings, one a line on stdin, to JSON arrays of token ids, one a line on stdout.
#[derive(Debug, Args)]
pub(super) struct Tokenize {
    /// A folder with `tokenizer.json` or `qwen.tiktoken`, or a .gguf file.
    path: PathBuf,
    /// Recognise special tokens in the text; by default they are text.
    #[arg(long, conflicts_with = "decode")]
    special: bool,
    /// The other way: arrays of ids to strings.
    #[arg(long)]
    decode: bool,
}

impl Tokenize {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let tokenizer = open_tokenizer(&self.path)?;
        let specials = if self.special { Specials::All } else { Specials::None };
        let mut stdout = std::io::BufWriter::new(std::io::stdout().lock());
        for (index, line) in std::io::stdin().lock().lines().enumerate() {
            let wrong = |expected: &str, error: &dyn std::fmt::Display| {
                Failure::message(format!("line {}: expected {expected}: {error}", index + 1), None)
            };
            let line = line.map_err(|error| wrong("UTF-8", &error))?;
            let converted = if self.decode {
                let ids: Vec<u32> =
                    serde_json::from_str(&line).map_err(|error| wrong("a JSON array of token ids", &error))?;
                serde_json::to_string(&tokenizer.decode(&ids))
            } else {
                let text: String = serde_json::from_str(&line).map_err(|error| wrong("a JSON string", &error))?;
                serde_json::to_string(&tokenizer.encode(&text, specials))
            };
            writeln!(stdout, "{}", converted.map_err(std::io::Error::from)?)?;
        }
        stdout.flush()?;
        Ok(ExitCode::SUCCESS)
    }
}
