//! Chores of this repository: `cargo xtask test` and `cargo xtask bench`.
//!
//! Each command first makes what it needs inside the target folder and then runs one program. What
//! it may not install, it says how to install.

#![expect(clippy::print_stderr, reason = "a program for a terminal says on stderr what it does")]

mod base;
mod bench;
mod cargo;
mod folders;
mod process;
mod python;
mod test;
mod vocabulary;
mod vulkan;

use std::{env, process::ExitCode};

const USAGE: &str = "\
usage: cargo xtask test [--all] [ARGUMENTS]   make what the tests need, then run them
       cargo xtask bench [ARGUMENTS]          compare our speed with that of others

test:  --all also runs the tests that are ignored by default; ARGUMENTS go to `cargo test`
bench: ARGUMENTS go to benchmarks/speed/run.py (`--rounds 3`, `--peer-only`, `--json FILE`, …); after
       `tokenizer` and `interpreter` to those scripts there, after `agent` to the program in agent/";

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let command = arguments.next();
    let rest: Vec<String> = arguments.collect();
    let outcome = match command.as_deref() {
        Some("test") => test::run(rest),
        Some("bench") => bench::run(&rest),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
