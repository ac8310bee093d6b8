//! Damaged and hostile files end in an error that says where, never in a panic.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use proptest::prelude::*;
use qianshou_gguf::{Gguf, GgufError};
use support::{ARRAY, STRING, Writer, text};

/// A small file with something of everything.
fn sample() -> Vec<u8> {
    Writer::default()
        .string("general.architecture", "qwen2")
        .entry("qwen2.rope.freq_base", support::F32, &1e6_f32.to_le_bytes())
        .alignment(32)
        .strings("tokenizer.ggml.tokens", &["a", "b", "ab"])
        .integers("tokenizer.ggml.token_type", &[1, 1, 1])
        .array("flags", 7, 3, &[0, 1, 0])
        .array("nested", ARRAY, 1, &[&STRING.to_le_bytes(), &1_u64.to_le_bytes()[..], &text("x")].concat())
        .tensor("token_embd.weight", &[32, 3], 8, &[5; 3 * 34])
        .tensor("output_norm.weight", &[4], 0, &[6; 16])
        .finish()
}

fn error(file: &[u8]) -> String {
    Gguf::parse(file).unwrap_err().to_string()
}

#[test]
fn other_formats_and_versions_are_named() {
    assert!(matches!(Gguf::parse(b""), Err(GgufError::Magic { found }) if found.is_empty()));
    assert!(error(b"PK\x03\x04").starts_with("not a GGUF file"));
    assert!(matches!(Gguf::parse(&Writer::default().finish_with(1, 0, 0)), Err(GgufError::Version { found: 1 })));
    assert!(matches!(Gguf::parse(&Writer::default().finish_with(4, 0, 0)), Err(GgufError::Version { found: 4 })));
    let swapped = Writer::default().finish_with(3_u32.swap_bytes(), 0, 0);
    assert!(matches!(Gguf::parse(&swapped), Err(GgufError::BigEndian)));
}

#[test]
fn counts_beyond_the_file_are_refused_before_anything_is_allocated() {
    for count in [3, 1 << 40, u64::MAX] {
        let file = Writer::default().finish_with(3, count, 0);
        assert!(error(&file).starts_with("header: number of tensors"), "{count}");
        let file = Writer::default().finish_with(3, 0, count);
        assert!(error(&file).starts_with("header: number of metadata entries"), "{count}");
        for element in 0..=12 {
            let file = Writer::default().array("list", element, count.max(1 << 20), &[]).finish();
            assert!(error(&file).starts_with("metadata `list`: "), "{element}");
        }
        let file = Writer::default().entry("name", STRING, &count.to_le_bytes()).finish();
        assert_eq!(
            error(&file),
            format!(
                "metadata `name`: string at offset 48 needs {count} bytes, but 0 are left in the file; \
                 it is cut off or damaged, so fetch it again"
            )
        );
    }
}

#[test]
fn impossible_values_are_named_with_their_place() {
    let file = Writer::default().entry("flag", 7, &[2]).finish();
    assert_eq!(error(&file), "metadata `flag`: truth value at offset 40 is 2; expected 0 or 1");
    let file = Writer::default().entry("kind", 13, &[]).finish();
    assert_eq!(error(&file), "metadata `kind`: type at offset 36 is 13; expected a value type from 0 to 12");
    let file = Writer::default().entry("name", STRING, &[1, 0, 0, 0, 0, 0, 0, 0, 0xff]).finish();
    assert!(matches!(Gguf::parse(&file), Err(GgufError::Text { offset: 48, .. })));
    let file = Writer::default().string("twice", "").string("twice", "").finish();
    assert!(error(&file).starts_with("metadata `twice` is there twice, again at offset "));
    let file = Writer::default().tensor("twice", &[1], 0, &[0; 4]).tensor("twice", &[1], 0, &[0; 4]).finish();
    assert!(error(&file).starts_with("tensor `twice` is there twice, again at offset "));
    for alignment in [0, 3] {
        let file = Writer::default().u32("general.alignment", alignment).finish();
        assert!(error(&file).ends_with("where a power of two is expected"));
    }
}

#[test]
fn deep_nesting_is_refused() {
    let mut items = Vec::new();
    for _ in 0..100_000 {
        items.extend(ARRAY.to_le_bytes());
        items.extend(1_u64.to_le_bytes());
    }
    let file = Writer::default().entry("deep", ARRAY, &items).finish();
    assert!(error(&file).contains("depth of nested arrays"));
}

#[test]
fn tensors_outside_the_file_are_refused() {
    let with = |dimensions: &[u64], kind, offset| {
        Writer::default().tensor("first", &[8], 0, &[0; 32]).tensor_at("bad", dimensions, kind, offset).finish()
    };
    assert!(Gguf::parse(&with(&[8], 0, 0)).is_ok(), "tensors may share bytes");
    assert!(matches!(Gguf::parse(&with(&[9], 0, 0)), Err(GgufError::Outside { size: 36, available: 32, .. })));
    assert!(matches!(Gguf::parse(&with(&[8], 0, 32)), Err(GgufError::Outside { .. })));
    assert!(matches!(Gguf::parse(&with(&[8], 0, u64::MAX - 31)), Err(GgufError::Outside { .. })));
    assert!(matches!(Gguf::parse(&with(&[8], 99, 64)), Err(GgufError::Outside { size: 0, .. })));
    assert!(matches!(Gguf::parse(&with(&[1], 0, 4)), Err(GgufError::Unaligned { alignment: 32, .. })));
    assert!(matches!(Gguf::parse(&with(&[33], 8, 0)), Err(GgufError::Row { columns: 33, block: 32, .. })));
    let huge = [1 << 32, 1 << 31, 1, 2];
    assert!(matches!(Gguf::parse(&with(&huge, 0, 0)), Err(GgufError::Shape { .. })));
    assert!(matches!(Gguf::parse(&with(&[1 << 62, 1], 0, 0)), Err(GgufError::Shape { .. })));
    // Nothing is stored, but a caller who multiplies the other dimensions must not overflow.
    assert!(matches!(Gguf::parse(&with(&[1 << 40, 1 << 40, 0], 99, 0)), Ok(_) | Err(GgufError::Shape { .. })));
    assert!(error(&with(&[1; 5], 0, 0)).contains("number of dimensions"));
}

#[test]
fn truncation_anywhere_is_an_error() {
    let file = sample();
    assert!(Gguf::parse(&file).is_ok());
    for length in 0..file.len() {
        assert!(Gguf::parse(&file[..length]).is_err(), "{length}");
    }
}

proptest! {
    #[test]
    fn flipped_bytes_never_panic(flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let mut file = sample();
        for (index, byte) in flips {
            let index = index.index(file.len());
            file[index] = byte;
        }
        check(&file);
    }

    #[test]
    fn any_bytes_after_the_magic_never_panic(rest in prop::collection::vec(any::<u8>(), 0..300)) {
        check(&[b"GGUF\x03\0\0\0".as_slice(), &rest].concat());
    }

    #[test]
    fn flipped_bytes_of_cut_files_never_panic(index: prop::sample::Index, byte: u8, length: prop::sample::Index) {
        let mut file = sample();
        let index = index.index(file.len());
        file[index] = byte;
        check(&file[..length.index(file.len())]);
    }
}

/// Parses, and where that works, checks what a [`TensorInfo`](qianshou_gguf::TensorInfo) promises.
fn check(file: &[u8]) {
    if let Ok(gguf) = Gguf::parse(file) {
        for tensor in gguf.tensors() {
            let stored = file[tensor.range.clone()].len();
            if let (Some(block), Some(bytes)) = (tensor.kind.block_len(), tensor.kind.block_bytes()) {
                assert_eq!(tensor.element_count() / block * bytes, stored);
            }
        }
    }
}
