//! The code-interpreter exam of the report (Tables 7 and 8): does a model write Python that runs, and that
//! does what it should?
//!
//! Code runs in the sandbox of `qianshou-interpreter`, never in this process. Each cell is recorded with how it
//! ended and with what its figures show, taken from the figure objects inside the session: everything that is
//! scored stands in the log, and nothing is run again to score it.

mod figure;
mod judge;
mod notebook;
pub mod numbers;
pub mod official;
mod one_tool;
pub mod own;
mod sample;
mod scorer;
mod solver;

use std::sync::Arc;

pub use self::figure::{ExpectedFigure, FigureFacts, FigureKind};
pub use self::judge::{Judge, Judgement, VisionJudge};
pub use self::notebook::{CellClass, CellFacts};
pub use self::sample::{Answer, Category, CodeSample, Rounds};
pub use self::scorer::CodeInterpreterScorer;
pub use self::solver::CodeInterpreterSolver;
use crate::{DataFile, SolverSettings, Task};
use qianshou_interpreter::Interpreter;

/// The name of the task.
pub const NAME: &str = "code-interpreter";

/// The task over these samples. Without a judge, plots are judged by what their figures show alone. The official
/// exam holds no model to a grammar, and neither does this over its samples.
pub fn task(
    samples: Vec<CodeSample>,
    data: Vec<DataFile>,
    settings: SolverSettings,
    interpreter: Interpreter,
    judge: Option<Arc<dyn Judge>>,
) -> Task<CodeSample> {
    let is_official = samples.iter().any(|sample| sample.rounds.executions.is_some());
    let settings = SolverSettings { constrained: settings.constrained && !is_official, ..settings };
    Task {
        name: NAME,
        version: 1,
        data,
        samples: samples.into(),
        solver: Arc::new(CodeInterpreterSolver::new(settings, interpreter)),
        scorer: Arc::new(CodeInterpreterScorer::new(judge)),
    }
}
