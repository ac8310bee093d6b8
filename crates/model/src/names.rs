//! What the families call their tensors: the names of Hugging Face, whatever file holds them.

use crate::config::{Family, ModelConfig};

/// Names of tensors, with the rows that belong to each where several are stacked into one product.
#[derive(Debug)]
pub struct Names {
    layers: &'static str,
    /// Rows of query, and of key and of value.
    query: usize,
    key_value: usize,
    feed_forward: usize,
    qwen1: bool,
    head_norms: bool,
}

/// The tensors of one layer, without `.weight` and `.bias`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerNames {
    /// The norm before attention.
    pub attention_norm: String,
    /// Query, key and value, in this order, or one tensor that holds all three.
    pub query_key_value: Vec<(String, usize)>,
    /// Norms on each head of query and key, where the family has them.
    pub head_norms: Option<[String; 2]>,
    /// The projection of what was attended.
    pub output: String,
    /// The norm before the gated MLP.
    pub feed_forward_norm: String,
    /// The matrix behind SiLU, then the one that it is multiplied with.
    pub gate_up: [(String, usize); 2],
    /// The projection out of the gated MLP.
    pub down: String,
}

impl Names {
    /// The names in a model of this shape.
    pub fn new(config: &ModelConfig) -> Self {
        let qwen1 = config.family == Family::Qwen1;
        Self {
            layers: if qwen1 { "transformer.h" } else { "model.layers" },
            query: config.heads * config.head_size,
            key_value: config.key_value_heads * config.head_size,
            feed_forward: config.feed_forward_size,
            qwen1,
            head_norms: config.family == Family::Qwen3,
        }
    }

    /// The embedding.
    pub fn embedding(&self) -> &'static str {
        if self.qwen1 { "transformer.wte" } else { "model.embed_tokens" }
    }

    /// The norm behind the last layer.
    pub fn norm(&self) -> &'static str {
        if self.qwen1 { "transformer.ln_f" } else { "model.norm" }
    }

    /// The head of a model whose head is not its embedding.
    pub fn head(&self) -> &'static str {
        "lm_head"
    }

    /// Every tensor that a model of this shape needs, with `.weight` and `.bias`.
    pub fn all(&self, config: &ModelConfig) -> Vec<String> {
        let mut stems = vec![self.embedding().to_owned(), self.norm().to_owned()];
        if !config.tied_embeddings {
            stems.push(self.head().to_owned());
        }
        let mut biases = Vec::new();
        for layer in (0..config.layers).map(|number| self.layer(number)) {
            let query_key_value = layer.query_key_value.into_iter().map(|(name, _)| name);
            if config.attention_bias {
                biases.extend(query_key_value.clone());
            }
            stems.extend([layer.attention_norm, layer.feed_forward_norm, layer.output, layer.down]);
            stems.extend(query_key_value.chain(layer.gate_up.map(|(name, _)| name)));
            stems.extend(layer.head_norms.into_iter().flatten());
        }
        let weights = stems.into_iter().map(|name| format!("{name}.weight"));
        weights.chain(biases.into_iter().map(|name| format!("{name}.bias"))).collect()
    }

    /// The tensors of a layer, counted from 0.
    pub fn layer(&self, number: usize) -> LayerNames {
        let name = |part: &str| format!("{}.{number}.{part}", self.layers);
        if self.qwen1 {
            return LayerNames {
                attention_norm: name("ln_1"),
                query_key_value: vec![(name("attn.c_attn"), self.query + 2 * self.key_value)],
                head_norms: None,
                output: name("attn.c_proj"),
                feed_forward_norm: name("ln_2"),
                // SiLU is on w2 (official code: `w1(x) * silu(w2(x))`).
                gate_up: [(name("mlp.w2"), self.feed_forward), (name("mlp.w1"), self.feed_forward)],
                down: name("mlp.c_proj"),
            };
        }
        LayerNames {
            attention_norm: name("input_layernorm"),
            query_key_value: vec![
                (name("self_attn.q_proj"), self.query),
                (name("self_attn.k_proj"), self.key_value),
                (name("self_attn.v_proj"), self.key_value),
            ],
            head_norms: self.head_norms.then(|| [name("self_attn.q_norm"), name("self_attn.k_norm")]),
            output: name("self_attn.o_proj"),
            feed_forward_norm: name("post_attention_layernorm"),
            gate_up: [(name("mlp.gate_proj"), self.feed_forward), (name("mlp.up_proj"), self.feed_forward)],
            down: name("mlp.down_proj"),
        }
    }
}
