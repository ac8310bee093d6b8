//! The program around Python, in two roles: it launches the warm Python, and it supervises a session.

#![cfg(target_os = "linux")]

mod cell;
mod checkpoints;
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
    let mut arguments = std::env::args().skip(1);
    let result = match (arguments.next(), arguments.next()) {
        (Some(supervise), Some(kernel)) => supervisor::run(&supervise, &kernel).map(|()| ExitCode::SUCCESS),
        _ => launch::run(),
    };
    result.unwrap_or_else(|error| {
        // The host reads standard error, and shows it when the launcher ends too early.
        drop(std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("{error}\n")));
        ExitCode::FAILURE
    })
}
