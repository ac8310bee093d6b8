//! Where the elements of a tensor lie in its storage: PyTorch's sizes and strides.

use std::ops::Range;

/// Sizes and strides, in elements. A transposed tensor, for example, views the storage of the original with
/// exchanged strides.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    shape: Vec<usize>,
    strides: Vec<usize>,
}

impl Layout {
    /// The layout and the number of elements from its first to its last in the storage; `None` where these
    /// are fewer than the tensor has, as if it showed an element twice, or more than this machine can count.
    pub(super) fn new(shape: Vec<usize>, strides: Vec<usize>) -> Option<(Self, usize)> {
        // Sizes of 0 are left out, so that no product over some of the sizes can overflow later.
        let most = shape.iter().try_fold(1_usize, |count, &size| count.checked_mul(size.max(1)))?;
        if shape.contains(&0) {
            return Some((Self { shape, strides }, 0));
        }
        let mut last = 0_usize;
        for (&size, &stride) in shape.iter().zip(&strides) {
            last = last.checked_add((size - 1).checked_mul(stride)?)?;
        }
        let span = last.checked_add(1)?;
        (most <= span).then_some((Self { shape, strides }, span))
    }

    pub(super) fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Whether the elements lie row by row without gaps.
    pub(super) fn is_contiguous(&self) -> bool {
        let mut expected = 1;
        self.shape.iter().zip(&self.strides).rev().all(|(&size, &stride)| {
            let fits = size == 1 || stride == expected;
            expected *= size;
            fits
        })
    }

    /// Some of the elements, counted row by row, each of `width` bytes, out of the bytes from the first to the
    /// last of all.
    pub(super) fn gather(&self, bytes: &[u8], width: usize, elements: Range<usize>) -> Vec<u8> {
        let mut gathered = Vec::with_capacity(elements.len() * width);
        for index in elements {
            let (mut rest, mut place) = (index, 0);
            for (&size, &stride) in self.shape.iter().zip(&self.strides).rev() {
                place += rest % size * stride;
                rest /= size;
            }
            gathered.extend_from_slice(&bytes[place * width..][..width]);
        }
        gathered
    }
}
