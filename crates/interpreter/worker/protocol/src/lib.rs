//! What host, launcher, supervisor and kernel say to each other.
//!
//! Four parties, three channels, each a Unix stream socket that carries [`Frame`]s:
//!
//! | channel | from | to | messages |
//! |---|---|---|---|
//! | control | host | launcher, then the warm Python | [`Launch`], [`Fork`], [`Warm`] |
//! | session | host | supervisor | [`Request`], [`Event`] |
//! | cell | supervisor | kernel | [`ToKernel`], [`FromKernel`] |
//!
//! Every reader takes what it reads for hostile: lengths are bounded before anything is allocated, and
//! each message is decoded into the one type that fits the channel. Nothing is ever forwarded unread.

#![forbid(unsafe_code)]

mod cell;
mod control;
mod frame;
mod session;

pub use cell::{Checkpoint, FromKernel, Outcome, ToKernel};
pub use control::{Fork, Launch, ModuleImport, PythonFacts, Supervise, Tier, Warm, WarmReport};
pub use frame::{Decoder, Frame, FrameError, MAX_BYTES, MAX_JSON, bytes, json, parse};
pub use session::{
    Bundle, CellError, Completion, Event, Limits, Network, NewFile, Printed, Request, SelfTest, State, Status, Stream,
    Verdict, weight,
};

/// The version of all three channels; both ends of each are built together, so another one is an error.
pub const VERSION: u32 = 3;
