//! Logs and data that somebody spoilt: they are refused, with file and line, or read and shown. The same
//! properties are those of the fuzz targets, whose seeds are what is spoilt here.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use qianshou_bench::report::{Summary, compare, html, published, table};
use qianshou_bench::tool_selection::official::Holds;
use qianshou_bench::{DataError, LOG_NAME, Log, LogError, Sample, bfcl, code_interpreter, sha256, tool_selection};

use crate::support::tools;

fn seed(name: &str) -> String {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds");
    fs::read_to_string(seeds.join(name)).unwrap()
}

/// Writes a log whose header and samples say this, with the checksums that belong to it.
fn write_log<'a>(path: &Path, lines: impl IntoIterator<Item = &'a str>) {
    let line = |(index, content): (usize, &str)| {
        let checksum = &sha256(content.as_bytes())[..16];
        match index {
            0 => format!("{content}\n"),
            _ => format!("{{\"record\":\"sample\",\"version\":1,\"checksum\":\"{checksum}\",\"sample\":{content}}}\n"),
        }
    };
    fs::write(path, lines.into_iter().enumerate().map(line).collect::<String>()).unwrap();
}

fn show(log: &Log) {
    table(&Summary::of(log), &published(&log.header.task));
    html(log);
    let _ = compare(log, log);
}

/// Reads a text with the reader of the seed of this name: how many samples there are.
fn read_data(reader: &str, text: &str, folder: &Path) -> Result<usize, DataError> {
    fn count<S: Sample, Rest>((samples, _): (Vec<S>, Rest)) -> usize {
        samples.iter().for_each(|sample| drop(sample.expected()));
        samples.len()
    }
    let path = folder.join("BFCL_v4_irrelevance.json");
    fs::write(&path, text).unwrap();
    let named = (Path::new("BFCL_v4_irrelevance.json"), text.as_bytes());
    match reader {
        "tools" => tool_selection::own::read(("t.jsonl".as_ref(), tools().as_bytes()), named).map(count),
        "plugin_exam" => tool_selection::official::read(&path, Holds::Both).map(count),
        "code" => code_interpreter::own::read(named, |_| None).map(count),
        "code_exam" => code_interpreter::official::read(&path, folder).map(count),
        "gsm8k" => code_interpreter::official::read_gsm8k(&path).map(count),
        _ => bfcl::read(folder, &["irrelevance"]).map(count),
    }
}

const READERS: [(&str, usize); 6] =
    [("tools", 2), ("plugin_exam", 2), ("code", 2), ("code_exam", 2), ("gsm8k", 1), ("bfcl", 1)];

fn log_in(folder: &Path) -> PathBuf {
    folder.join(LOG_NAME)
}

#[test]
fn the_seeds_are_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = log_in(folder.path());
    write_log(&path, seed("bench_log/whole").lines());
    let log = Log::read(&path).unwrap();
    assert_eq!(log.samples.len(), 2);
    assert_eq!(log.samples[1].solution.answer(), "晴");
    show(&log);
    for (reader, samples) in READERS {
        let read = read_data(reader, &seed(&format!("bench_data/{reader}")), folder.path());
        assert_eq!(read.unwrap(), samples, "{reader}");
    }
}

proptest! {
    #[test]
    fn a_spoilt_log_is_refused_with_the_line_or_shown(
        spoilt in 0..3_usize,
        at in any::<prop::sample::Index>(),
        gone in 0..40_usize,
        instead in "[\\[\\]{}\",:a-z0-9.eE-]{0,8}",
    ) {
        let text = seed("bench_log/whole");
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        spoil(&mut lines[spoilt], at, gone, &instead);
        let folder = tempfile::tempdir().unwrap();
        let path = log_in(folder.path());
        write_log(&path, lines.iter().map(String::as_str));
        match Log::read(&path) {
            Ok(log) => show(&log),
            Err(LogError::Malformed { line, .. } | LogError::Version { line, .. }) => prop_assert_eq!(line, spoilt + 1),
            Err(error) => prop_assert!(false, "{}", error),
        }
    }

    #[test]
    fn spoilt_data_are_refused_with_their_file_or_are_samples(
        reader in 0..READERS.len(),
        at in any::<prop::sample::Index>(),
        gone in 0..40_usize,
        instead in "[\\[\\]{}\",:a-z0-9.eE-]{0,8}",
    ) {
        let reader = READERS[reader].0;
        let mut text = seed(&format!("bench_data/{reader}"));
        spoil(&mut text, at, gone, &instead);
        let folder = tempfile::tempdir().unwrap();
        if let Err(error) = read_data(reader, &text, folder.path()) {
            prop_assert!(error.to_string().contains("BFCL_v4_irrelevance.json"), "{}", error);
        }
    }
}

/// Puts something else in the place of a part.
fn spoil(text: &mut String, at: prop::sample::Index, gone: usize, instead: &str) {
    let from = text.floor_char_boundary(at.index(text.len()));
    let to = text.floor_char_boundary(from + gone);
    text.replace_range(from..to, instead);
}
