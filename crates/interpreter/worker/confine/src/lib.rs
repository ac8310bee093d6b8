//! The layers that lock a session in, each a module, and the order in which they go on.
//!
//! [`outer`] is for the warm Python, which runs no user code: its own file system, read-only, and its own
//! process, network and IPC namespaces. [`session`] is for one session, inside the outer one: namespaces
//! again, a workspace in memory, no capabilities. [`kernel`] goes on last, in the process that will run
//! hostile code: limits, Landlock, seccomp.

#![cfg(target_os = "linux")]

pub mod borrow;
mod capabilities;
mod failure;
mod identity;
pub mod kernel;
mod landlock;
mod limits;
mod mount;
pub mod outer;
mod seccomp;
pub mod session;
pub mod system;

pub use failure::{Failure, Step};
pub use identity::INNER_ID;
