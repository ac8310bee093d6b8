//! The harness as a user of the crate sees it.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may end with a panic")]

mod bfcl;
mod browser;
mod code_interpreter;
mod damaged;
mod forms;
mod judge;
mod killed;
mod log;
mod own_data;
mod report;
mod support;
mod tool_selection;
mod upstream;
