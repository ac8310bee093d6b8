//! Logits and greedy continuations equal those of the official code.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use qianshou_model::{CaseReport, Checkpoint, ComputeDevice, verify};

fn goldens(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens").join(name)
}

fn base() -> PathBuf {
    let path = std::env::var_os("QIANSHOU_BASE")
        .expect("QIANSHOU_BASE is not set: run `cargo xtask test`, which fetches the base model");
    PathBuf::from(path)
}

fn reports(checkpoint: &Path, expected: &Path) -> Vec<CaseReport> {
    let decoder = Checkpoint::open(checkpoint).unwrap().load(ComputeDevice::cpu(), None).unwrap();
    verify(&decoder, expected).unwrap()
}

fn assert_folder_agrees(name: &str) {
    let folder = goldens(name);
    for report in reports(&folder, &folder.join("expected.safetensors")) {
        assert!(report.passes(1e-4), "{name}: {report:?}");
        assert_eq!(report.greedy.1, 32, "{name}: {report:?}");
    }
}

#[test]
fn qwen2_with_grouped_queries_and_tied_head() {
    assert_folder_agrees("qwen2-gqa-tied");
}

#[test]
fn qwen2_with_all_heads_and_own_head() {
    assert_folder_agrees("qwen2-mha-untied");
}

#[test]
fn qwen2_with_yarn() {
    assert_folder_agrees("qwen2-yarn");
}

#[test]
fn qwen1_as_trained() {
    assert_folder_agrees("qwen1-plain");
}

#[test]
fn qwen1_with_dynamic_ntk() {
    assert_folder_agrees("qwen1-ntk");
}

#[test]
fn qwen1_with_dynamic_ntk_and_logn() {
    assert_folder_agrees("qwen1-ntk-logn");
}

#[test]
fn qwen3_with_head_norms() {
    assert_folder_agrees("qwen3-qknorm");
}

#[test]
fn smollm2_from_its_quantised_gguf() {
    let reports = reports(&base(), &goldens("smollm2").join("expected.safetensors"));
    assert_eq!(reports.len(), 6);
    for report in reports {
        assert!(report.passes(1e-3), "{report:?}");
        assert_eq!(report.greedy.1, 32, "{report:?}");
    }
}

#[test]
fn a_wrong_weight_does_not_pass() {
    let folder = tempfile::tempdir().unwrap();
    for file in ["config.json", "model.safetensors"] {
        std::fs::copy(goldens("qwen2-gqa-tied").join(file), folder.path().join(file)).unwrap();
    }
    let weights = folder.path().join("model.safetensors");
    let mut bytes = std::fs::read(&weights).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 64].fill(0x3f);
    std::fs::write(&weights, bytes).unwrap();
    let expected = goldens("qwen2-gqa-tied").join("expected.safetensors");
    assert!(reports(folder.path(), &expected).iter().any(|report| !report.passes(1e-4)));
}
