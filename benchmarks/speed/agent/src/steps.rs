//! What a step costs when the model answers at once, and what an agent costs.

use std::cell::Cell;
use std::hint::black_box;
use std::time::Instant;

use anyhow::Result;
use tokio::runtime::Builder;

use crate::subject::{Subject, run_recorded};
use crate::{crowd, ours};

/// How many steps are taken for one figure.
const STEPS: usize = 2048;

const BUILDS: usize = 200;

/// µs to build an agent.
pub(crate) fn time_building(subject: Subject) -> Result<f64> {
    let start = Instant::now();
    for _ in 0..BUILDS {
        black_box(subject.agent(crowd::STEPS, None)?);
    }
    Ok(start.elapsed().as_secs_f64() * 1e6 / BUILDS as f64)
}

/// µs a step, in runs of so many steps.
pub(crate) fn time(subject: Subject, steps: usize) -> Result<f64> {
    let agent = subject.agent(steps, None)?;
    measure(steps, async || agent.run().await)
}

/// The same of our ReAct agent, with a transcript: a file for each run.
pub(crate) fn time_recorded(steps: usize) -> Result<f64> {
    let agent = ours::react(steps, None)?;
    let folder = tempfile::tempdir()?;
    let files = Cell::new(0);
    measure(steps, async || {
        files.set(files.get() + 1);
        run_recorded(&agent, &folder.path().join(format!("{}.jsonl", files.get()))).await
    })
}

/// Has runs made one after the other, on one thread.
fn measure(steps: usize, run: impl AsyncFn() -> Result<()>) -> Result<f64> {
    let runs = STEPS / steps;
    Builder::new_current_thread().enable_time().build()?.block_on(async {
        // Warms caches up.
        run().await?;
        let start = Instant::now();
        for _ in 0..runs {
            run().await?;
        }
        Ok(start.elapsed().as_secs_f64() * 1e6 / (runs * steps) as f64)
    })
}
