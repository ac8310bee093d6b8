//! The tools that come with Qianshou, and tools from manifests.
//!
//! | tool | what it does | by default |
//! |---|---|---|
//! | [`Calculator`] | arithmetic | yes |
//! | [`CurrentTime`] | the clock | yes |
//! | [`ReadFile`], [`ListFiles`] | look at files of the workspace | yes |
//! | [`WriteFile`] | writes files of the workspace | |
//! | [`CodeInterpreter`] | runs Python in a sandbox | |
//! | [`HttpGet`] | reads web pages of allowed hosts | |
//! | [`WebSearch`] | asks a search service | |
//! | [`ManifestTool`] | calls the service that a manifest describes | |
//!
//! ```
//! use qianshou_agent::AnyTool;
//!
//! let names: Vec<_> = qianshou_tools::default_tools().iter().map(|tool| tool.spec().name).collect();
//! assert_eq!(names, ["calculator", "current_time", "read_file", "list_files"]);
//! ```

#![forbid(unsafe_code)]

mod blocking;
mod calculator;
mod code_interpreter;
mod current_time;
mod defaults;
mod http_get;
mod list_files;
mod manifest;
mod number;
mod read_file;
mod web;
mod web_search;
mod workspace;
mod write_file;

pub use calculator::{Calculator, CalculatorArgs};
pub use code_interpreter::CodeInterpreter;
pub use current_time::{CurrentTime, CurrentTimeArgs};
pub use defaults::default_tools;
pub use http_get::{HttpGet, HttpGetArgs};
pub use list_files::{ListFiles, ListFilesArgs};
pub use manifest::{ManifestError, ManifestFault, ManifestTool, read_manifests};
pub use read_file::{ReadFile, ReadFileArgs};
pub use web::HostError;
pub use web_search::{WebSearch, WebSearchArgs};
pub use write_file::{WriteFile, WriteFileArgs};
