//! Times sessions, for `benchmarks/speed/interpreter.py`.
//!
//! ```sh
//! cargo run --release -p qianshou-interpreter --example timing -- 50
//! ```
//!
//! Prints one JSON object: lists of milliseconds, one for each round, and of bytes.

#![expect(clippy::print_stdout, reason = "it prints what it measured")]

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::time::{Duration, Instant};

use qianshou_interpreter::{Interpreter, Session, State};

/// Warm cells a round; their mean is what the round counts.
const CELLS: u32 = 20;

/// The same, of cells with a pause before each.
const RESTED_CELLS: u32 = 10;

/// Between two cells of somebody who thinks in between; the session then makes its copy of the state meanwhile.
const PAUSE: Duration = Duration::from_millis(50);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let rounds = std::env::args().nth(1).map_or(Ok(50), |rounds| rounds.parse())?;
    let begin = Instant::now();
    let interpreter = Interpreter::builder().build().await?;
    let warm_up = milliseconds(begin);
    let (mut first, mut warm, mut rested, mut restored, mut memory) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let without = proportional();
        let begin = Instant::now();
        let session = interpreter.session().await?;
        session.execute("1 + 1").await?;
        first.push(milliseconds(begin));

        tokio::time::sleep(PAUSE).await;
        memory.push(proportional().saturating_sub(without));
        let mut spent = 0.0;
        for _ in 0..RESTED_CELLS {
            tokio::time::sleep(PAUSE).await;
            let begin = Instant::now();
            session.execute("1 + 1").await?;
            spent += milliseconds(begin);
        }
        rested.push(spent / f64::from(RESTED_CELLS));

        let begin = Instant::now();
        for _ in 0..CELLS {
            session.execute("1 + 1").await?;
        }
        warm.push(milliseconds(begin) / f64::from(CELLS));

        session.execute("x = 'kept'").await?;
        restored.push(crash(&session).await?);
        session.close().await;
    }
    let python = interpreter.python();
    let report = serde_json::json!({
        "python": python.python.version,
        "imported": python.imported.iter().map(|module| &module.name).collect::<Vec<_>>(),
        "warm_up": warm_up,
        "first_result": first,
        "warm_cell": warm,
        "rested_cell": rested,
        "crash_to_restored": restored,
        "session_bytes": memory,
    });
    println!("{report}");
    Ok(())
}

/// From a cell that kills its process to the answer of the next one, which sees the state before.
async fn crash(session: &Session) -> Result<f64, Box<dyn Error>> {
    let begin = Instant::now();
    let cell = session.execute("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)").await?;
    let next = session.execute("x").await?;
    if cell.state != State::Restored || next.value_text() != Some("'kept'") {
        return Err(format!("not restored: {cell:?}, then {next:?}").into());
    }
    Ok(milliseconds(begin))
}

/// The proportional set size of all descendants of this process that it may look into, in bytes.
fn proportional() -> u64 {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let parents: BTreeMap<u32, u32> = numbers
        .filter_map(|process| {
            let line = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
            Some((process, line.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()?))
        })
        .collect();
    let is_ours = |process: &u32| {
        std::iter::successors(Some(*process), |process| parents.get(process).copied())
            .any(|process| process == std::process::id())
    };
    let sizes = parents.keys().filter(|process| is_ours(process)).filter_map(|process| {
        let text = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).ok()?;
        text.lines().find_map(|line| line.strip_prefix("Pss:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok())
    });
    sizes.sum::<u64>() * 1024
}

fn milliseconds(begin: Instant) -> f64 {
    begin.elapsed().as_secs_f64() * 1e3
}
