//! Where official data are, and whether a file is what it should be.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use qianshou::bench::tool_selection::official;
use qianshou::bench::{bfcl, code_interpreter, sha256};

use crate::cli::failure::Failure;

/// Tell where the official data are, and check files that you have.
#[derive(Debug, Args)]
pub(in crate::cli) struct Fetch {
    /// Files to check.
    files: Vec<PathBuf>,
}

/// What the official exams are made of. None of it is ours to give away.
const OFFICIAL: &str = "\
tool selection    exam_plugin_v1_react_positive.jsonl, exam_plugin_v1_react_negative.jsonl (version 20230803),
                  exam_plugin_v20231206_react_positive.jsonl, …_negative.jsonl (version 20231206):
                  see `eval/EVALUATION.md` of the repository QwenLM/Qwen
                  qwen.tiktoken, for the score of tool inputs: it comes with the checkpoints of the first Qwen
code interpreter  eval_code_interpreter_v1.jsonl with its folder of upload files:
                  see `benchmark/code_interpreter/README.md` of the repository QwenLM/Qwen-Agent
                  GSM8K's test set, for mathematics: see the repository openai/grade-school-math
bfcl              fetched by `qianshou bench bfcl` itself, from the Python package bfcl-eval
";

/// Files whose content is known. The exams were published without hashes.
const KNOWN: [(&str, &str); 2] = [
    ("qwen.tiktoken", "b2b1b8dfb5cc5f024bafc373121c6aba3f66f9a5a0269e243470a1de16a33186"),
    (bfcl::WHEEL, bfcl::WHEEL_SHA256),
];

impl Fetch {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let mut stdout = anstream::stdout();
        if self.files.is_empty() {
            write!(stdout, "{OFFICIAL}")?;
        }
        let mut faults = 0;
        for path in &self.files {
            let found = std::fs::read(path);
            let found = found.map_err(|error| Failure::message(format!("{}: {error}", path.display()), None))?;
            let hash = sha256(&found);
            let known = KNOWN.iter().find(|(name, _)| path.file_name().is_some_and(|file| file == *name));
            let compared = match known {
                Some((_, expected)) if hash == *expected => Ok("as published".to_owned()),
                Some((_, expected)) => Err(format!("not as published, which is {expected}")),
                None => Ok("no published hash to compare with".to_owned()),
            };
            let said = compared.and_then(|compared| match content(path) {
                Some(content) => Ok(format!("{compared}; {}", content?)),
                None => Ok(compared),
            });
            faults += usize::from(said.is_err());
            writeln!(stdout, "{hash}  {}: {}", path.display(), said.unwrap_or_else(|fault| fault))?;
        }
        match faults {
            0 => Ok(ExitCode::SUCCESS),
            _ => Err(Failure::message(format!("{faults} of {} files cannot be used", self.files.len()), None)),
        }
    }
}

/// What a file of an exam holds, by its name; or what is wrong with it.
fn content(path: &Path) -> Option<Result<String, String>> {
    let name = path.file_name()?.to_str()?;
    let count = if name.starts_with("exam_plugin_") {
        let holds = match () {
            () if name.ends_with("_positive.jsonl") => official::Holds::Positive,
            () if name.ends_with("_negative.jsonl") => official::Holds::Negative,
            () => official::Holds::Both,
        };
        official::read(path, holds).map(|(samples, _)| samples.len())
    } else if name.starts_with("eval_code_interpreter_") {
        code_interpreter::official::read(path, &path.with_file_name("upload_file")).map(|(samples, _)| samples.len())
    } else {
        return None;
    };
    Some(count.map(|count| format!("{count} samples")).map_err(|error| error.to_string()))
}
