//! The data: episodes made of authored sources, with the built-in tools at work.
//!
//! Sources are files that people write and read (`data/README.md`); nothing that a model is shown is composed in
//! code. Every episode is acted by the agent itself, with a model that reads from a script, so that prompts,
//! observations and errors are those of a real run.

mod act;
mod arithmetic;
mod authored;
mod builtin;
mod exam;
mod filter;
mod generate;
mod sources;
mod split;
mod style;
mod template;
mod tools;
mod vary;

pub(crate) use self::act::workspace;
pub use self::exam::{Overlap, exam_overlaps};
pub(crate) use self::filter::Filter;
pub use self::generate::{Plan, generate};
pub use self::sources::{
    Also, AuthoredTool, Beyond, FileTask, NoTool, Parameter as ToolParameter, Problem, PythonTask, Sources, Told,
};
pub use self::split::{Split, Splits, prove_disjoint};
pub use self::tools::Rehearsed;
