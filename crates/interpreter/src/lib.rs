//! Python sessions in a sandbox.
//!
//! ```no_run
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use qianshou_interpreter::Interpreter;
//!
//! let interpreter = Interpreter::builder().build().await?;
//! let mut session = interpreter.session().await?;
//! session.execute("import math\nr = 2").await?;
//! let cell = session.execute("print('area'); math.pi * r ** 2").await?;
//! assert_eq!(cell.stdout, "area\n");
//! assert_eq!(cell.value_text(), Some("12.566370614359172"));
//! # Ok(())
//! # }
//! ```
//!
//! An [`Interpreter`] is a warm Python: the user's own, with what people use already imported. A
//! [`Session`] is a fork of it, locked in, that runs cells like a notebook and keeps their variables. A
//! [`Cell`] is what came of one. A cell that hangs, floods, eats memory or kills its process is
//! stopped, and the session goes on from the state before it.
//!
//! Code is hostile here, and the language cannot hold it: the operating system does. What is in force on
//! this machine is tried out from inside before the first session, and [`IsolationReport`] tells;
//! [`Isolation::Required`], the default, refuses to run with less than files, network, processes and
//! system calls shut off. The guide `docs/sandbox.md` has the layers, and the attacks that they are
//! tested with.

#![forbid(unsafe_code)]

mod builder;
mod cell;
mod conversation;
mod environment;
mod error;
#[cfg(sandboxed)]
mod groups;
mod interpreter;
mod isolation;
#[cfg(sandboxed)]
mod launcher;
#[cfg(not(sandboxed))]
#[path = "launcher_unsupported.rs"]
mod launcher;
#[cfg(sandboxed)]
mod payload;
mod python;
mod session;
mod streaming;
#[cfg(sandboxed)]
mod targets;
mod text;
#[cfg(sandboxed)]
mod verdicts;

pub use builder::InterpreterBuilder;
pub use cell::{Cell, Image};
#[doc(hidden)]
pub use conversation::decode_events;
pub use environment::{EnvironmentError, EnvironmentProgress, make_environment, managed_environment};
pub use error::{ExecuteError, InterpreterError, Refusal};
pub use interpreter::Interpreter;
pub use isolation::{Isolation, IsolationReport, Layer, LayerState};
pub use python::PythonError;
pub use qianshou_interpreter_protocol::{
    Bundle, CellError, ModuleImport, Network, NewFile, PythonFacts, State, Status, Stream, Tier, Verdict, WarmReport,
};
pub use session::Session;
pub use streaming::Output;
