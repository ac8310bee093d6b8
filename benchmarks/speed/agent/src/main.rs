//! What our agent adds to a model and its tools, beside rig.
//!
//! cargo xtask bench agent

mod crowd;
mod ours;
mod peer;
mod reader;
mod report;
mod script;
mod steps;
mod subject;

use std::fs;
use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::report::Report;
use crate::subject::Subject;

const KIBIBYTE: f64 = 1024.0;
const MEBIBYTE: f64 = 1024.0 * KIBIBYTE;

/// Measures what our agent adds to a model and its tools, beside rig.
#[derive(Parser)]
struct Arguments {
    /// How often everything is measured.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Writes the values of all rounds to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Task>,
}

#[derive(Subcommand)]
enum Task {
    /// Measures so many agents at once in this process; prints JSON.
    #[command(hide = true)]
    Crowd { subject: Subject, agents: usize },
}

fn main() -> Result<()> {
    let Arguments { rounds, json, command } = Arguments::parse();
    if let Some(Task::Crowd { subject, agents }) = command {
        println!("{}", serde_json::to_string(&crowd::gather(subject, agents)?)?);
        return Ok(());
    }
    let mut report = Report::default();
    // Turn by turn, so that a slower minute of the machine falls on everybody.
    for round in 1..=rounds {
        eprintln!("round {round} of {rounds}");
        measure_steps(&mut report)?;
        measure_crowds(&mut report)?;
        measure_reader(&mut report);
    }
    print!("{}", report.markdown());
    if let Some(file) = json {
        fs::write(file, format!("{:#}\n", report.json()))?;
    }
    Ok(())
}

fn measure_steps(report: &mut Report) -> Result<()> {
    let table = "µs a step";
    for count in [2, 8, 32] {
        let column = format!("{count} steps a run");
        for subject in Subject::ALL {
            report.record(table, subject.name(), &column, steps::time(subject, count)?);
        }
        let recorded = steps::time_recorded(count)?;
        report.record(table, "qianshou, ReAct, with a transcript", &column, recorded);
    }
    Ok(())
}

fn measure_crowds(report: &mut Report) -> Result<()> {
    for subject in Subject::ALL {
        let mut record =
            |column: &str, value| report.record("agents at once, of 8 steps each", subject.name(), column, value);
        let [one, hundred, thousand] = [1, 100, 1000].map(|agents| crowd::measure(subject, agents));
        let (one, hundred, thousand) = (one?, hundred?, thousand?);
        record("to build one: µs", steps::time_building(subject)?);
        record("1,000: ms", thousand.seconds * 1e3);
        record("1: MiB", one.peak_bytes / MEBIBYTE);
        record("100: MiB", hundred.peak_bytes / MEBIBYTE);
        record("1,000: MiB", thousand.peak_bytes / MEBIBYTE);
        record("KiB an agent, 1 to 100", (hundred.peak_bytes - one.peak_bytes) / 99.0 / KIBIBYTE);
        record("100 to 1,000", (thousand.peak_bytes - hundred.peak_bytes) / 900.0 / KIBIBYTE);
    }
    Ok(())
}

fn measure_reader(report: &mut Report) {
    for piece in [4, 64] {
        let column = format!("pieces of {piece} bytes");
        report.record("MB/s", "ReAct reader", &column, reader::megabytes_per_second(piece));
    }
}
