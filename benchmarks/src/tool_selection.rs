//! The tool-selection exam of the report (Table 6): does a model call the right tool, with the right input,
//! and none where none is needed?
//!
//! Two kinds of data: that of the official exam ([`official`]), whose prompts are given to the model as they
//! are, and our own ([`own`]), whose tools are offered through an agent. Each reply is scored twice:
//! [`upstream`] is the official script with all its quirks, [`strict`] reads the reply as an agent does and
//! compares calls by their schema. Where the two disagree, the verdict says so.

pub mod official;
pub mod own;
mod python_text;
mod reading;
mod rouge;
mod sample;
mod scorer;
mod solver;
pub mod strict;
pub mod upstream;

use std::sync::Arc;

pub use self::rouge::Pieces;
pub use self::sample::{ExpectedCall, ToolQuestion, ToolSample};
pub use self::scorer::ToolSelectionScorer;
pub use self::solver::ToolSelectionSolver;
use crate::{DataFile, SolverSettings, Task};

/// The name of the task.
pub const NAME: &str = "tool-selection";

/// The task over these samples. Without `pieces` (the vocabulary of Qwen) the score of tool inputs is not
/// computed.
pub fn task(
    samples: Vec<ToolSample>,
    data: Vec<DataFile>,
    settings: SolverSettings,
    pieces: Option<Arc<Pieces>>,
) -> Task<ToolSample> {
    Task {
        name: NAME,
        version: 1,
        data,
        samples: samples.into(),
        solver: Arc::new(ToolSelectionSolver::new(settings)),
        scorer: Arc::new(ToolSelectionScorer::new(pieces)),
    }
}
