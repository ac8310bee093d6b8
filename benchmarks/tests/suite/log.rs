//! Runs that are interrupted, go on, are shared out and merged.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;
use qianshou_bench::tool_selection::{self, ToolSample, task};
use qianshou_bench::{BenchError, Log, LogError, RunOptions, SampleRecord, SolverSettings, Task, merge, run};
use qianshou_chat::{ChatError, ChatErrorKind, ChatModel};

use crate::support::{Instant, samples, weather, weather_model};

fn towns(count: usize) -> Task<ToolSample> {
    let lines: Vec<_> = (0..count).map(|index| weather(&format!("s{index}"), &format!("Town {index}"))).collect();
    task(samples(&lines), Vec::new(), SolverSettings::default(), None)
}

fn run_with(
    task: &Task<ToolSample>,
    model: Arc<dyn ChatModel>,
    out: &Path,
    options: &RunOptions,
) -> Result<usize, BenchError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let outcome = runtime.block_on(run(task, model, out, options, &|_| {}))?;
    assert_eq!(outcome.faults.len(), outcome.total - outcome.done);
    Ok(outcome.done)
}

/// The records without times, in the order of the task.
pub(crate) fn timeless(log: &Log) -> Vec<SampleRecord> {
    let mut samples = log.samples.clone();
    samples.iter_mut().for_each(|record| (record.at, record.milliseconds) = (0, 0));
    let mut samples: Vec<_> = samples.into_iter().map(without_times).collect();
    samples.sort_by_key(|record| (record.epoch, record.index));
    samples
}

fn without_times(mut record: SampleRecord) -> SampleRecord {
    if let qianshou_bench::Solution::Run(run) = &mut record.solution {
        run.at = None;
        run.records.iter_mut().for_each(|timed| timed.at = None);
    }
    record
}

#[test]
fn a_second_run_does_what_is_left() {
    let (task, folder) = (towns(9), tempfile::tempdir().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let model = || {
        let asked = asked.clone();
        Instant::model(move |_| {
            asked.fetch_add(1, Ordering::Relaxed);
            Ok("Final Answer: I do not know.".to_owned())
        })
    };
    let few = RunOptions { limit: Some(4), ..RunOptions::default() };
    assert_eq!(run_with(&task, model(), folder.path(), &few).unwrap(), 4);
    let all = RunOptions { epochs: 2, concurrency: 3, ..RunOptions::default() };
    assert_eq!(run_with(&task, model(), folder.path(), &all).unwrap(), 18);
    assert_eq!(run_with(&task, model(), folder.path(), &all).unwrap(), 18);
    assert_eq!(asked.load(Ordering::Relaxed), 18);
}

#[test]
fn shards_merged_are_the_whole() {
    let (task, folder) = (towns(10), tempfile::tempdir().unwrap());
    let whole = folder.path().join("whole");
    run_with(&task, weather_model(), &whole, &RunOptions::default()).unwrap();
    let shards: Vec<PathBuf> = (1..=3)
        .map(|number| {
            let out = folder.path().join(number.to_string());
            let shard = format!("{number}/3").parse().unwrap();
            run_with(&task, weather_model(), &out, &RunOptions { shard, ..RunOptions::default() }).unwrap();
            out
        })
        .collect();
    let merged = merge(&shards, &folder.path().join("merged/log.jsonl")).unwrap();
    assert_eq!(timeless(&merged), timeless(&Log::read(&whole).unwrap()));
}

#[test]
fn another_run_s_log_is_refused() {
    let (task, folder) = (towns(3), tempfile::tempdir().unwrap());
    run_with(&task, weather_model(), folder.path(), &RunOptions::default()).unwrap();
    let before = fs::read(folder.path().join("log.jsonl")).unwrap();
    let other = RunOptions { provenance: [("weights".to_owned(), "ab".to_owned())].into(), ..RunOptions::default() };
    let error = run_with(&task, weather_model(), folder.path(), &other).unwrap_err();
    assert!(matches!(&error, BenchError::Log(LogError::OtherRun { field: "provenance", .. })), "{error}");
    let error = run_with(&towns(4), weather_model(), folder.path(), &RunOptions::default()).unwrap_err();
    assert!(error.to_string().contains("`samples` is 3 there and 4 here"), "{error}");
    assert_eq!(fs::read(folder.path().join("log.jsonl")).unwrap(), before);
}

#[test]
fn a_changed_record_is_named() {
    let (task, folder) = (towns(3), tempfile::tempdir().unwrap());
    run_with(&task, weather_model(), folder.path(), &RunOptions::default()).unwrap();
    let path = folder.path().join("log.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("Town 1", "Town 9")).unwrap();
    let error = Log::read(&path).unwrap_err();
    assert!(matches!(error, LogError::Checksum { line: 3, .. }), "{error}");
    fs::write(&path, text.replacen("\"version\":1", "\"version\":7", 1)).unwrap();
    assert!(matches!(Log::read(&path), Err(LogError::Version { line: 1, found: 7, .. })));
}

#[test]
fn faults_of_the_surroundings_are_tried_again() {
    let (task, folder) = (towns(2), tempfile::tempdir().unwrap());
    let calls = AtomicUsize::new(0);
    let model = Instant::model(move |_| match calls.fetch_add(1, Ordering::Relaxed) {
        0 | 1 => Err(ChatError::new(ChatErrorKind::Unavailable, "the server is busy")),
        _ => Ok("Final Answer: no".to_owned()),
    });
    assert_eq!(run_with(&task, model, folder.path(), &RunOptions::default()).unwrap(), 2);
    let faults: Vec<_> = Log::read(folder.path()).unwrap().samples.iter().map(|record| record.faults).collect();
    assert_eq!(faults, [2, 0]);
}

#[test]
fn a_fault_that_lasts_ends_the_run_and_one_that_passes_does_not() {
    let (task, folder) = (towns(3), tempfile::tempdir().unwrap());
    let of_kind = |kind| {
        Instant::model(move |asked| match asked.contains("Town 1") {
            true => Err(ChatError::new(kind, "no")),
            false => Ok("Final Answer: no".to_owned()),
        })
    };
    let done = run_with(&task, of_kind(ChatErrorKind::Unavailable), folder.path(), &RunOptions::default()).unwrap();
    assert_eq!(done, 2);
    let denied = run_with(&task, of_kind(ChatErrorKind::Denied), folder.path(), &RunOptions::default());
    assert!(matches!(denied, Err(BenchError::Lasting { sample, .. }) if sample == "s1"));
    // A request that is refused where others are answered is the sample's own.
    let refused = of_kind(ChatErrorKind::InvalidRequest);
    assert_eq!(run_with(&task, refused, folder.path(), &RunOptions::default()).unwrap(), 2);
    assert_eq!(Log::read(folder.path()).unwrap().samples.len(), 2);
    // That a prompt is too long is the model's, and has a score.
    let too_long = run_with(&task, of_kind(ChatErrorKind::ContextExceeded), folder.path(), &RunOptions::default());
    assert_eq!(too_long.unwrap(), 3);
}

#[test]
fn a_model_that_answers_nothing_ends_the_run_at_once() {
    let (task, folder) = (towns(3), tempfile::tempdir().unwrap());
    // A wrong name of the model, and a wrong address.
    for kind in [ChatErrorKind::InvalidRequest, ChatErrorKind::Unavailable] {
        let model = Instant::model(move |_| Err(ChatError::new(kind, "no such model")));
        let options = RunOptions { retries: 0, ..RunOptions::default() };
        let refused = run_with(&task, model, folder.path(), &options);
        assert!(matches!(refused, Err(BenchError::Lasting { sample, .. }) if sample == "s0"));
        assert!(Log::read(folder.path()).unwrap().samples.is_empty());
    }
}

#[test]
fn a_log_from_before_constraints_were_stated_is_one_under_them() {
    let (task, folder) = (towns(3), tempfile::tempdir().unwrap());
    let few = RunOptions { limit: Some(1), ..RunOptions::default() };
    run_with(&task, weather_model(), folder.path(), &few).unwrap();
    let path = folder.path().join("log.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    let older = text.replacen(",\"constrained\":true", "", 1);
    assert_ne!(older, text);
    fs::write(&path, older).unwrap();

    let settings = SolverSettings { constrained: false, ..SolverSettings::default() };
    let unconstrained = tool_selection::task(task.samples.to_vec(), Vec::new(), settings, None);
    let error = run_with(&unconstrained, weather_model(), folder.path(), &RunOptions::default()).unwrap_err();
    assert!(matches!(&error, BenchError::Log(LogError::OtherRun { field: "solver", .. })), "{error}");
    assert_eq!(run_with(&task, weather_model(), folder.path(), &RunOptions::default()).unwrap(), 3);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn a_log_cut_anywhere_is_gone_on_with(cut in 0.0..1.0_f64) {
        let (task, folder) = (towns(5), tempfile::tempdir().unwrap());
        let options = RunOptions { concurrency: 2, ..RunOptions::default() };
        run_with(&task, weather_model(), folder.path(), &options).unwrap();
        let whole = Log::read(folder.path()).unwrap();
        let path = folder.path().join("log.jsonl");
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..(bytes.len() as f64 * cut) as usize]).unwrap();
        run_with(&task, weather_model(), folder.path(), &options).unwrap();
        prop_assert_eq!(timeless(&Log::read(&path).unwrap()), timeless(&whole));
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), after in any::<bool>()) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.jsonl");
        let begun = if after { b"{\"record\":\"sample\",\"version\":1,\"checksum\":\"0123456789abcdef\",\"sample\":".to_vec() } else { Vec::new() };
        fs::write(&path, [begun, bytes].concat()).unwrap();
        prop_assert!(Log::read(&path).is_err());
    }
}
