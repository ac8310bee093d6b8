//! A log of a benchmark is refused, or its table and its page can be made.
//!
//! The input is the header's line and the contents of samples, a line each. Their checksums are added here: no
//! fuzzer would guess one.

#![no_main]

use libfuzzer_sys::fuzz_target;
use qianshou_bench::report::{Summary, compare, html, published, table};
use qianshou_bench::{LOG_NAME, Log, sha256};

fuzz_target!(|text: &str| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join(LOG_NAME);
    std::fs::write(&path, text.lines().enumerate().map(line).collect::<String>()).expect("a file in it");
    if let Ok(log) = Log::read(&path) {
        table(&Summary::of(&log), &published(&log.header.task));
        html(&log);
        let _ = compare(&log, &log);
    }
});

fn line((index, content): (usize, &str)) -> String {
    if index == 0 {
        return format!("{content}\n");
    }
    let checksum = &sha256(content.as_bytes())[..16];
    format!("{{\"record\":\"sample\",\"version\":1,\"checksum\":\"{checksum}\",\"sample\":{content}}}\n")
}
