//! The remote model against a server on the loopback, whose answers are written down byte for byte.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod calls;
mod endpoints;
mod faults;
mod keys;
mod properties;
mod replies;
mod requests;
mod retries;
mod server;
mod specs;
