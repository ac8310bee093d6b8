//! The element types of tensors, and what PyTorch calls them.

use qianshou_gguf::TensorKind;

/// An element type.
#[derive(Debug)]
pub(super) struct Element {
    /// As safetensors spells it.
    pub(super) name: &'static str,
    /// The class of its storages in module `torch`; newer types have none of their own.
    storage: Option<&'static str>,
    /// The `dtype` in module `torch`.
    dtype: &'static str,
    /// Size in bytes.
    pub(super) bytes: usize,
    /// What it is read as, where it is a float type that weights come in.
    pub(super) kind: Option<TensorKind>,
}

impl Element {
    pub(super) fn of_storage(class: &str) -> Option<&'static Self> {
        ELEMENTS.iter().find(|element| element.storage == Some(class))
    }

    pub(super) fn of_dtype(dtype: &str) -> Option<&'static Self> {
        ELEMENTS.iter().find(|element| element.dtype == dtype)
    }
}

const fn element(
    name: &'static str,
    storage: Option<&'static str>,
    dtype: &'static str,
    bytes: usize,
    kind: Option<TensorKind>,
) -> Element {
    Element { name, storage, dtype, bytes, kind }
}

/// Weights are floats; the other types are those of buffers that lie beside them, such as masks.
const ELEMENTS: &[Element] = &[
    element("F32", Some("FloatStorage"), "float32", 4, Some(TensorKind::F32)),
    element("F16", Some("HalfStorage"), "float16", 2, Some(TensorKind::F16)),
    element("BF16", Some("BFloat16Storage"), "bfloat16", 2, Some(TensorKind::BF16)),
    element("F64", Some("DoubleStorage"), "float64", 8, None),
    element("I64", Some("LongStorage"), "int64", 8, None),
    element("I32", Some("IntStorage"), "int32", 4, None),
    element("I16", Some("ShortStorage"), "int16", 2, None),
    element("I8", Some("CharStorage"), "int8", 1, None),
    element("U8", Some("ByteStorage"), "uint8", 1, None),
    element("BOOL", Some("BoolStorage"), "bool", 1, None),
    element("U16", None, "uint16", 2, None),
    element("U32", None, "uint32", 4, None),
    element("U64", None, "uint64", 8, None),
    element("F8_E4M3", None, "float8_e4m3fn", 1, None),
    element("F8_E5M2", None, "float8_e5m2", 1, None),
];
