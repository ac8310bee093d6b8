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

fn smollm2() -> PathBuf {
    goldens("smollm2").join("expected.safetensors")
}

/// Of real weights, other ways of multiplying give other rounding: 1e-4 would be chance.
const REAL_WEIGHTS: f32 = 1e-3;

fn reports(checkpoint: &Path, expected: &Path, device: ComputeDevice) -> Vec<CaseReport> {
    let decoder = Checkpoint::open(checkpoint).unwrap().load(device, None).unwrap();
    verify(&decoder, expected).unwrap()
}

fn assert_agrees(checkpoint: &Path, expected: &Path, device: ComputeDevice, tolerance: f32) {
    let reports = reports(checkpoint, expected, device);
    assert!(!reports.is_empty());
    for report in reports {
        assert!(report.passes(tolerance), "{}: {report:?}", checkpoint.display());
        assert_eq!(report.greedy.1, 32, "{}: {report:?}", checkpoint.display());
    }
}

/// The goldens on a device; each is a test of its own.
macro_rules! goldens_on {
    ($device:expr, $tolerance:expr) => {
        goldens_on!($device, $tolerance,
            qwen2_with_grouped_queries_and_tied_head: "qwen2-gqa-tied",
            qwen2_with_all_heads_and_own_head: "qwen2-mha-untied",
            qwen2_with_yarn: "qwen2-yarn",
            qwen1_as_trained: "qwen1-plain",
            qwen1_with_dynamic_ntk: "qwen1-ntk",
            qwen1_with_dynamic_ntk_and_logn: "qwen1-ntk-logn",
            qwen3_with_head_norms: "qwen3-qknorm",
            llama2_with_all_heads: "llama2-mha",
            code_llama_with_grouped_queries: "codellama-gqa",
        );
    };
    ($device:expr, $tolerance:expr, $($test:ident: $folder:literal,)*) => {
        $(
            #[test]
            fn $test() {
                let folder = goldens($folder);
                assert_agrees(&folder, &folder.join("expected.safetensors"), $device, $tolerance);
            }
        )*
    };
}

mod on_the_cpu {
    use super::*;

    goldens_on!(ComputeDevice::cpu(), 1e-4);

    #[test]
    fn smollm2_from_its_quantised_gguf() {
        assert_agrees(&base(), &smollm2(), ComputeDevice::cpu(), REAL_WEIGHTS);
    }
}

/// The path that GPUs take, on a CPU: Mesa's software Vulkan.
#[cfg(all(target_os = "linux", feature = "wgpu"))]
mod on_wgpu {
    use qianshou_model::{DeviceChoice, Precision};
    use safetensors::SafeTensors;
    use safetensors::tensor::TensorView;

    use super::*;

    fn device() -> ComputeDevice {
        let device = ComputeDevice::open(DeviceChoice::WgpuSoftware)
            .expect("`cargo xtask test` needs Mesa's software Vulkan and could not install it");
        device.with_precision(Precision::F32).unwrap()
    }

    goldens_on!(device(), 1e-3);

    #[test]
    fn smollm2_begins_as_recorded() {
        let folder = tempfile::tempdir().unwrap();
        let beginning = folder.path().join("expected.safetensors");
        write_beginning(&smollm2(), "case1", 3, &beginning);
        let reports = reports(&base(), &beginning, device());
        assert_eq!(reports.len(), 1);
        assert!(reports[0].passes(REAL_WEIGHTS) && reports[0].greedy.1 == 3, "{:?}", reports[0]);
    }

    #[test]
    #[ignore = "takes many minutes"]
    fn smollm2_from_its_quantised_gguf() {
        assert_agrees(&base(), &smollm2(), device(), REAL_WEIGHTS);
    }

    /// Keeps of a file of expected outputs one case, and of that its first `tokens` greedy tokens.
    fn write_beginning(expected: &Path, case: &str, tokens: usize, target: &Path) {
        let bytes = std::fs::read(expected).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let part = |part: &str| file.tensor(&format!("{case}.{part}")).unwrap();
        let greedy = part("greedy_ids");
        let greedy = TensorView::new(greedy.dtype(), vec![tokens], &greedy.data()[..8 * tokens]).unwrap();
        let parts = [("input_ids", part("input_ids")), ("last_logits", part("last_logits")), ("greedy_ids", greedy)];
        let parts = parts.map(|(name, view)| (format!("{case}.{name}"), view));
        safetensors::serialize_to_file(parts, None, target).unwrap();
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
    assert!(reports(folder.path(), &expected, ComputeDevice::cpu()).iter().any(|report| !report.passes(1e-4)));
}
