//! Metadata values.

use crate::GgufError;
use crate::reader::Reader;

/// How deep arrays may be nested. Real files do not nest them at all; the limit keeps a hostile one
/// from exhausting the stack.
const DEEPEST: usize = 8;

/// The smallest encodings, by which counts are checked.
const STRING_BYTES: usize = 8;
const ARRAY_BYTES: usize = 12;

/// A metadata value, in the type that the file gives it.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// An unsigned integer of 8 bits.
    U8(u8),
    /// A signed integer of 8 bits.
    I8(i8),
    /// An unsigned integer of 16 bits.
    U16(u16),
    /// A signed integer of 16 bits.
    I16(i16),
    /// An unsigned integer of 32 bits.
    U32(u32),
    /// A signed integer of 32 bits.
    I32(i32),
    /// A floating point number of 32 bits.
    F32(f32),
    /// True or false.
    Bool(bool),
    /// Text.
    String(String),
    /// Values of one type.
    Array(Array),
    /// An unsigned integer of 64 bits.
    U64(u64),
    /// A signed integer of 64 bits.
    I64(i64),
    /// A floating point number of 64 bits.
    F64(f64),
}

/// The elements of an array, in the type that the file gives them.
#[derive(Clone, Debug, PartialEq)]
pub enum Array {
    /// Unsigned integers of 8 bits.
    U8(Vec<u8>),
    /// Signed integers of 8 bits.
    I8(Vec<i8>),
    /// Unsigned integers of 16 bits.
    U16(Vec<u16>),
    /// Signed integers of 16 bits.
    I16(Vec<i16>),
    /// Unsigned integers of 32 bits.
    U32(Vec<u32>),
    /// Signed integers of 32 bits.
    I32(Vec<i32>),
    /// Floating point numbers of 32 bits.
    F32(Vec<f32>),
    /// Truth values.
    Bool(Vec<bool>),
    /// Texts.
    String(Vec<String>),
    /// Arrays, each with its own type.
    Array(Vec<Array>),
    /// Unsigned integers of 64 bits.
    U64(Vec<u64>),
    /// Signed integers of 64 bits.
    I64(Vec<i64>),
    /// Floating point numbers of 64 bits.
    F64(Vec<f64>),
}

impl Value {
    /// The value as an integer, if it is one of any width.
    pub fn as_integer(&self) -> Option<i128> {
        Some(match *self {
            Self::U8(value) => value.into(),
            Self::I8(value) => value.into(),
            Self::U16(value) => value.into(),
            Self::I16(value) => value.into(),
            Self::U32(value) => value.into(),
            Self::I32(value) => value.into(),
            Self::U64(value) => value.into(),
            Self::I64(value) => value.into(),
            _ => return None,
        })
    }

    /// What the value is, for errors: its type, and the value itself where it is short.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Bool(value) => format!("the truth value {value}"),
            Self::String(_) => "a string".to_owned(),
            Self::Array(array) => format!("an array of {} {}", array.len(), array.element()),
            Self::F32(value) => format!("the number {value}"),
            Self::F64(value) => format!("the number {value}"),
            integer => format!("the integer {}", integer.as_integer().unwrap_or_default()),
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, GgufError> {
        let kind = reader.u32("value type")?;
        Ok(match kind {
            8 => Self::String(reader.string("string")?.to_owned()),
            9 => Self::Array(Array::read(reader, 1)?),
            // A scalar is read as an array of one, so that each type is written down once.
            _ => match Array::read_elements(reader, kind, 1, 1)? {
                Array::U8(values) => Self::U8(first(&values)),
                Array::I8(values) => Self::I8(first(&values)),
                Array::U16(values) => Self::U16(first(&values)),
                Array::I16(values) => Self::I16(first(&values)),
                Array::U32(values) => Self::U32(first(&values)),
                Array::I32(values) => Self::I32(first(&values)),
                Array::F32(values) => Self::F32(first(&values)),
                Array::Bool(values) => Self::Bool(first(&values)),
                Array::U64(values) => Self::U64(first(&values)),
                Array::I64(values) => Self::I64(first(&values)),
                Array::F64(values) => Self::F64(first(&values)),
                array @ (Array::String(_) | Array::Array(_)) => Self::Array(array),
            },
        })
    }
}

impl Array {
    /// How many elements there are.
    pub fn len(&self) -> usize {
        match self {
            Self::U8(values) => values.len(),
            Self::I8(values) => values.len(),
            Self::U16(values) => values.len(),
            Self::I16(values) => values.len(),
            Self::U32(values) => values.len(),
            Self::I32(values) => values.len(),
            Self::F32(values) => values.len(),
            Self::Bool(values) => values.len(),
            Self::String(values) => values.len(),
            Self::Array(values) => values.len(),
            Self::U64(values) => values.len(),
            Self::I64(values) => values.len(),
            Self::F64(values) => values.len(),
        }
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The elements as integers, if they are integers of any width that fit into 64 bits with sign.
    pub fn to_integers(&self) -> Option<Vec<i64>> {
        fn widen<T: Copy + Into<i64>>(values: &[T]) -> Option<Vec<i64>> {
            Some(values.iter().map(|&value| value.into()).collect())
        }
        match self {
            Self::U8(values) => widen(values),
            Self::I8(values) => widen(values),
            Self::U16(values) => widen(values),
            Self::I16(values) => widen(values),
            Self::U32(values) => widen(values),
            Self::I32(values) => widen(values),
            Self::I64(values) => widen(values),
            Self::U64(values) => values.iter().map(|&value| value.try_into().ok()).collect(),
            Self::F32(_) | Self::F64(_) | Self::Bool(_) | Self::String(_) | Self::Array(_) => None,
        }
    }

    fn element(&self) -> &'static str {
        match self {
            Self::F32(_) | Self::F64(_) => "numbers",
            Self::Bool(_) => "truth values",
            Self::String(_) => "strings",
            Self::Array(_) => "arrays",
            _ => "integers",
        }
    }

    fn read(reader: &mut Reader<'_>, depth: usize) -> Result<Self, GgufError> {
        let kind = reader.u32("element type")?;
        let count = reader.u64("array length")?;
        Self::read_elements(reader, kind, count, depth)
    }

    fn read_elements(reader: &mut Reader<'_>, kind: u32, count: u64, depth: usize) -> Result<Self, GgufError> {
        Ok(match kind {
            0 => Self::U8(numbers(reader, count, u8::from_le_bytes)?),
            1 => Self::I8(numbers(reader, count, i8::from_le_bytes)?),
            2 => Self::U16(numbers(reader, count, u16::from_le_bytes)?),
            3 => Self::I16(numbers(reader, count, i16::from_le_bytes)?),
            4 => Self::U32(numbers(reader, count, u32::from_le_bytes)?),
            5 => Self::I32(numbers(reader, count, i32::from_le_bytes)?),
            6 => Self::F32(numbers(reader, count, f32::from_le_bytes)?),
            7 => {
                let bytes = numbers(reader, count, u8::from_le_bytes)?;
                if let Some(&found) = bytes.iter().find(|&&byte| byte > 1) {
                    return Err(reader.number(found.into(), bytes.len(), "truth value", "0 or 1"));
                }
                Self::Bool(bytes.into_iter().map(|byte| byte == 1).collect())
            }
            8 => {
                let count = reader.check_count(count, STRING_BYTES, "strings of the array")?;
                let mut strings = Vec::with_capacity(count);
                for _ in 0..count {
                    strings.push(reader.string("string of the array")?.to_owned());
                }
                Self::String(strings)
            }
            9 if depth < DEEPEST => {
                let count = reader.check_count(count, ARRAY_BYTES, "arrays of the array")?;
                let mut arrays = Vec::with_capacity(count);
                for _ in 0..count {
                    arrays.push(Self::read(reader, depth + 1)?);
                }
                Self::Array(arrays)
            }
            9 => return Err(reader.number(depth as u64, 0, "depth of nested arrays", "less than 8")),
            10 => Self::U64(numbers(reader, count, u64::from_le_bytes)?),
            11 => Self::I64(numbers(reader, count, i64::from_le_bytes)?),
            12 => Self::F64(numbers(reader, count, f64::from_le_bytes)?),
            _ => return Err(reader.number(kind.into(), 4, "type", "a value type from 0 to 12")),
        })
    }
}

/// `count` numbers of `N` bytes each.
fn numbers<T, const N: usize>(
    reader: &mut Reader<'_>,
    count: u64,
    from_le_bytes: fn([u8; N]) -> T,
) -> Result<Vec<T>, GgufError> {
    let count = reader.check_count(count, N, "numbers")?;
    // The product fits: it has just been compared with what is left of the file.
    let bytes = reader.take(count * N, "numbers")?;
    Ok(bytes.as_chunks::<N>().0.iter().map(|&chunk| from_le_bytes(chunk)).collect())
}

/// The element of an array of one.
fn first<T: Copy + Default>(values: &[T]) -> T {
    values.first().copied().unwrap_or_default()
}
