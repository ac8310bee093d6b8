#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
//! Protocols and whole runs, with scripted models.

mod approval;
mod chat;
mod common;
mod constraint;
mod context;
mod native;
mod official_parser;
mod prefix;
mod reader;
mod render;
mod runs;
mod transcript;
