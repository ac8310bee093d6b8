//! Attention over a packed sequence: an episode sees the shared tokens and itself.

use std::collections::BTreeMap;
use std::ops::Range;

use burn::tensor::{Device, Tensor, TensorData};
use qianshou_model::{LayerNames, ModelConfig};

use super::normed;
use super::values::Values;
use crate::{Sequence, TrainError};

/// Queries that are computed at once. They see keys up to their end only, which spares half of a long prompt.
const BLOCK: usize = 256;

/// What the attention of all layers shares.
pub(super) struct Attention<'a> {
    pub(super) config: &'a ModelConfig,
    /// Of the position of each token, `[tokens, 1, head]`.
    pub(super) cosines: Tensor<3>,
    pub(super) sines: Tensor<3>,
    pub(super) masks: Masks,
    pub(super) sequence: &'a Sequence,
}

/// Consecutive queries of one episode, or of the shared tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Block {
    queries: Range<usize>,
    /// The keys of the same segment that they may see, some of them only in part.
    own: Range<usize>,
    /// Whether they see the shared tokens beside these.
    shared: bool,
}

fn blocks(sequence: &Sequence) -> impl Iterator<Item = Block> {
    let shared = 0..sequence.shared();
    let segments = std::iter::once((shared, false)).chain(sequence.episodes().iter().cloned().map(|part| (part, true)));
    segments.flat_map(move |(segment, episode)| {
        let shared = episode && sequence.shared() > 0;
        segment.clone().step_by(BLOCK).map(move |start| {
            let end = (start + BLOCK).min(segment.end);
            Block { queries: start..end, own: segment.start..end, shared }
        })
    })
}

/// What is added to the scores of a block, by its numbers of queries and keys: 0 where a token may look, −∞ on
/// those behind it, `[1, group × queries, keys]`.
pub(super) struct Masks(BTreeMap<(usize, usize), Tensor<3>>);

impl Masks {
    pub(super) fn new(config: &ModelConfig, sequence: &Sequence, device: &Device) -> Self {
        let group = config.heads / config.key_value_heads;
        let mut masks = BTreeMap::new();
        for block in blocks(sequence) {
            let (queries, keys) = (block.queries.len(), block.own.len());
            masks.entry((queries, keys)).or_insert_with(|| {
                let row = |query: usize| {
                    let last = keys - queries + query;
                    (0..keys).map(move |key| if key <= last { 0.0 } else { f32::NEG_INFINITY })
                };
                let values: Vec<f32> = (0..group).flat_map(|_| (0..queries).flat_map(row)).collect();
                Tensor::from_data(TensorData::new(values, [1, group * queries, keys]), device)
            });
        }
        Self(masks)
    }
}

impl Attention<'_> {
    /// `[tokens, hidden]`, normed, to `[tokens, hidden]`.
    pub(super) fn forward(
        &self,
        hidden: Tensor<2>,
        names: &LayerNames,
        values: &Values<'_>,
    ) -> Result<Tensor<2>, TrainError> {
        let tokens = hidden.dims()[0];
        let (heads, shared, size) = (self.config.heads, self.config.key_value_heads, self.config.head_size);
        let group = heads / shared;
        let [query, key, value] = self.query_key_value(hidden, names, values)?;
        let [query_norm, key_norm] = match &names.head_norms {
            Some([query, key]) => [Some(values.weight(query)?), Some(values.weight(key)?)],
            None => [None, None],
        };
        let queries = self.rotated(query.reshape([tokens, heads, size]), query_norm);
        let keys = self.rotated(key.reshape([tokens, shared, size]), key_norm).swap_dims(0, 1);
        let values_ = value.reshape([tokens, shared, size]).swap_dims(0, 1);
        // The query heads that share a key head are rows of one product: keys are never repeated.
        let queries = queries.mul_scalar(1.0 / (size as f64).sqrt()).reshape([tokens, shared, group, size]);
        let queries = queries.permute([1, 2, 0, 3]);

        let prompt = self.sequence.shared();
        let prompt = (prompt > 0).then(|| (keys.clone().narrow(1, 0, prompt), values_.clone().narrow(1, 0, prompt)));
        let mut attended = Vec::new();
        for block in blocks(self.sequence) {
            let rows = block.queries.len();
            let part = queries.clone().narrow(2, block.queries.start, rows).reshape([shared, group * rows, size]);
            let own = |all: &Tensor<3>| all.clone().narrow(1, block.own.start, block.own.len());
            let mask = self.masks.0.get(&(rows, block.own.len())).cloned();
            let seen = prompt.as_ref().filter(|_| block.shared);
            let part = attend(part, (own(&keys), own(&values_)), mask, seen);
            attended.push(part.reshape([shared, group, rows, size]));
        }
        let attended = Tensor::cat(attended, 2).permute([2, 0, 1, 3]).reshape([tokens, heads * size]);
        values.project(attended, &names.output)
    }

    /// Query, key and value, `[tokens, heads × head]` each, from three projections or a stacked one.
    fn query_key_value(
        &self,
        hidden: Tensor<2>,
        names: &LayerNames,
        values: &Values<'_>,
    ) -> Result<[Tensor<2>; 3], TrainError> {
        if let [(query, _), (key, _), (value, _)] = names.query_key_value.as_slice() {
            let key_value = [values.project(hidden.clone(), key)?, values.project(hidden.clone(), value)?];
            let [key, value] = key_value;
            return Ok([values.project(hidden, query)?, key, value]);
        }
        let mut parts = Vec::new();
        for (stem, _) in &names.query_key_value {
            parts.push(values.project(hidden.clone(), stem)?);
        }
        let all = Tensor::cat(parts, 1);
        let query = self.config.heads * self.config.head_size;
        let key = self.config.key_value_heads * self.config.head_size;
        let part = |start, width| all.clone().narrow(1, start, width);
        Ok([part(0, query), part(query, key), part(query + key, key)])
    }

    /// Normed where the family does so, and rotated: `[tokens, heads, head]`.
    fn rotated(&self, heads: Tensor<3>, norm: Option<Tensor<2>>) -> Tensor<3> {
        let heads = match norm {
            Some(weight) => normed(heads, self.config.norm_epsilon) * weight.unsqueeze::<3>(),
            None => heads,
        };
        let half = heads.dims()[2] / 2;
        let first = heads.clone().narrow(2, 0, half);
        let second = heads.clone().narrow(2, half, half);
        let turned = Tensor::cat(vec![second.neg(), first], 2);
        heads * self.cosines.clone() + turned * self.sines.clone()
    }
}

/// softmax(q · kᵀ) · v over a block's own keys and the shared ones, `[key heads, rows, head]`.
///
/// The softmax is divided out behind the second product, where there is less to divide, and the greatest score
/// is a constant: that changes no gradient.
fn attend(
    queries: Tensor<3>,
    (keys, values): (Tensor<3>, Tensor<3>),
    mask: Option<Tensor<3>>,
    shared: Option<&(Tensor<3>, Tensor<3>)>,
) -> Tensor<3> {
    let scores = queries.clone().matmul(keys.swap_dims(1, 2));
    let scores = match mask {
        Some(mask) => scores + mask,
        None => scores,
    };
    let greatest = scores.clone().detach().max_dim(2);
    let Some((shared_keys, shared_values)) = shared else {
        let weights = (scores - greatest).exp();
        return weights.clone().matmul(values) / weights.sum_dim(2);
    };
    let shared_scores = queries.matmul(shared_keys.clone().swap_dims(1, 2));
    let greatest = greatest.max_pair(shared_scores.clone().detach().max_dim(2));
    let weights = (scores - greatest.clone()).exp();
    let shared_weights = (shared_scores - greatest).exp();
    let sums = weights.clone().sum_dim(2) + shared_weights.clone().sum_dim(2);
    (weights.matmul(values) + shared_weights.matmul(shared_values.clone())) / sums
}
