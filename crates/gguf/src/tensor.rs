//! Where tensors lie in the file and how their elements are stored.

use std::fmt;
use std::ops::Range;

use crate::GgufError;

/// How the elements of a tensor are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(non_camel_case_types, reason = "the variants carry the names that the formats have everywhere")]
#[non_exhaustive]
pub enum TensorKind {
    /// Floating point, 32 bits.
    F32,
    /// IEEE half precision, 16 bits.
    F16,
    /// The upper half of `F32`, 16 bits.
    BF16,
    /// Blocks of 32 with one scale, 8 bits an element.
    Q8_0,
    /// Blocks of 32 with one scale, 4 bits an element.
    Q4_0,
    /// Blocks of 32 with scale and minimum, 4 bits an element.
    Q4_1,
    /// Blocks of 32 with one scale, 5 bits an element.
    Q5_0,
    /// Blocks of 32 with scale and minimum, 5 bits an element.
    Q5_1,
    /// Blocks of 256 with quantised scales and minima, 4 bits an element.
    Q4_K,
    /// Blocks of 256 with quantised scales and minima, 5 bits an element.
    Q5_K,
    /// Blocks of 256 with quantised scales, 6 bits an element.
    Q6_K,
    /// Another format, by its number in ggml.
    Other(u32),
}

impl TensorKind {
    /// The kind with this number in ggml.
    pub fn from_id(id: u32) -> Self {
        match id {
            0 => Self::F32,
            1 => Self::F16,
            2 => Self::Q4_0,
            3 => Self::Q4_1,
            6 => Self::Q5_0,
            7 => Self::Q5_1,
            8 => Self::Q8_0,
            12 => Self::Q4_K,
            13 => Self::Q5_K,
            14 => Self::Q6_K,
            30 => Self::BF16,
            other => Self::Other(other),
        }
    }

    /// Its number in ggml.
    pub fn id(self) -> u32 {
        match self {
            Self::F32 => 0,
            Self::F16 => 1,
            Self::Q4_0 => 2,
            Self::Q4_1 => 3,
            Self::Q5_0 => 6,
            Self::Q5_1 => 7,
            Self::Q8_0 => 8,
            Self::Q4_K => 12,
            Self::Q5_K => 13,
            Self::Q6_K => 14,
            Self::BF16 => 30,
            Self::Other(id) => id,
        }
    }

    /// How many elements are stored together; `None` for a kind that is not known here.
    pub fn block_len(self) -> Option<usize> {
        match self {
            Self::F32 | Self::F16 | Self::BF16 => Some(1),
            Self::Q8_0 | Self::Q4_0 | Self::Q4_1 | Self::Q5_0 | Self::Q5_1 => Some(32),
            Self::Q4_K | Self::Q5_K | Self::Q6_K => Some(256),
            Self::Other(_) => None,
        }
    }

    /// How many bytes a block takes; `None` for a kind that is not known here.
    pub fn block_bytes(self) -> Option<usize> {
        match self {
            Self::F32 => Some(4),
            Self::F16 | Self::BF16 => Some(2),
            Self::Q8_0 => Some(34),
            Self::Q4_0 => Some(18),
            Self::Q4_1 => Some(20),
            Self::Q5_0 => Some(22),
            Self::Q5_1 => Some(24),
            Self::Q4_K => Some(144),
            Self::Q5_K => Some(176),
            Self::Q6_K => Some(210),
            Self::Other(_) => None,
        }
    }
}

impl fmt::Display for TensorKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other(id) => write!(formatter, "ggml type {id}"),
            known => fmt::Debug::fmt(known, formatter),
        }
    }
}

/// One tensor of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TensorInfo {
    /// Its name, for example `blk.0.attn_q.weight`.
    pub name: String,
    /// Its shape with rows first: `[rows, columns]`, the reverse of the order in the file.
    pub shape: Vec<usize>,
    /// How its elements are stored.
    pub kind: TensorKind,
    /// Its bytes, counted from the beginning of the file. The range lies inside the file and has
    /// exactly the size that shape and kind give; for [`TensorKind::Other`], whose size is not known,
    /// it goes to the next tensor or to the end of the file.
    pub range: Range<usize>,
}

impl TensorInfo {
    /// How many elements the tensor has.
    pub fn element_count(&self) -> usize {
        self.shape.iter().product()
    }
}

/// A tensor as the header describes it, before its place was checked.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) kind: TensorKind,
    /// Counted from the beginning of all tensor data.
    pub(crate) offset: u64,
}

impl Entry {
    /// The size of the data in bytes; `None` for an unknown kind.
    fn size(&self) -> Result<Option<usize>, GgufError> {
        let too_large = || GgufError::Shape { name: self.name.clone(), shape: self.shape.clone() };
        // Multiplied in full also where a dimension is 0, so that `element_count` cannot overflow.
        let elements = self.shape.iter().try_fold(1usize, |product, &length| product.checked_mul(length));
        let elements = elements.ok_or_else(too_large)?;
        let (Some(block), Some(bytes)) = (self.kind.block_len(), self.kind.block_bytes()) else {
            return Ok(None);
        };
        let columns = self.shape.last().copied().unwrap_or(1);
        if !columns.is_multiple_of(block) {
            return Err(GgufError::Row { name: self.name.clone(), columns, block, kind: self.kind });
        }
        (elements / block).checked_mul(bytes).map(Some).ok_or_else(too_large)
    }

    /// Checks that the data lies within the file and is aligned. `data` is where all tensor data
    /// begins.
    pub(crate) fn locate(self, data: usize, file_size: usize, alignment: usize) -> Result<TensorInfo, GgufError> {
        let size = self.size()?;
        let Self { name, shape, kind, offset } = self;
        if !offset.is_multiple_of(alignment as u64) {
            return Err(GgufError::Unaligned { name, offset, alignment });
        }
        let bytes = size.unwrap_or(0);
        let start = usize::try_from(offset).ok().and_then(|offset| data.checked_add(offset));
        let range = start.and_then(|start| Some(start..start.checked_add(bytes)?));
        match range {
            Some(range) if range.end <= file_size => Ok(TensorInfo { name, shape, kind, range }),
            _ => {
                let available = file_size.saturating_sub(data);
                Err(GgufError::Outside { name, offset, size: bytes, available })
            }
        }
    }
}

/// Lets the range of each tensor of unknown kind go to the next tensor or to the end of the file.
pub(crate) fn extend_unknown(tensors: &mut [TensorInfo], file_size: usize) {
    let mut starts: Vec<usize> = tensors.iter().map(|tensor| tensor.range.start).collect();
    starts.sort_unstable();
    for tensor in tensors.iter_mut().filter(|tensor| matches!(tensor.kind, TensorKind::Other(_))) {
        let next = starts.partition_point(|&start| start <= tensor.range.start);
        tensor.range.end = starts.get(next).copied().unwrap_or(file_size);
    }
}
