//! Small checkpoints, those of the goldens of `crates/model`, and sequences for them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(dead_code, clippy::allow_attributes, reason = "no test file uses all of it")]

use std::collections::BTreeMap;
use std::path::Path;

use qianshou_model::Checkpoint;
use qianshou_train::{Sequence, Tokens};
use safetensors::SafeTensors;

pub(crate) const NAMES: [&str; 3] = ["qwen2-gqa-tied", "qwen3-qknorm", "codellama-gqa"];

pub(crate) fn checkpoint(name: &str) -> Checkpoint {
    Checkpoint::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/tests/goldens").join(name)).unwrap()
}

/// The tensors of a golden file, integers as floats.
pub(crate) fn golden(name: &str) -> BTreeMap<String, Vec<f32>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/goldens/{name}.safetensors"));
    let bytes = std::fs::read(path).unwrap();
    let read = |(name, view): (String, safetensors::tensor::TensorView<'_>)| {
        let bytes = view.data();
        let values = match view.dtype() {
            safetensors::Dtype::I64 => {
                bytes.as_chunks().0.iter().map(|&bytes| i64::from_le_bytes(bytes) as f32).collect()
            }
            _ => bytes.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect(),
        };
        (name, values)
    };
    SafeTensors::deserialize(&bytes).unwrap().tensors().into_iter().map(read).collect()
}

/// Three episodes behind 13 shared tokens, all of which is learned but the first two tokens of each, as `make.py`
/// has them.
pub(crate) fn episodes(ids: &[u32]) -> Vec<Tokens> {
    let (shared, mut rest) = ids.split_at(13);
    let episode = |length: usize| {
        let (own, after) = rest.split_at(length);
        rest = after;
        let ids = [shared, own].concat();
        let learned = (0..ids.len()).map(|index| index >= 15).collect();
        Tokens { ids, learned }
    };
    [9, 14, 6].map(episode).into()
}

pub(crate) fn sequence(ids: &[u32]) -> Sequence {
    Sequence::pack(&episodes(ids)).unwrap()
}

/// The greatest difference, relative to the greatest value.
pub(crate) fn error(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let greatest = expected.iter().fold(1e-6_f32, |greatest, value| greatest.max(value.abs()));
    found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) / greatest
}
