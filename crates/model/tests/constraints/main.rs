//! Constrained replies: what a model writes under a constraint satisfies it.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod base;
mod engines;
mod grammars;
mod patterns;
mod react;
mod refusals;
mod replies;
mod schemas;
