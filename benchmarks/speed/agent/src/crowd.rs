//! Many agents at once: how long they take, and how much memory.
//!
//! Each agent is built for its one run. Before their last step they wait for each other, so that at that
//! moment all are there with all that they have been through. A crowd has a process of its own, whose peak
//! memory the system counts.

use std::env;
use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use clap::ValueEnum as _;
use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::subject::Subject;

/// How many steps each of them takes.
pub(crate) const STEPS: usize = 8;

/// What came of it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Crowd {
    pub(crate) seconds: f64,
    pub(crate) peak_bytes: f64,
}

/// Has another process measure it.
pub(crate) fn measure(subject: Subject, agents: usize) -> Result<Crowd> {
    let name = subject.to_possible_value().context("every subject has a name")?;
    let mut command = Command::new(env::current_exe()?);
    let output = command.args(["crowd", name.get_name(), &agents.to_string()]).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Measures it here.
pub(crate) fn gather(subject: Subject, agents: usize) -> Result<Crowd> {
    let meeting = Arc::new(Barrier::new(agents));
    let start = Instant::now();
    Runtime::new()?.block_on(async {
        let mut runs = JoinSet::new();
        for _ in 0..agents {
            let meeting = Arc::clone(&meeting);
            runs.spawn(async move { subject.agent(STEPS, Some(meeting))?.run().await });
        }
        runs.join_all().await.into_iter().collect::<Result<()>>()
    })?;
    Ok(Crowd { seconds: start.elapsed().as_secs_f64(), peak_bytes: peak_memory()? })
}

/// The largest resident size of this process until now, in bytes.
fn peak_memory() -> Result<f64> {
    let status = fs::read_to_string("/proc/self/status").context("memory is measured on Linux only")?;
    let kibibytes = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    Ok(kibibytes.context("/proc/self/status has no VmHWM")?.parse::<f64>()? * 1024.0)
}
