#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
//! Protocols and whole runs, with scripted models.

mod common;
mod native;
mod official_parser;
mod reader;
mod render;
mod runs;
