//! The tools that come with Qianshou.
//!
//! ```
//! use qianshou_agent::AnyTool;
//!
//! let names: Vec<_> = qianshou_tools::default_tools().iter().map(|tool| tool.spec().name).collect();
//! assert_eq!(names, ["calculator", "current_time"]);
//! ```

#![forbid(unsafe_code)]

mod calculator;
mod code_interpreter;
mod current_time;
mod defaults;
mod list_files;
mod number;
mod read_file;
mod workspace;
mod write_file;

pub use calculator::{Calculator, CalculatorArgs};
pub use code_interpreter::CodeInterpreter;
pub use current_time::{CurrentTime, CurrentTimeArgs};
pub use defaults::default_tools;
pub use list_files::{ListFiles, ListFilesArgs};
pub use read_file::{ReadFile, ReadFileArgs};
pub use write_file::{WriteFile, WriteFileArgs};
