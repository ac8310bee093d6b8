//! What can be wrong with a GGUF file.

/// Why a GGUF file, or one entry of it, cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GgufError {
    /// The file begins with something else than the magic bytes.
    #[error("not a GGUF file: it begins with {found:?} where `GGUF` is expected; check that the download is complete")]
    Magic {
        /// The first bytes of the file, at most four.
        found: Vec<u8>,
    },
    /// The file was written for a big-endian machine.
    #[error("the GGUF file is big-endian; convert it for little-endian machines")]
    BigEndian,
    /// The version of the format is not one that is read here.
    #[error(
        "GGUF version {found} cannot be read; versions 2 and 3 can, so convert the model again with a current tool"
    )]
    Version {
        /// The version that the file states.
        found: u32,
    },
    /// The file ends too early, or a length in it is wrong.
    #[error(
        "{context}: {field} at offset {offset} needs {needed} bytes, but {left} are left in the file; \
         it is cut off or damaged, so fetch it again"
    )]
    Truncated {
        /// Which part of the file was being read.
        context: String,
        /// What was being read.
        field: &'static str,
        /// Where in the file it begins.
        offset: usize,
        /// How many bytes it needs at least.
        needed: u64,
        /// How many bytes follow the offset.
        left: usize,
    },
    /// A string is not valid UTF-8.
    #[error("{context}: {field} at offset {offset} is not valid UTF-8; the file is damaged")]
    Text {
        /// Which part of the file was being read.
        context: String,
        /// What was being read.
        field: &'static str,
        /// Where in the file the string begins.
        offset: usize,
    },
    /// A number is none of those that the format allows at its place.
    #[error("{context}: {field} at offset {offset} is {found}; expected {expected}")]
    Number {
        /// Which part of the file was being read.
        context: String,
        /// What was being read.
        field: &'static str,
        /// Where in the file the number lies.
        offset: usize,
        /// The number.
        found: u64,
        /// What the format allows.
        expected: &'static str,
    },
    /// Two metadata entries or two tensors have one name.
    #[error("{context} is there twice, again at offset {offset}; the file is damaged")]
    Duplicate {
        /// Which entry it is.
        context: String,
        /// Where in the file the second one begins.
        offset: usize,
    },
    /// The number of elements or bytes of a tensor does not fit into this machine's numbers.
    #[error("tensor `{name}`: the shape {shape:?} is too large for this machine")]
    Shape {
        /// The tensor.
        name: String,
        /// Its shape, rows first.
        shape: Vec<usize>,
    },
    /// The rows of a quantised tensor are not made of whole blocks.
    #[error("tensor `{name}`: rows of {columns} elements are no multiple of the {block} elements of a {kind} block")]
    Row {
        /// The tensor.
        name: String,
        /// Length of a row.
        columns: usize,
        /// Elements in a block.
        block: usize,
        /// How the tensor is stored.
        kind: crate::TensorKind,
    },
    /// The data of a tensor does not begin at a multiple of the alignment.
    #[error("tensor `{name}`: its data offset {offset} is no multiple of the alignment {alignment}")]
    Unaligned {
        /// The tensor.
        name: String,
        /// Offset of the data, counted from the beginning of all tensor data.
        offset: u64,
        /// The alignment that holds in this file.
        alignment: usize,
    },
    /// The data of a tensor goes beyond the end of the file.
    #[error(
        "tensor `{name}`: its {size} bytes at data offset {offset} go beyond the end of the file \
         ({available} bytes of tensor data); it is cut off or damaged, so fetch it again"
    )]
    Outside {
        /// The tensor.
        name: String,
        /// Offset of the data, counted from the beginning of all tensor data.
        offset: u64,
        /// Size of the data in bytes; 0 where the kind is not known.
        size: usize,
        /// How many bytes of tensor data the file holds.
        available: usize,
    },
    /// A metadata entry that is needed is not there.
    #[error("the GGUF file has no metadata `{key}`, where {expected} is expected")]
    Missing {
        /// The key asked for.
        key: String,
        /// The type asked for.
        expected: &'static str,
    },
    /// A metadata entry has another type than the one that is needed.
    #[error("metadata `{key}` of the GGUF file is {found}, where {expected} is expected")]
    Type {
        /// The key asked for.
        key: String,
        /// The type asked for.
        expected: &'static str,
        /// What is there.
        found: String,
    },
}
