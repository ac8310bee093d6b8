//! The program around Python, in two roles: it launches the warm Python, and it supervises a session.

#![cfg(target_os = "linux")]

mod cell;
mod files;
mod kernel;
mod launch;
mod link;
mod memory;
mod output;
mod processes;
mod request;
mod supervisor;

use std::process::ExitCode;

/// The error of either role; only ever printed.
type Failed = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let result = match std::env::args().nth(1) {
        None => launch::run(),
        Some(supervise) => supervisor::run(&supervise).map(|()| ExitCode::SUCCESS),
    };
    result.unwrap_or_else(|error| {
        // The host reads standard error, and shows it when the launcher ends too early.
        drop(std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("{error}\n")));
        ExitCode::FAILURE
    })
}
