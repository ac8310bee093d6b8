//! Data of a benchmark, in whatever format, are refused with the file's name, or are samples.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use qianshou_bench::{DataError, Sample, bfcl, code_interpreter, tool_selection};

const TOOL: &str = r#"{"name": "weather", "name_for_human": "Weather", "description": "Forecast.", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}"#;

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("BFCL_v4_irrelevance.json");
    std::fs::write(&path, bytes).expect("a file in it");
    let name = Path::new("BFCL_v4_irrelevance.json");
    let tool = (Path::new("tools.jsonl"), TOOL.as_bytes());
    use_samples(tool_selection::own::read(tool, (name, bytes)).map(|read| read.0));
    use_samples(tool_selection::official::read(&path, tool_selection::official::Holds::Both).map(|read| read.0));
    use_samples(code_interpreter::own::read((name, bytes), |_| None).map(|read| read.0));
    use_samples(code_interpreter::official::read(&path, folder.path()).map(|read| read.0));
    use_samples(code_interpreter::official::read_gsm8k(&path).map(|read| read.0));
    use_samples(bfcl::read(folder.path(), &["irrelevance"]).map(|read| read.0));
});

fn use_samples<S: Sample>(read: Result<Vec<S>, DataError>) {
    match read {
        Ok(samples) => samples.iter().for_each(|sample| drop(sample.expected())),
        Err(error) => assert!(error.to_string().contains("BFCL_v4_irrelevance.json"), "{error}"),
    }
}
