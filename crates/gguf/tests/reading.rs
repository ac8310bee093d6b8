//! What is read from correct files.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use qianshou_gguf::{Array, Gguf, GgufError, TensorKind, Value};
use support::{ARRAY, F32, STRING, U32, Writer, text};

#[test]
fn every_value_type_is_read() {
    let file = Writer::default()
        .entry("a.u8", 0, &[200])
        .entry("a.i8", 1, &[0xff])
        .entry("a.u16", 2, &0xabcd_u16.to_le_bytes())
        .entry("a.i16", 3, &(-2_i16).to_le_bytes())
        .entry("a.u32", 4, &7_u32.to_le_bytes())
        .entry("a.i32", 5, &(-7_i32).to_le_bytes())
        .entry("a.f32", F32, &1.5_f32.to_le_bytes())
        .entry("a.bool", 7, &[1])
        .string("a.string", "千手")
        .entry("a.u64", 10, &u64::MAX.to_le_bytes())
        .entry("a.i64", 11, &i64::MIN.to_le_bytes())
        .entry("a.f64", 12, &0.25_f64.to_le_bytes())
        .strings("b.strings", &["x", ""])
        .integers("b.integers", &[1, -1])
        .array("b.bools", 7, 2, &[0, 1])
        .array("b.nested", ARRAY, 1, &[&U32.to_le_bytes(), &1_u64.to_le_bytes()[..], &9_u32.to_le_bytes()].concat())
        .finish();
    let gguf = Gguf::parse(&file).unwrap();
    let values: Vec<_> = gguf.entries().map(|(_, value)| value.clone()).collect();
    assert_eq!(
        values,
        [
            Value::Bool(true),
            Value::F32(1.5),
            Value::F64(0.25),
            Value::I16(-2),
            Value::I32(-7),
            Value::I64(i64::MIN),
            Value::I8(-1),
            Value::String("千手".to_owned()),
            Value::U16(0xabcd),
            Value::U32(7),
            Value::U64(u64::MAX),
            Value::U8(200),
            Value::Array(Array::Bool(vec![false, true])),
            Value::Array(Array::I32(vec![1, -1])),
            Value::Array(Array::Array(vec![Array::U32(vec![9])])),
            Value::Array(Array::String(vec!["x".to_owned(), String::new()])),
        ]
    );
    assert_eq!(gguf.metadata("a.u8"), Some(&Value::U8(200)));
    assert_eq!(gguf.require_u32("a.u16").unwrap(), 0xabcd);
    assert_eq!(gguf.require_f32("a.f64").unwrap(), 0.25);
    assert!(gguf.require_bool("a.bool").unwrap());
    assert_eq!(gguf.require_strings("b.strings").unwrap(), ["x", ""]);
    assert_eq!(gguf.require_integers("b.integers").unwrap(), [1, -1]);
}

#[test]
fn typed_getters_name_key_and_expectation() {
    let file = Writer::default().string("general.architecture", "qwen2").integers("list", &[1, 2]).finish();
    let gguf = Gguf::parse(&file).unwrap();
    assert_eq!(gguf.architecture().unwrap(), "qwen2");
    assert_eq!(gguf.u32("absent").unwrap(), None);
    assert_eq!(
        gguf.require_u32("absent").unwrap_err().to_string(),
        "the GGUF file has no metadata `absent`, where an integer of 32 bits without sign is expected"
    );
    assert_eq!(
        gguf.string("list").unwrap_err().to_string(),
        "metadata `list` of the GGUF file is an array of 2 integers, where a string is expected"
    );
    assert!(matches!(gguf.f32("general.architecture"), Err(GgufError::Type { .. })));
    assert_eq!(format!("{gguf:?}"), r#"Gguf { version: 3, architecture: Some("qwen2"), metadata: 2, tensors: 0, .. }"#);
}

#[test]
fn tensors_lie_where_the_file_says() {
    for version in [2, 3] {
        let writer = Writer::default()
            .alignment(64)
            .tensor("norm", &[3], 0, &[1; 12])
            .tensor("weight", &[64, 2], 3, &[2; 4 * 20])
            .tensor("strange", &[5], 99, &[3; 70])
            .tensor("last", &[], 30, &[4; 2]);
        let file = writer.finish_with(version, 4, 1);
        let gguf = Gguf::parse(&file).unwrap();
        assert_eq!(gguf.version(), version);
        let names: Vec<_> = gguf.tensors().map(|tensor| tensor.name.as_str()).collect();
        assert_eq!(names, ["norm", "weight", "strange", "last"]);

        let weight = gguf.tensor("weight").unwrap();
        assert_eq!(
            (weight.shape.as_slice(), weight.kind, weight.element_count()),
            (&[2, 64][..], TensorKind::Q4_1, 128)
        );
        assert_eq!(file[weight.range.clone()], [2; 80]);
        assert_eq!(weight.range.start % 64, 0);
        // The size of an unknown kind is not known; its range goes up to the next tensor.
        let strange = gguf.tensor("strange").unwrap();
        assert_eq!(strange.kind, TensorKind::Other(99));
        assert_eq!(file[strange.range.clone()][..70], [3; 70]);
        assert_eq!(strange.range.end, gguf.tensor("last").unwrap().range.start);
        assert_eq!(gguf.tensor("last").unwrap().element_count(), 1);
        assert!(gguf.tensor("absent").is_none());
    }
}

#[test]
fn kinds_have_their_usual_names_and_sizes() {
    let expected = [
        (0, "F32", 1, 4),
        (1, "F16", 1, 2),
        (2, "Q4_0", 32, 18),
        (3, "Q4_1", 32, 20),
        (6, "Q5_0", 32, 22),
        (7, "Q5_1", 32, 24),
        (8, "Q8_0", 32, 34),
        (12, "Q4_K", 256, 144),
        (13, "Q5_K", 256, 176),
        (14, "Q6_K", 256, 210),
        (30, "BF16", 1, 2),
    ];
    for (id, name, elements, bytes) in expected {
        let kind = TensorKind::from_id(id);
        assert_eq!(kind.to_string(), name);
        assert_eq!(kind.id(), id, "{name}");
        assert_eq!((kind.block_len(), kind.block_bytes()), (Some(elements), Some(bytes)), "{name}");
    }
    assert_eq!(TensorKind::from_id(10).to_string(), "ggml type 10");
    assert_eq!(TensorKind::from_id(10).block_bytes(), None);
}

/// The base model of the default SPEC.
#[test]
fn a_real_file_is_read() {
    let path = std::env::var_os("QIANSHOU_BASE");
    assert!(path.is_some(), "run cargo xtask test, which fetches the base model, or set QIANSHOU_BASE=FILE");
    let file = std::fs::read(path.unwrap()).unwrap();
    let gguf = Gguf::parse(&file).unwrap();
    assert_eq!(gguf.architecture().unwrap(), "llama");
    assert_eq!(gguf.require_u32("llama.block_count").unwrap(), 30);
    assert_eq!(gguf.require_f32("llama.rope.freq_base").unwrap(), 100_000.0);
    assert_eq!(gguf.require_strings("tokenizer.ggml.tokens").unwrap().len(), 49_152);
    assert_eq!(gguf.tensors().len(), 272);
    let embedding = gguf.tensor("token_embd.weight").unwrap();
    assert_eq!((embedding.shape.as_slice(), embedding.kind), (&[49_152, 576][..], TensorKind::Q8_0));
    assert_eq!(embedding.range.len(), 49_152 * 576 / 32 * 34);
    // All kinds in this file are known, so the tensors follow each other and the last ends the file.
    let mut ranges: Vec<_> = gguf.tensors().map(|tensor| tensor.range.clone()).collect();
    ranges.sort_by_key(|range| range.start);
    assert!(ranges.windows(2).all(|pair| pair[0].end.next_multiple_of(32) == pair[1].start));
    assert_eq!(ranges.last().unwrap().end.next_multiple_of(32), file.len());
}

#[test]
fn a_value_may_be_a_string_array_of_any_depth_that_is_sane() {
    let inner = [&STRING.to_le_bytes(), &1_u64.to_le_bytes()[..], &text("deep")].concat();
    let file = Writer::default().array("nested", ARRAY, 1, &inner).finish();
    let expected = Array::Array(vec![Array::String(vec!["deep".to_owned()])]);
    assert_eq!(Gguf::parse(&file).unwrap().metadata("nested"), Some(&Value::Array(expected)));
}
