//! What is written is read back equal.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use qianshou_gguf::{Array, Gguf, GgufWriter, NewTensor, TensorKind, Value};

fn array() -> impl Strategy<Value = Array> {
    let leaf = prop_oneof![
        vec(any::<u8>(), 0..5).prop_map(Array::U8),
        vec(any::<i8>(), 0..5).prop_map(Array::I8),
        vec(any::<u16>(), 0..5).prop_map(Array::U16),
        vec(any::<i16>(), 0..5).prop_map(Array::I16),
        vec(any::<u32>(), 0..5).prop_map(Array::U32),
        vec(any::<i32>(), 0..5).prop_map(Array::I32),
        vec(any::<f32>(), 0..5).prop_map(Array::F32),
        vec(any::<u64>(), 0..5).prop_map(Array::U64),
        vec(any::<i64>(), 0..5).prop_map(Array::I64),
        vec(any::<f64>(), 0..5).prop_map(Array::F64),
        vec(any::<bool>(), 0..5).prop_map(Array::Bool),
        vec(".{0,6}", 0..5).prop_map(Array::String),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| vec(inner, 0..3).prop_map(Array::Array))
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<u8>().prop_map(Value::U8),
        any::<i8>().prop_map(Value::I8),
        any::<u16>().prop_map(Value::U16),
        any::<i16>().prop_map(Value::I16),
        any::<u32>().prop_map(Value::U32),
        any::<i32>().prop_map(Value::I32),
        any::<f32>().prop_map(Value::F32),
        any::<u64>().prop_map(Value::U64),
        any::<i64>().prop_map(Value::I64),
        any::<f64>().prop_map(Value::F64),
        any::<bool>().prop_map(Value::Bool),
        ".{0,12}".prop_map(Value::String),
        array().prop_map(Value::Array),
    ]
}

/// Shape, kind and a byte that the tensor is filled with.
fn tensor() -> impl Strategy<Value = (Vec<usize>, TensorKind, u8)> {
    let kinds = [TensorKind::F32, TensorKind::F16, TensorKind::Q8_0, TensorKind::Q4_0, TensorKind::Q6_K];
    (vec(1..4_usize, 0..3), 1..3_usize, prop::sample::select(kinds.to_vec()), any::<u8>()).prop_map(
        |(mut shape, blocks, kind, fill)| {
            shape.push(blocks * kind.block_len().unwrap());
            (shape, kind, fill)
        },
    )
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        metadata in btree_map("[a-z.]{1,10}", value(), 0..6),
        tensors in btree_map("[a-z.0-9]{1,12}", tensor(), 0..5),
    ) {
        let layout: Vec<NewTensor> = tensors
            .iter()
            .map(|(name, (shape, kind, _))| NewTensor { name: name.clone(), shape: shape.clone(), kind: *kind })
            .collect();
        let entries = metadata.iter().map(|(key, value)| (key.as_str(), value));
        let mut writer = GgufWriter::begin(Vec::new(), entries, &layout).unwrap();
        for (tensor, (_, _, fill)) in layout.iter().zip(tensors.values()) {
            writer.tensor(&vec![*fill; tensor.size().unwrap()]).unwrap();
        }
        let file = writer.finish().unwrap();

        let gguf = Gguf::parse(&file).unwrap();
        let read: BTreeMap<String, String> =
            gguf.entries().map(|(key, value)| (key.to_owned(), format!("{value:?}"))).collect();
        // As text, since a number may be NaN.
        let written: BTreeMap<String, String> =
            metadata.iter().map(|(key, value)| (key.clone(), format!("{value:?}"))).collect();
        prop_assert_eq!(read, written);
        prop_assert_eq!(gguf.tensors().len(), tensors.len());
        for (name, (shape, kind, fill)) in &tensors {
            let found = gguf.tensor(name).unwrap();
            prop_assert_eq!((&found.shape, found.kind), (shape, *kind));
            prop_assert!(file[found.range.clone()].iter().all(|byte| byte == fill));
        }
    }
}

#[test]
fn a_tensor_that_does_not_fit_is_refused() {
    let tensor = |kind, columns| NewTensor { name: "weight".to_owned(), shape: vec![2, columns], kind };
    let begin = |tensor: NewTensor| GgufWriter::begin(Vec::new(), [], &[tensor]);
    let refused = |tensor| begin(tensor).unwrap_err().to_string();
    assert_eq!(refused(tensor(TensorKind::Q8_0, 33)), "tensor `weight`: Q8_0 cannot hold the shape [2, 33]");
    assert_eq!(
        refused(tensor(TensorKind::Other(99), 32)),
        "tensor `weight`: ggml type 99 cannot hold the shape [2, 32]"
    );
    let mut writer = begin(tensor(TensorKind::F16, 3)).unwrap();
    assert_eq!(writer.tensor(&[0; 11]).unwrap_err().to_string(), "tensor `weight` takes 12 bytes, and 11 are given");
    let writer = begin(tensor(TensorKind::F16, 3)).unwrap();
    assert_eq!(writer.finish().unwrap_err().to_string(), "tensor `weight` is not written");
    let mut writer = begin(tensor(TensorKind::F16, 3)).unwrap();
    writer.tensor(&[0; 12]).unwrap();
    assert_eq!(writer.tensor(&[]).unwrap_err().to_string(), "all tensors are written");
}
