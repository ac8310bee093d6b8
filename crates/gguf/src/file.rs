//! The file as a whole: header, metadata by key, tensors by name.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use crate::reader::Reader;
use crate::tensor::{Entry, extend_unknown};
use crate::{Array, GgufError, TensorInfo, TensorKind, Value};

/// The smallest metadata entry: an empty key, a type, a value of one byte.
const METADATA_BYTES: usize = 8 + 4 + 1;
/// The smallest tensor entry: an empty name, no dimension, kind and offset.
const TENSOR_BYTES: usize = 8 + 4 + 4 + 8;
/// The most dimensions that ggml knows.
const MOST_DIMENSIONS: u32 = 4;
/// Where the file does not say `general.alignment`.
const DEFAULT_ALIGNMENT: u32 = 32;

/// What a GGUF file says about its model, and where its tensors lie.
pub struct Gguf {
    version: u32,
    metadata: BTreeMap<String, Value>,
    tensors: Vec<TensorInfo>,
    tensor_by_name: HashMap<String, usize>,
}

impl Gguf {
    /// Reads the header of the file whose bytes these are. Only metadata is copied.
    ///
    /// # Errors
    /// When the file is of another format or version, or damaged: the error names the field, its
    /// offset and what is expected there.
    pub fn parse(bytes: &[u8]) -> Result<Self, GgufError> {
        let mut reader = Reader::new(bytes, "header");
        let magic = bytes.get(..4).unwrap_or(bytes);
        if magic != b"GGUF" {
            return Err(GgufError::Magic { found: magic.to_vec() });
        }
        reader.take(4, "magic")?;
        let version = reader.u32("version")?;
        match version {
            2 | 3 => {}
            // Small numbers with their bytes reversed.
            found if found & 0xffff == 0 && found != 0 => return Err(GgufError::BigEndian),
            found => return Err(GgufError::Version { found }),
        }
        let tensor_count = reader.count(TENSOR_BYTES, "number of tensors")?;
        let metadata_count = reader.count(METADATA_BYTES, "number of metadata entries")?;

        let mut metadata = BTreeMap::new();
        for index in 0..metadata_count {
            reader.context = format!("metadata entry {index}");
            let offset = reader.position();
            let key = reader.string("key")?;
            reader.context = format!("metadata `{key}`");
            let value = Value::read(&mut reader)?;
            if metadata.insert(key.to_owned(), value).is_some() {
                return Err(GgufError::Duplicate { context: reader.context, offset });
            }
        }

        let mut entries = Vec::with_capacity(tensor_count);
        let mut tensor_by_name = HashMap::with_capacity(tensor_count);
        for index in 0..tensor_count {
            let offset = reader.position();
            let entry = read_entry(&mut reader, index)?;
            if tensor_by_name.insert(entry.name.clone(), index).is_some() {
                return Err(GgufError::Duplicate { context: reader.context, offset });
            }
            entries.push(entry);
        }

        let mut gguf = Self { version, metadata, tensors: Vec::new(), tensor_by_name };
        let alignment = gguf.alignment()?;
        // A position is below `isize::MAX` and an alignment below 2³², so this cannot overflow where
        // usize has 64 bits; elsewhere it saturates, and the tensors are found outside the file.
        let data = reader.position().checked_next_multiple_of(alignment).unwrap_or(usize::MAX);
        let located = entries.into_iter().map(|entry| entry.locate(data, bytes.len(), alignment));
        gguf.tensors = located.collect::<Result<_, _>>()?;
        extend_unknown(&mut gguf.tensors, bytes.len());
        Ok(gguf)
    }

    /// The version of the format.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The architecture of the model, for example `qwen2` (`general.architecture`). The other keys
    /// about the model begin with it.
    ///
    /// # Errors
    /// When the file does not say it.
    pub fn architecture(&self) -> Result<&str, GgufError> {
        self.require_string("general.architecture")
    }

    /// The tensors, in the order of the file.
    pub fn tensors(&self) -> impl ExactSizeIterator<Item = &TensorInfo> {
        self.tensors.iter()
    }

    /// The tensor of this name.
    pub fn tensor(&self, name: &str) -> Option<&TensorInfo> {
        self.tensor_by_name.get(name).and_then(|&index| self.tensors.get(index))
    }

    /// All metadata, ordered by key.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.metadata.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// The metadata value with this key.
    pub fn metadata(&self, key: &str) -> Option<&Value> {
        self.metadata.get(key)
    }

    /// An integer of any width that fits into `u32`, if the key is there.
    ///
    /// # Errors
    /// When the value has another type.
    pub fn u32(&self, key: &str) -> Result<Option<u32>, GgufError> {
        self.typed(key, U32, |value| value.as_integer().and_then(|value| value.try_into().ok()))
    }

    /// A floating point number, if the key is there.
    ///
    /// # Errors
    /// When the value has another type.
    pub fn f32(&self, key: &str) -> Result<Option<f32>, GgufError> {
        self.typed(key, F32, |value| match value {
            Value::F32(value) => Some(*value),
            Value::F64(value) => Some(*value as f32),
            _ => None,
        })
    }

    /// A truth value, if the key is there.
    ///
    /// # Errors
    /// When the value has another type.
    pub fn bool(&self, key: &str) -> Result<Option<bool>, GgufError> {
        self.typed(key, BOOL, |value| match value {
            Value::Bool(value) => Some(*value),
            _ => None,
        })
    }

    /// A string, if the key is there.
    ///
    /// # Errors
    /// When the value has another type.
    pub fn string(&self, key: &str) -> Result<Option<&str>, GgufError> {
        self.typed(key, STRING, |value| match value {
            Value::String(value) => Some(value.as_str()),
            _ => None,
        })
    }

    /// An array of strings, if the key is there.
    ///
    /// # Errors
    /// When the value has another type.
    pub fn strings(&self, key: &str) -> Result<Option<&[String]>, GgufError> {
        self.typed(key, STRINGS, |value| match value {
            Value::Array(Array::String(values)) => Some(values.as_slice()),
            _ => None,
        })
    }

    /// An array of integers of any width, if the key is there.
    ///
    /// # Errors
    /// When the value has another type.
    pub fn integers(&self, key: &str) -> Result<Option<Vec<i64>>, GgufError> {
        self.typed(key, INTEGERS, |value| match value {
            Value::Array(array) => array.to_integers(),
            _ => None,
        })
    }

    /// An integer of any width that fits into `u32`.
    ///
    /// # Errors
    /// When the key is missing or the value has another type.
    pub fn require_u32(&self, key: &str) -> Result<u32, GgufError> {
        self.u32(key)?.ok_or_else(|| missing(key, U32))
    }

    /// A floating point number.
    ///
    /// # Errors
    /// When the key is missing or the value has another type.
    pub fn require_f32(&self, key: &str) -> Result<f32, GgufError> {
        self.f32(key)?.ok_or_else(|| missing(key, F32))
    }

    /// A truth value.
    ///
    /// # Errors
    /// When the key is missing or the value has another type.
    pub fn require_bool(&self, key: &str) -> Result<bool, GgufError> {
        self.bool(key)?.ok_or_else(|| missing(key, BOOL))
    }

    /// A string.
    ///
    /// # Errors
    /// When the key is missing or the value has another type.
    pub fn require_string(&self, key: &str) -> Result<&str, GgufError> {
        self.string(key)?.ok_or_else(|| missing(key, STRING))
    }

    /// An array of strings.
    ///
    /// # Errors
    /// When the key is missing or the value has another type.
    pub fn require_strings(&self, key: &str) -> Result<&[String], GgufError> {
        self.strings(key)?.ok_or_else(|| missing(key, STRINGS))
    }

    /// An array of integers of any width.
    ///
    /// # Errors
    /// When the key is missing or the value has another type.
    pub fn require_integers(&self, key: &str) -> Result<Vec<i64>, GgufError> {
        self.integers(key)?.ok_or_else(|| missing(key, INTEGERS))
    }

    fn typed<'a, T>(
        &'a self,
        key: &str,
        expected: &'static str,
        convert: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, GgufError> {
        let Some(value) = self.metadata.get(key) else {
            return Ok(None);
        };
        let wrong = || GgufError::Type { key: key.to_owned(), expected, found: value.describe() };
        convert(value).map(Some).ok_or_else(wrong)
    }

    fn alignment(&self) -> Result<usize, GgufError> {
        const KEY: &str = "general.alignment";
        let alignment = self.u32(KEY)?.unwrap_or(DEFAULT_ALIGNMENT);
        match usize::try_from(alignment) {
            Ok(alignment) if alignment.is_power_of_two() => Ok(alignment),
            _ => Err(GgufError::Type {
                key: KEY.to_owned(),
                expected: "a power of two",
                found: Value::U32(alignment).describe(),
            }),
        }
    }
}

impl fmt::Debug for Gguf {
    /// Counts alone: a vocabulary of 150,000 entries helps nobody in a log.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Gguf")
            .field("version", &self.version)
            .field("architecture", &self.architecture().ok())
            .field("metadata", &self.metadata.len())
            .field("tensors", &self.tensors.len())
            .finish_non_exhaustive()
    }
}

const U32: &str = "an integer of 32 bits without sign";
const F32: &str = "a floating point number";
const BOOL: &str = "a truth value";
const STRING: &str = "a string";
const STRINGS: &str = "an array of strings";
const INTEGERS: &str = "an array of integers";

fn missing(key: &str, expected: &'static str) -> GgufError {
    GgufError::Missing { key: key.to_owned(), expected }
}

fn read_entry(reader: &mut Reader<'_>, index: usize) -> Result<Entry, GgufError> {
    reader.context = format!("tensor entry {index}");
    let name = reader.string("name")?;
    reader.context = format!("tensor `{name}`");
    let dimensions = reader.u32("number of dimensions")?;
    if dimensions > MOST_DIMENSIONS {
        return Err(reader.number(dimensions.into(), 4, "number of dimensions", "at most 4"));
    }
    let mut shape = Vec::with_capacity(MOST_DIMENSIONS as usize);
    for _ in 0..dimensions {
        let length = reader.u64("dimension")?;
        let Ok(length) = usize::try_from(length) else {
            return Err(reader.number(length, 8, "dimension", "a length that fits into memory"));
        };
        shape.push(length);
    }
    shape.reverse();
    let kind = TensorKind::from_id(reader.u32("kind")?);
    let offset = reader.u64("data offset")?;
    Ok(Entry { name: name.to_owned(), shape, kind, offset })
}
