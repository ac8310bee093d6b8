//! Keys and values of the tokens computed so far.

use burn::tensor::{Device, Tensor};

/// Tokens by which a cache grows: capacity is a multiple of it.
const CHUNK: usize = 256;

/// The cache of one layer: `[key-value heads, capacity, head]` each.
///
/// The tensors are written in place. That holds only while nobody else holds a view of them, which is
/// why they are taken out of their option, written, and put back.
#[derive(Debug, Default)]
pub(crate) struct LayerCache {
    keys: Option<Tensor<3>>,
    values: Option<Tensor<3>>,
}

impl LayerCache {
    /// Writes keys and values `[heads, tokens, head]` at `start`, and returns those of `0..start + tokens`.
    pub(crate) fn extend(&mut self, start: usize, keys: Tensor<3>, values: Tensor<3>) -> (Tensor<3>, Tensor<3>) {
        (write(&mut self.keys, start, keys), write(&mut self.values, start, values))
    }
}

fn write(slot: &mut Option<Tensor<3>>, start: usize, new: Tensor<3>) -> Tensor<3> {
    let [heads, tokens, head] = new.dims();
    let end = start + tokens;
    let device: Device = new.device();
    let capacity = end.next_multiple_of(CHUNK);
    let store = match slot.take() {
        Some(store) if store.dims()[1] >= end => store,
        Some(store) if start > 0 => {
            let kept = store.narrow(1, 0, start);
            Tensor::zeros([heads, capacity, head], &device).slice_assign([0..heads, 0..start, 0..head], kept)
        }
        _ => Tensor::zeros([heads, capacity, head], &device),
    };
    let store = store.slice_assign([0..heads, start..end, 0..head], new);
    slot.insert(store).clone().narrow(1, 0, end)
}

/// The cache of a whole model: which tokens it holds, and each layer's keys and values.
#[derive(Debug)]
pub struct Cache {
    pub(crate) layers: Vec<LayerCache>,
    /// α of dynamic NTK under which they were computed; 1 for models without it.
    pub(crate) ntk_alpha: u32,
    ids: Vec<u32>,
}

impl Cache {
    pub(crate) fn new(layers: usize) -> Self {
        Self { layers: (0..layers).map(|_| LayerCache::default()).collect(), ntk_alpha: 1, ids: Vec::new() }
    }

    /// The tokens held.
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// Forgets all tokens from `length` on. Memory is kept for those that follow.
    pub fn truncate(&mut self, length: usize) {
        self.ids.truncate(length);
    }

    pub(crate) fn push(&mut self, ids: &[u32]) {
        self.ids.extend_from_slice(ids);
    }
}
