//! What the harness takes a sample with a model that answers at once, log on the disk included; what a sample's
//! record alone takes on the same disk when it is waited for; and how fast replies are scored by the official rules.
//!
//! `cargo run --release -p qianshou-bench --example harness_speed -- qwen.tiktoken` prints one JSON object; logs are
//! written below the current folder. `benchmarks/speed/scorer.py` puts the official script's speed beside it.

#![expect(clippy::print_stdout, reason = "an example prints")]

use std::error::Error;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use qianshou_bench::tool_selection::{Pieces, task, upstream};
use qianshou_bench::{LOG_NAME, RunOptions, SolverSettings, embedded, run};
use qianshou_chat::{
    Capabilities, ChatError, ChatEvent, ChatModel, ChatRequest, ChatStream, Delta, End, FinishReason, ModelInfo, Usage,
};
use serde_json::{Value, json};

/// Answers every question at once.
struct Quiet;

#[async_trait]
impl ChatModel for Quiet {
    fn info(&self) -> ModelInfo {
        let capabilities = Capabilities { continue_last: true, ..Capabilities::default() };
        ModelInfo { name: "quiet".to_owned(), context_window: None, capabilities }
    }

    async fn stream(&self, _: ChatRequest) -> Result<ChatStream, ChatError> {
        let text = "Thought: I need no tool.\nFinal Answer: I do not know.".to_owned();
        let end = End { finish: FinishReason::EndOfTurn, usage: Usage::default() };
        let events = [ChatEvent::Delta(Delta { text, ids: Vec::new() }), ChatEvent::End(end)];
        Ok(Box::pin(futures_util::stream::iter(events.map(Ok))))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let (samples, data) = embedded::tool_selection()?;
    let task = task(samples, data, SolverSettings::default(), None);
    let (mut milliseconds, mut record) = (Vec::new(), Vec::new());
    for concurrency in [1, 8] {
        let folder = tempfile::tempdir_in(".")?;
        let options = RunOptions { epochs: 5, concurrency, ..RunOptions::default() };
        let begun = Instant::now();
        let outcome = run(&task, Arc::new(Quiet), folder.path(), &options, &|_| {}).await?;
        milliseconds.push(begun.elapsed().as_secs_f64() * 1000.0 / outcome.done as f64);
        record = std::fs::read(folder.path().join(LOG_NAME))?;
        record.truncate(record.len() / outcome.done);
    }
    let mut figures = json!({
        "milliseconds_a_sample": milliseconds[0],
        "milliseconds_a_sample_at_8": milliseconds[1],
        "bytes_a_record": record.len(),
        "milliseconds_a_record_synchronised": synchronised(&record)?,
    });
    if let Some(vocabulary) = std::env::args_os().nth(1) {
        let pieces = Pieces::from_file(vocabulary)?;
        let rows: Vec<Value> = include_str!("../tests/goldens/scoring/plugin.jsonl")
            .lines()
            .map(serde_json::from_str)
            .collect::<Result<_, _>>()?;
        let replies: Vec<_> =
            rows.iter().filter_map(|row| Some((row.pointer("/gen/0")?.as_str()?, row["response"].as_str()?))).collect();
        let bytes: usize = replies.iter().map(|(reply, golden)| reply.len() + golden.len()).sum();
        let (begun, mut rounds, mut sum) = (Instant::now(), 0, 0.0);
        while begun.elapsed().as_secs_f64() < 3.0 {
            for (reply, golden) in &replies {
                sum += f64::from(u8::from(upstream::selects_the_same(reply, golden)))
                    + upstream::input_likeness(reply, golden, &pieces);
            }
            rounds += 1;
        }
        figures["scorer_megabytes_a_second"] = json!((bytes * rounds) as f64 / 1e6 / begun.elapsed().as_secs_f64());
        figures["sum_of_scores_a_round"] = json!(sum / f64::from(u32::try_from(rounds)?));
    }
    println!("{figures}");
    Ok(())
}

/// Milliseconds that it takes to write a record and wait until it is on the disk.
fn synchronised(record: &[u8]) -> std::io::Result<f64> {
    const RECORDS: u32 = 100;
    let mut file = tempfile::tempfile_in(".")?;
    let begun = Instant::now();
    for _ in 0..RECORDS {
        file.write_all(record)?;
        file.sync_data()?;
    }
    Ok(begun.elapsed().as_secs_f64() * 1000.0 / f64::from(RECORDS))
}
