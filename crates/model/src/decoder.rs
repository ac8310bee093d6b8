//! The decoder: embedding, layers, head (Qwen report 2.3).

use std::collections::BTreeMap;

use burn::tensor::activation::{silu, softmax};
use burn::tensor::{Tensor, TensorData};

use crate::ModelError;
use crate::cache::{Cache, LayerCache};
use crate::config::ModelConfig;
use crate::device::ComputeDevice;
use crate::linear::{Linear, Matrix};
use crate::masks::Masks;
use crate::names::{LayerNames, Names};
use crate::rope::{Rope, Rotation};
use crate::weights::Weights;

/// Tokens computed in one pass at most.
const PASS: usize = 512;

/// Bytes of the attention scores of one pass at most, where the context is long.
const SCORES: usize = 1 << 28;

/// A decoder-only transformer with its weights on a device.
#[derive(Debug)]
pub struct Decoder {
    config: ModelConfig,
    device: ComputeDevice,
    embedding: Matrix,
    layers: Vec<Layer>,
    norm: RmsNorm,
    /// `None` where the head is the embedding.
    head: Option<Matrix>,
    rope: Rope,
}

impl Decoder {
    /// Reads the weights tensor by tensor onto the device.
    pub(crate) fn load(config: ModelConfig, weights: &Weights, device: ComputeDevice) -> Result<Self, ModelError> {
        let names = Names::new(&config);
        let vocabulary = |name: &str| {
            let name = format!("{name}.weight");
            weights.matrix(&name, config.vocabulary_size, config.hidden_size, &device)
        };
        let embedding = vocabulary(names.embedding())?;
        let layers = (0..config.layers)
            .map(|number| Layer::load(number, &names.layer(number), &config, weights, &device))
            .collect::<Result<Vec<_>, _>>()?;
        let norm = RmsNorm::load(names.norm(), &config, weights, &device)?;
        let head = if config.tied_embeddings { None } else { Some(vocabulary(names.head())?) };
        let rope = Rope::new(&config);
        Ok(Self { config, device, embedding, layers, norm, head, rope })
    }

    /// The shape of the model.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// Where it runs.
    pub fn device(&self) -> &ComputeDevice {
        &self.device
    }

    /// Bytes of matrices held in each type (`F32`, `F16`); a tied head counts once.
    pub fn weight_bytes(&self) -> BTreeMap<String, usize> {
        let layers = self.layers.iter().flat_map(|layer| {
            let attention = &layer.attention;
            [&attention.query_key_value, &attention.output, &layer.gate_up, &layer.down].map(Linear::weight)
        });
        let mut bytes = BTreeMap::new();
        for (dtype, size) in layers.chain([&self.embedding]).chain(&self.head).flat_map(Matrix::held) {
            *bytes.entry(format!("{dtype:?}")).or_default() += size;
        }
        bytes
    }

    /// An empty cache for this model.
    pub fn new_cache(&self) -> Cache {
        Cache::new(self.layers.len())
    }

    /// Makes the cache ready for a prompt: keeps the tokens that both begin with, all but the prompt's last,
    /// and forgets the rest. Returns how many are kept; the others are to be computed.
    ///
    /// With dynamic NTK the prompt's length decides α, and what was computed under another α is forgotten:
    /// a result always equals that of an empty cache.
    pub fn begin(&self, cache: &mut Cache, prompt: &[u32]) -> usize {
        let ntk_alpha = self.config.extension.map_or(1, |extension| extension.ntk_alpha(prompt.len()));
        let common = cache.ids().iter().zip(prompt).take_while(|(a, b)| a == b).count();
        // The logits of the last prompt token choose the first new one.
        let kept = if cache.ntk_alpha == ntk_alpha { common.min(prompt.len().saturating_sub(1)) } else { 0 };
        cache.ntk_alpha = ntk_alpha;
        cache.truncate(kept);
        kept
    }

    /// How many tokens the next pass behind those in `cache` may have: bounds the memory of attention scores.
    pub(crate) fn pass(&self, cache: &Cache) -> usize {
        let limit = SCORES.min(self.device.binding_limit());
        let keys = cache.ids().len() + PASS;
        (limit / (size_of::<f32>() * self.config.heads * keys)).clamp(1, PASS)
    }

    /// Computes `ids` behind the tokens in `cache` and returns the logits of the last one, `[vocabulary]`.
    ///
    /// # Errors
    /// [`ModelError::Tokens`] when `ids` is empty or holds an id outside the vocabulary, and
    /// [`ModelError::Computation`] when the device fails.
    pub fn extend(&self, cache: &mut Cache, ids: &[u32]) -> Result<Vec<f32>, ModelError> {
        let mut logits = Vec::new();
        self.in_passes(cache, ids, |hidden, last| {
            if last {
                let tokens = hidden.dims()[0];
                logits = to_vec(self.logits(hidden.narrow(0, tokens - 1, 1)))?;
            }
            Ok(())
        })?;
        Ok(logits)
    }

    /// As [`extend`](Self::extend), with the logits of every one of `ids`, row by row `[tokens, vocabulary]`.
    ///
    /// # Errors
    /// As [`extend`](Self::extend).
    pub fn extend_all(&self, cache: &mut Cache, ids: &[u32]) -> Result<Vec<f32>, ModelError> {
        let vocabulary = self.config.vocabulary_size;
        let rows = (self.device.binding_limit() / (size_of::<f32>() * vocabulary)).clamp(1, PASS);
        let mut logits = Vec::with_capacity(ids.len() * vocabulary);
        self.in_passes(cache, ids, |hidden, _| {
            for hidden in hidden.split(rows, 0) {
                logits.extend(to_vec(self.logits(hidden))?);
            }
            Ok(())
        })?;
        Ok(logits)
    }

    /// Computes `ids` in passes, and gives the hidden states of each to `take`, with whether it is the last.
    fn in_passes(
        &self,
        cache: &mut Cache,
        mut ids: &[u32],
        mut take: impl FnMut(Tensor<2>, bool) -> Result<(), ModelError> + Send,
    ) -> Result<(), ModelError> {
        self.check(ids)?;
        self.in_pool(|| {
            while !ids.is_empty() {
                let (pass, rest) = ids.split_at(self.pass(cache).min(ids.len()));
                take(self.hidden(cache, pass), rest.is_empty())?;
                ids = rest;
            }
            Ok(())
        })
    }

    fn check(&self, ids: &[u32]) -> Result<(), ModelError> {
        let vocabulary = self.config.vocabulary_size;
        match ids.iter().find(|&&id| id as usize >= vocabulary) {
            _ if ids.is_empty() => Err(no_tokens()),
            None => Ok(()),
            Some(id) => {
                Err(ModelError::Tokens { reason: format!("id {id} is outside the vocabulary of {vocabulary}") })
            }
        }
    }

    /// Computes on a thread of rayon's pool where the CPU computes: from outside the pool, each of the
    /// hundreds of products of a pass would be handed over and waited for.
    fn in_pool<Output: Send>(&self, compute: impl FnOnce() -> Output + Send) -> Output {
        if self.device.is_cpu() { rayon::scope(|_| compute()) } else { compute() }
    }

    /// Runs all layers: `[tokens, hidden]` before the last norm.
    fn hidden(&self, cache: &mut Cache, ids: &[u32]) -> Tensor<2> {
        let device = &self.device.device;
        let start = cache.ids().len();
        let mut hidden = self.embedding.rows(ids);
        let pass = Pass {
            start,
            tokens: ids.len(),
            rotation: self.rope.rotation(start, ids.len(), cache.ntk_alpha, device),
            query_scale: self.query_scale(start, ids.len()),
            masks: Masks::new(&self.config, start, ids.len(), device),
        };
        for (layer, cache) in self.layers.iter().zip(&mut cache.layers) {
            hidden = layer.forward(hidden, cache, &pass);
        }
        cache.push(ids);
        hidden
    }

    /// LogN: log(i + 1) / log(trained context) for the queries at positions i beyond it, `[tokens, 1, 1]`.
    fn query_scale(&self, start: usize, tokens: usize) -> Option<Tensor<3>> {
        let extension = self.config.extension.filter(|extension| extension.logn)?;
        if start + tokens <= extension.trained_context {
            return None;
        }
        let trained = (extension.trained_context as f64).ln();
        let scales = (start..start + tokens).map(|position| ((position as f64 + 1.0).ln() / trained).max(1.0) as f32);
        let values: Vec<f32> = scales.collect();
        Some(Tensor::from_data(TensorData::new(values, [tokens, 1, 1]), &self.device.device))
    }

    fn logits(&self, hidden: Tensor<2>) -> Tensor<2> {
        let hidden = self.norm.forward(hidden);
        self.head.as_ref().unwrap_or(&self.embedding).product(hidden)
    }
}

fn no_tokens() -> ModelError {
    ModelError::Tokens { reason: "there are none".to_owned() }
}

fn to_vec(logits: Tensor<2>) -> Result<Vec<f32>, ModelError> {
    logits.try_into_vec_as::<f32>().map_err(|error| ModelError::Computation { reason: error.to_string() })
}

/// What all layers of one pass share.
struct Pass {
    start: usize,
    tokens: usize,
    rotation: Rotation,
    query_scale: Option<Tensor<3>>,
    masks: Masks,
}

/// One layer: attention and gated MLP, each behind a norm and with a residual.
#[derive(Debug)]
struct Layer {
    attention_norm: RmsNorm,
    attention: Attention,
    feed_forward_norm: RmsNorm,
    gate_up: Linear,
    down: Linear,
    feed_forward_size: usize,
}

impl Layer {
    fn load(
        number: usize,
        names: &LayerNames,
        config: &ModelConfig,
        weights: &Weights,
        device: &ComputeDevice,
    ) -> Result<Self, ModelError> {
        let (hidden, inner) = (config.hidden_size, config.feed_forward_size);
        let gate_up = suffixed(&names.gate_up, "weight");
        let down = format!("{}.weight", names.down);
        Ok(Self {
            attention_norm: RmsNorm::load(&names.attention_norm, config, weights, device)?,
            attention: Attention::load(number, names, config, weights, device)?,
            feed_forward_norm: RmsNorm::load(&names.feed_forward_norm, config, weights, device)?,
            gate_up: Linear::new(weights.stacked(&gate_up, hidden, device)?, None),
            down: Linear::new(weights.matrix(&down, hidden, inner, device)?, None),
            feed_forward_size: inner,
        })
    }

    fn forward(&self, hidden: Tensor<2>, cache: &mut LayerCache, pass: &Pass) -> Tensor<2> {
        let attended = self.attention.forward(self.attention_norm.forward(hidden.clone()), cache, pass);
        let hidden = hidden + attended;
        let gate_up = self.gate_up.forward(self.feed_forward_norm.forward(hidden.clone()));
        let gate = gate_up.clone().narrow(1, 0, self.feed_forward_size);
        let up = gate_up.narrow(1, self.feed_forward_size, self.feed_forward_size);
        hidden + self.down.forward(silu(gate) * up)
    }
}

fn suffixed(parts: &[(String, usize)], suffix: &str) -> Vec<(String, usize)> {
    parts.iter().map(|(name, rows)| (format!("{name}.{suffix}"), *rows)).collect()
}

/// Grouped-query attention with rotary positions.
#[derive(Debug)]
struct Attention {
    query_key_value: Linear,
    head_norms: Option<HeadNorms>,
    output: Linear,
    heads: usize,
    key_value_heads: usize,
    head_size: usize,
    window: Option<usize>,
}

impl Attention {
    fn load(
        number: usize,
        names: &LayerNames,
        config: &ModelConfig,
        weights: &Weights,
        device: &ComputeDevice,
    ) -> Result<Self, ModelError> {
        let query = config.heads * config.head_size;
        let parts = |suffix| suffixed(&names.query_key_value, suffix);
        let weight = weights.stacked(&parts("weight"), config.hidden_size, device)?;
        let bias = if config.attention_bias { Some(weights.vector(&parts("bias"), device)?) } else { None };
        let head_norms = names.head_norms.as_ref().map(|names| HeadNorms::load(names, config, weights, device));
        let output = format!("{}.weight", names.output);
        Ok(Self {
            query_key_value: Linear::new(weight, bias),
            head_norms: head_norms.transpose()?,
            output: Linear::new(weights.matrix(&output, config.hidden_size, query, device)?, None),
            heads: config.heads,
            key_value_heads: config.key_value_heads,
            head_size: config.head_size,
            window: config.windows.get(number).copied().flatten(),
        })
    }

    fn forward(&self, hidden: Tensor<2>, cache: &mut LayerCache, pass: &Pass) -> Tensor<2> {
        let (tokens, size, shared) = (pass.tokens, self.head_size, self.key_value_heads);
        let group = self.heads / shared;
        let stacked = self.query_key_value.forward(hidden);
        let all = stacked.reshape([tokens, self.heads + 2 * shared, size]);
        let values = all.clone().narrow(1, self.heads + shared, shared).swap_dims(0, 1);
        // Query and key heads are normed and rotated together.
        let query_key = all.narrow(1, 0, self.heads + shared);
        let query_key = match &self.head_norms {
            Some(norms) => norms.forward(query_key),
            None => query_key,
        };
        let rotated = pass.rotation.apply(query_key);
        let keys = rotated.clone().narrow(1, self.heads, shared).swap_dims(0, 1);
        let (keys, values) = cache.extend(pass.start, keys, values);

        // The query heads that share a key head are rows of one product: keys are never repeated.
        let queries = rotated.narrow(1, 0, self.heads);
        let queries = match &pass.query_scale {
            Some(scale) => queries * scale.clone(),
            None => queries,
        };
        let queries = queries.reshape([tokens, shared, group, size]);
        let queries = queries.permute([1, 2, 0, 3]).reshape([shared, group * tokens, size]);
        let scores = queries.mul_scalar(1.0 / (size as f64).sqrt()).matmul(keys.swap_dims(1, 2));
        let scores = match pass.masks.of(self.window) {
            Some(mask) => scores + mask.clone(),
            None => scores,
        };
        let attended = softmax(scores, 2).matmul(values);
        let attended = attended.reshape([shared, group, tokens, size]).permute([2, 0, 1, 3]);
        self.output.forward(attended.reshape([tokens, self.heads * size]))
    }
}

/// x / √(mean(x²) + ε) · weight.
#[derive(Debug)]
struct RmsNorm {
    weight: Tensor<2>,
    epsilon: f64,
}

impl RmsNorm {
    fn load(name: &str, config: &ModelConfig, weights: &Weights, device: &ComputeDevice) -> Result<Self, ModelError> {
        let weight = weights.vector(&[(format!("{name}.weight"), config.hidden_size)], device)?;
        Ok(Self { weight: weight.unsqueeze(), epsilon: config.norm_epsilon })
    }

    fn forward(&self, hidden: Tensor<2>) -> Tensor<2> {
        normed(hidden, self.epsilon) * self.weight.clone()
    }
}

/// RMSNorm over each head of query and key (Qwen 3), one weight for all query and one for all key heads.
#[derive(Debug)]
struct HeadNorms {
    /// `[1, query and key heads, head]`.
    weight: Tensor<3>,
    epsilon: f64,
}

impl HeadNorms {
    fn load(
        names: &[String; 2],
        config: &ModelConfig,
        weights: &Weights,
        device: &ComputeDevice,
    ) -> Result<Self, ModelError> {
        let heads = |name: &String, heads: usize| {
            let weight = weights.vector(&[(format!("{name}.weight"), config.head_size)], device)?;
            Ok::<_, ModelError>(weight.reshape([1, 1, config.head_size]).repeat_dim(1, heads))
        };
        let [query, key] = names;
        let parts = vec![heads(query, config.heads)?, heads(key, config.key_value_heads)?];
        Ok(Self { weight: Tensor::cat(parts, 1), epsilon: config.norm_epsilon })
    }

    fn forward(&self, heads: Tensor<3>) -> Tensor<3> {
        normed(heads, self.epsilon) * self.weight.clone()
    }
}

/// x / √(mean(x²) + ε) over the last dimension.
fn normed<const D: usize>(values: Tensor<D>, epsilon: f64) -> Tensor<D> {
    let mean_square = values.clone().square().mean_dim(D - 1);
    values * mean_square.add_scalar(epsilon).sqrt().recip()
}
