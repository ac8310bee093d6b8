//! Writing files.

use std::collections::VecDeque;
use std::io::{self, Write};

use crate::{Array, TensorKind, Value};

/// Tensors begin at multiples of this: what a reader assumes unless metadata says otherwise.
const ALIGNMENT: usize = 32;

/// A tensor to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTensor {
    /// Its name.
    pub name: String,
    /// Its shape with rows first.
    pub shape: Vec<usize>,
    /// How its elements are stored.
    pub kind: TensorKind,
}

impl NewTensor {
    /// Its size in bytes; `None` where the kind is not known here, or a row is not made of whole blocks.
    pub fn size(&self) -> Option<usize> {
        let (block, bytes) = (self.kind.block_len()?, self.kind.block_bytes()?);
        let whole = self.shape.last().copied().unwrap_or(1).is_multiple_of(block);
        let elements = self.shape.iter().try_fold(1_usize, |product, &length| product.checked_mul(length))?;
        (elements / block).checked_mul(bytes).filter(|_| whole)
    }
}

/// Writes a file of version 3: the header at once, then one tensor after the other, so that no more than one has to
/// be in memory.
///
/// ```
/// use qianshou_gguf::{Gguf, GgufWriter, NewTensor, TensorKind, Value};
///
/// let norm = NewTensor { name: "output_norm.weight".into(), shape: vec![2], kind: TensorKind::F32 };
/// let architecture = Value::String("qwen2".into());
/// let mut writer = GgufWriter::begin(Vec::new(), [("general.architecture", &architecture)], &[norm])?;
/// writer.tensor(&[0; 8])?;
/// let file = writer.finish()?;
/// let gguf = Gguf::parse(&file).unwrap();
/// assert_eq!(gguf.tensor("output_norm.weight").unwrap().shape, [2]);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct GgufWriter<W> {
    out: W,
    /// Name and size of the tensors that are still to be written.
    left: VecDeque<(String, usize)>,
}

impl<W: Write> GgufWriter<W> {
    /// Writes the header: metadata (without `general.alignment`, for the usual one is used), and where tensors lie.
    ///
    /// # Errors
    /// When `out` fails, or the size of a tensor is not known (see [`NewTensor::size`]).
    pub fn begin<'a>(
        mut out: W,
        metadata: impl IntoIterator<Item = (&'a str, &'a Value)>,
        tensors: &[NewTensor],
    ) -> io::Result<Self> {
        let entries: Vec<_> = metadata.into_iter().filter(|(key, _)| *key != "general.alignment").collect();
        let mut header = b"GGUF\x03\0\0\0".to_vec();
        number(&mut header, tensors.len());
        number(&mut header, entries.len());
        for (key, value) in entries {
            text(&mut header, key);
            put(&mut header, value);
        }
        let mut offset = 0;
        let mut left = VecDeque::new();
        for tensor in tensors {
            let size = tensor.size().ok_or_else(|| {
                let NewTensor { name, shape, kind } = tensor;
                misuse(format!("tensor `{name}`: {kind} cannot hold the shape {shape:?}"))
            })?;
            text(&mut header, &tensor.name);
            header.extend((tensor.shape.len() as u32).to_le_bytes());
            tensor.shape.iter().rev().for_each(|&length| number(&mut header, length));
            header.extend(tensor.kind.id().to_le_bytes());
            number(&mut header, offset);
            offset += size.next_multiple_of(ALIGNMENT);
            left.push_back((tensor.name.clone(), size));
        }
        header.resize(header.len().next_multiple_of(ALIGNMENT), 0);
        out.write_all(&header)?;
        Ok(Self { out, left })
    }

    /// Writes the elements of the next tensor, as they are stored.
    ///
    /// # Errors
    /// When `out` fails, or the tensor has another size.
    pub fn tensor(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self.left.pop_front() {
            Some((_, size)) if size == bytes.len() => {}
            Some((name, size)) => {
                return Err(misuse(format!("tensor `{name}` takes {size} bytes, and {} are given", bytes.len())));
            }
            None => return Err(misuse("all tensors are written".to_owned())),
        }
        self.out.write_all(bytes)?;
        let padding = bytes.len().next_multiple_of(ALIGNMENT) - bytes.len();
        self.out.write_all(&[0; ALIGNMENT][..padding])
    }

    /// Ends the file, and gives back what it was written to.
    ///
    /// # Errors
    /// When `out` fails, or a tensor is missing.
    pub fn finish(mut self) -> io::Result<W> {
        if let Some((name, _)) = self.left.front() {
            return Err(misuse(format!("tensor `{name}` is not written")));
        }
        self.out.flush()?;
        Ok(self.out)
    }
}

fn misuse(reason: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, reason)
}

fn number(out: &mut Vec<u8>, number: usize) {
    out.extend((number as u64).to_le_bytes());
}

fn text(out: &mut Vec<u8>, text: &str) {
    number(out, text.len());
    out.extend(text.as_bytes());
}

/// The type of a value, then the value.
fn put(out: &mut Vec<u8>, value: &Value) {
    let mut typed = |kind: u32, bytes: &[u8]| {
        out.extend(kind.to_le_bytes());
        out.extend(bytes);
    };
    match value {
        Value::U8(value) => typed(0, &value.to_le_bytes()),
        Value::I8(value) => typed(1, &value.to_le_bytes()),
        Value::U16(value) => typed(2, &value.to_le_bytes()),
        Value::I16(value) => typed(3, &value.to_le_bytes()),
        Value::U32(value) => typed(4, &value.to_le_bytes()),
        Value::I32(value) => typed(5, &value.to_le_bytes()),
        Value::F32(value) => typed(6, &value.to_le_bytes()),
        Value::Bool(value) => typed(7, &[u8::from(*value)]),
        Value::U64(value) => typed(10, &value.to_le_bytes()),
        Value::I64(value) => typed(11, &value.to_le_bytes()),
        Value::F64(value) => typed(12, &value.to_le_bytes()),
        Value::String(value) => {
            typed(8, &[]);
            text(out, value);
        }
        Value::Array(array) => {
            typed(9, &[]);
            put_array(out, array);
        }
    }
}

/// The type of the elements, their number, and the elements.
fn put_array(out: &mut Vec<u8>, array: &Array) {
    macro_rules! numbers {
        ($kind:literal, $values:expr) => {{
            out.extend(u32::to_le_bytes($kind));
            number(out, $values.len());
            $values.iter().for_each(|value| out.extend(value.to_le_bytes()));
        }};
    }
    match array {
        Array::U8(values) => numbers!(0, values),
        Array::I8(values) => numbers!(1, values),
        Array::U16(values) => numbers!(2, values),
        Array::I16(values) => numbers!(3, values),
        Array::U32(values) => numbers!(4, values),
        Array::I32(values) => numbers!(5, values),
        Array::F32(values) => numbers!(6, values),
        Array::U64(values) => numbers!(10, values),
        Array::I64(values) => numbers!(11, values),
        Array::F64(values) => numbers!(12, values),
        Array::Bool(values) => {
            out.extend(7_u32.to_le_bytes());
            number(out, values.len());
            out.extend(values.iter().map(|&value| u8::from(value)));
        }
        Array::String(values) => {
            out.extend(8_u32.to_le_bytes());
            number(out, values.len());
            values.iter().for_each(|value| text(out, value));
        }
        Array::Array(values) => {
            out.extend(9_u32.to_le_bytes());
            number(out, values.len());
            values.iter().for_each(|value| put_array(out, value));
        }
    }
}
