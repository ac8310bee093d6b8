//! The Berkeley function-calling leaderboard, its single-turn categories in Python's terms.
//!
//! The data come from the Apache-2.0 Python package `bfcl-eval` ([`fetch`]); a prediction has the verdict and
//! the error type that the package's own checker gives it ([`check`]), without evaluating anything that a
//! model wrote. Of the package's categories, `simple_java` and `simple_javascript` are not here: their
//! arguments are source code of those languages.

pub mod check;
mod data;
mod fetch;
mod scorer;
mod solver;
mod value;

use std::sync::Arc;

pub use self::data::{BfclSample, CATEGORIES, read};
pub use self::fetch::{FetchError, PACKAGE_VERSION, WHEEL, WHEEL_SHA256, fetch};
pub use self::scorer::BfclScorer;
pub use self::solver::BfclSolver;
use crate::{DataFile, SolverSettings, Task};

/// The name of the task.
pub const NAME: &str = "bfcl";

/// The task over these samples.
pub fn task(samples: Vec<BfclSample>, data: Vec<DataFile>, settings: SolverSettings) -> Task<BfclSample> {
    Task {
        name: NAME,
        version: 1,
        data,
        samples: samples.into(),
        solver: Arc::new(BfclSolver::new(settings)),
        scorer: Arc::new(BfclScorer),
    }
}
