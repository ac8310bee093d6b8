//! The shape of a decoder, read from `config.json` or from a GGUF's metadata.

use std::path::Path;

use qianshou_gguf::Gguf;
use serde_json::Value;

use crate::ModelError;

/// Model families, by what differs between their layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Family {
    /// Qwen 1 (Qwen-1.8B to 72B): biases on the stacked query, key and value, untied head, dynamic NTK and
    /// LogN scaling.
    Qwen1,
    /// Qwen 1.5, 2 and 2.5: biases on query, key and value.
    Qwen2,
    /// Qwen 3 dense: norms on each head of query and key instead of biases.
    Qwen3,
    /// Llama (and SmolLM2): the same layers without biases.
    Llama,
}

/// How rotary frequencies are stretched beyond the trained context.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RopeScaling {
    /// As trained.
    None,
    /// Every frequency divided by a factor.
    Linear {
        /// The factor.
        factor: f64,
    },
    /// YaRN: low frequencies are interpolated, high ones kept, and attention is rescaled.
    Yarn {
        /// Stretch of the context.
        factor: f64,
        /// Context that the model was trained on, in tokens.
        original_context: usize,
        /// Rotations above which a frequency is kept.
        beta_fast: f64,
        /// Rotations below which a frequency is interpolated.
        beta_slow: f64,
        /// Multiplies cosines and sines.
        attention_factor: f64,
    },
}

impl RopeScaling {
    /// The longest sequence, where the files state this one: who adds YaRN to a configuration leaves that as it was.
    fn context_window(self, stated: usize) -> usize {
        match self {
            // The conversion saturates, and a window that is too long is refused like every other size.
            Self::Yarn { factor, original_context, .. } => stated.max((factor * original_context as f64) as usize),
            Self::None | Self::Linear { .. } => stated,
        }
    }
}

/// The shape of a decoder-only transformer with grouped-query attention and a gated MLP.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelConfig {
    /// The family.
    pub family: Family,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Number of layers.
    pub layers: usize,
    /// Query heads a layer.
    pub heads: usize,
    /// Key and value heads a layer; divides `heads`.
    pub key_value_heads: usize,
    /// Width of a head.
    pub head_size: usize,
    /// Width of the gated MLP.
    pub feed_forward_size: usize,
    /// Rows of the embedding; may exceed the tokenizer's vocabulary.
    pub vocabulary_size: usize,
    /// ε of RMSNorm.
    pub norm_epsilon: f64,
    /// Base of the rotary frequencies.
    pub rope_theta: f64,
    /// How they are stretched.
    pub rope_scaling: RopeScaling,
    /// What Qwen 1 does beyond the context that it was trained on.
    pub extension: Option<ContextExtension>,
    /// Longest sequence, in tokens; with YaRN the stretched one.
    pub context_window: usize,
    /// The output head is the embedding.
    pub tied_embeddings: bool,
    /// Query, key and value have biases.
    pub attention_bias: bool,
    /// For each layer, how many tokens back a token sees, itself included; `None` is all, and so is a layer
    /// beyond the end. Qwen 2 has such windows in its upper layers (`use_sliding_window`).
    pub windows: Vec<Option<usize>>,
}

/// Training-free extension of the context (Qwen report 2.5), as the official code of Qwen 1 has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContextExtension {
    /// Context that the model was trained on (`seq_length`), in tokens.
    pub trained_context: usize,
    /// Dynamic NTK: a prompt longer than that stretches the rotary base.
    pub dynamic_ntk: bool,
    /// LogN: queries beyond it are scaled by the logarithm of their position.
    pub logn: bool,
}

impl ContextExtension {
    /// α of dynamic NTK for a prompt of this length; the rotary base is multiplied by α^(d / (d − 2)).
    pub(crate) fn ntk_alpha(&self, prompt: usize) -> u32 {
        if !self.dynamic_ntk {
            return 1;
        }
        let doublings = (prompt as f64 / self.trained_context as f64).log2() + 1.0;
        // A prompt is far shorter than 2³⁰ times the trained context.
        (2.0_f64.powf(doublings.ceil()) - 1.0).max(1.0) as u32
    }
}

impl ModelConfig {
    /// Reads a Hugging Face `config.json`.
    ///
    /// # Errors
    /// [`ModelError::Config`] with the field that is missing or out of range, or
    /// [`ModelError::UnsupportedFamily`].
    pub fn from_hugging_face(config: &Value, path: &Path) -> Result<Self, ModelError> {
        let fields = Fields { config, path };
        let model_type = config.get("model_type").and_then(Value::as_str).unwrap_or("missing");
        let family = match model_type {
            "qwen" => return fields.qwen1(),
            "qwen2" => Family::Qwen2,
            "qwen3" => Family::Qwen3,
            "llama" => Family::Llama,
            other => {
                return Err(ModelError::UnsupportedFamily { path: path.to_owned(), family: other.to_owned() });
            }
        };
        match config.get("hidden_act").and_then(Value::as_str) {
            None | Some("silu") => {}
            Some(_) => return Err(fields.error("hidden_act", "is not supported, expected \"silu\"")),
        }
        let hidden_size = fields.size("hidden_size")?;
        let layers = fields.size("num_hidden_layers")?;
        let heads = fields.size("num_attention_heads")?;
        let context_window = fields.size("max_position_embeddings")?;
        let head_size = match fields.optional_size("head_dim")? {
            Some(size) => size,
            None if hidden_size.is_multiple_of(heads) => hidden_size / heads,
            None => return Err(fields.error("num_attention_heads", "does not divide `hidden_size`")),
        };
        let flag = |name: &str, default| config.get(name).and_then(Value::as_bool).unwrap_or(default);
        if flag("mlp_bias", false) {
            return Err(fields.error("mlp_bias", "is not supported, expected false"));
        }
        let attention_bias = match family {
            Family::Qwen2 => true,
            _ if flag("attention_bias", false) => {
                return Err(fields.error("attention_bias", "is not supported for this family, expected false"));
            }
            _ => false,
        };
        let rope_scaling = fields.rope_scaling(context_window)?;
        let config = Self {
            family,
            hidden_size,
            layers,
            heads,
            key_value_heads: fields.optional_size("num_key_value_heads")?.unwrap_or(heads),
            head_size,
            feed_forward_size: fields.size("intermediate_size")?,
            vocabulary_size: fields.size("vocab_size")?,
            norm_epsilon: fields.number(config, "rms_norm_eps", Some(1e-6))?,
            rope_theta: fields.rope_theta()?,
            rope_scaling,
            extension: None,
            context_window: rope_scaling.context_window(context_window),
            tied_embeddings: flag("tie_word_embeddings", false),
            attention_bias,
            windows: Vec::new(),
        };
        let config = config.check(path)?;
        if !flag("use_sliding_window", false) {
            return Ok(config);
        }
        let tokens = fields.size("sliding_window")?;
        let first = fields.optional_size("max_window_layers")?.unwrap_or(layers);
        Ok(Self { windows: (0..layers).map(|layer| (layer >= first).then_some(tokens)).collect(), ..config })
    }

    /// Reads the metadata of a GGUF file. Whether embeddings are tied is told by the absence of the
    /// tensor `output.weight`.
    ///
    /// # Errors
    /// As [`from_hugging_face`](Self::from_hugging_face).
    pub fn from_gguf(gguf: &Gguf, path: &Path) -> Result<Self, ModelError> {
        let error = |field: &str, problem: String| ModelError::Config {
            path: path.to_owned(),
            field: field.to_owned(),
            problem,
        };
        let architecture = gguf.architecture().map_err(|problem| error("general.architecture", problem.to_string()))?;
        let family = match architecture {
            "qwen" => Family::Qwen1,
            "qwen2" => Family::Qwen2,
            "qwen3" => Family::Qwen3,
            "llama" => Family::Llama,
            other => {
                return Err(ModelError::UnsupportedFamily { path: path.to_owned(), family: other.to_owned() });
            }
        };
        let key = |field: &str| format!("{architecture}.{field}");
        let size = |field: &str| -> Result<usize, ModelError> {
            let key = key(field);
            gguf.require_u32(&key).map(|value| value as usize).map_err(|problem| error(&key, problem.to_string()))
        };
        let float = |field: &str, default: f32| -> Result<f64, ModelError> {
            let key = key(field);
            let value = gguf.f32(&key).map_err(|problem| error(&key, problem.to_string()))?.unwrap_or(default);
            // Through the shortest decimal: the file holds F32, but 1e-5 was meant.
            Ok(value.to_string().parse().unwrap_or(f64::from(value)))
        };
        let optional_size = |field: &str| -> Result<Option<usize>, ModelError> {
            let key = key(field);
            let value = gguf.u32(&key).map_err(|problem| error(&key, problem.to_string()))?;
            Ok(value.map(|value| value as usize))
        };
        let hidden_size = size("embedding_length")?;
        let heads = size("attention.head_count")?;
        let key_value_heads = optional_size("attention.head_count_kv")?.unwrap_or(heads);
        let head_size = match optional_size("attention.key_length")? {
            Some(size) => size,
            None if heads > 0 && hidden_size.is_multiple_of(heads) => hidden_size / heads,
            None => return Err(error(&key("attention.head_count"), "does not divide the embedding length".to_owned())),
        };
        let context_window = size("context_length")?;
        let scaling = key("rope.scaling.type");
        let rope_scaling = match gguf.string(&scaling).map_err(|problem| error(&scaling, problem.to_string()))? {
            // Files from before this key can only have a factor.
            None => match float("rope.scale_linear", 1.0)? {
                1.0 => RopeScaling::None,
                factor => RopeScaling::Linear { factor },
            },
            Some("none") => RopeScaling::None,
            Some("linear") => RopeScaling::Linear { factor: float("rope.scaling.factor", 1.0)? },
            Some("yarn") => {
                let original_context = size("rope.scaling.original_context_length")?;
                yarn(float("rope.scaling.factor", 1.0)?, original_context, None, None, None)
            }
            Some(other) => return Err(error(&scaling, format!("is `{other}`, expected none, linear or yarn"))),
        };
        // Converters say only by these tensors what a `config.json` has a field for.
        if gguf.tensor("rope_freqs.weight").is_some() {
            let problem = "is not supported: it stretches rotary frequencies one by one, as Llama 3.1 does";
            return Err(error("rope_freqs.weight", problem.to_owned()));
        }
        let attention_bias = matches!(family, Family::Qwen1 | Family::Qwen2);
        if !attention_bias && let Some(bias) = gguf.tensors().find(|tensor| tensor.name.ends_with(".bias")) {
            return Err(error(&bias.name, "is not supported for this family, expected no biases".to_owned()));
        }
        let Some(embedding) = gguf.tensor("token_embd.weight") else {
            return Err(ModelError::MissingTensor { path: path.to_owned(), tensor: "token_embd.weight".to_owned() });
        };
        let config = Self {
            family,
            hidden_size,
            layers: size("block_count")?,
            heads,
            key_value_heads,
            head_size,
            // Of Qwen 1 the file keeps `intermediate_size`, which counts both matrices.
            feed_forward_size: size("feed_forward_length")? / if family == Family::Qwen1 { 2 } else { 1 },
            vocabulary_size: embedding.shape.first().copied().unwrap_or(0),
            norm_epsilon: float("attention.layer_norm_rms_epsilon", 1e-6)?,
            rope_theta: float("rope.freq_base", 10_000.0)?,
            rope_scaling,
            extension: None,
            context_window: rope_scaling.context_window(context_window),
            tied_embeddings: gguf.tensor("output.weight").is_none(),
            attention_bias,
            windows: Vec::new(),
        };
        config.check(path)
    }

    /// Parameters of the model, by the shapes alone; `usize::MAX` where they are beyond counting.
    pub fn parameters(&self) -> usize {
        // Of sizes within their limits, only products of three can overflow.
        let query = self.heads * self.head_size;
        let key_value = self.key_value_heads * self.head_size;
        let attention = self.hidden_size.saturating_mul(2 * query + 2 * key_value);
        let bias = if self.attention_bias { query + 2 * key_value } else { 0 };
        let feed_forward = 3 * self.hidden_size * self.feed_forward_size;
        let layer = attention.saturating_add(bias + feed_forward + 2 * self.hidden_size);
        let embeddings = self.vocabulary_size * self.hidden_size * if self.tied_embeddings { 1 } else { 2 };
        self.layers.saturating_mul(layer).saturating_add(embeddings + self.hidden_size)
    }

    /// What every shape has to satisfy before tensors are made from it.
    fn check(self, path: &Path) -> Result<Self, ModelError> {
        let error = |field: &str, problem: &str| {
            Err(ModelError::Config { path: path.to_owned(), field: field.to_owned(), problem: problem.to_owned() })
        };
        // No checkpoint comes near these; a hostile file must not make the products below overflow.
        let limit = 1 << 24;
        for (name, size) in [
            ("hidden size", self.hidden_size),
            ("head count", self.heads),
            ("key and value head count", self.key_value_heads),
            ("head size", self.head_size),
            ("feed-forward size", self.feed_forward_size),
            ("vocabulary size", self.vocabulary_size),
            ("context window", self.context_window),
        ] {
            if size == 0 || size > limit {
                return error(name, "is out of range, expected 1 to 16777216");
            }
        }
        // Each layer has a dozen names, which are all written down to look for them.
        if !(1..=1 << 12).contains(&self.layers) {
            return error("layer count", "is out of range, expected 1 to 4096");
        }
        if !self.heads.is_multiple_of(self.key_value_heads) {
            return error("key and value head count", "does not divide the number of query heads");
        }
        if !self.head_size.is_multiple_of(2) {
            return error("head size", "is odd; rotary embedding needs pairs");
        }
        if self.extension.is_some_and(|extension| !(2..=limit).contains(&extension.trained_context)) {
            return error("trained context", "is out of range, expected 2 to 16777216");
        }
        if !(self.norm_epsilon >= 0.0 && self.rope_theta > 0.0) {
            return error("rope base or norm epsilon", "is not a positive number");
        }
        Ok(self)
    }
}

/// YaRN with the published defaults for what a file leaves out.
fn yarn(
    factor: f64,
    original_context: usize,
    beta_fast: Option<f64>,
    beta_slow: Option<f64>,
    attention_factor: Option<f64>,
) -> RopeScaling {
    let attention = if factor > 1.0 { 0.1 * factor.ln() + 1.0 } else { 1.0 };
    RopeScaling::Yarn {
        factor,
        original_context,
        beta_fast: beta_fast.unwrap_or(32.0),
        beta_slow: beta_slow.unwrap_or(1.0),
        attention_factor: attention_factor.unwrap_or(attention),
    }
}

/// Typed access to `config.json`, with errors that name the field.
struct Fields<'a> {
    config: &'a Value,
    path: &'a Path,
}

impl Fields<'_> {
    fn error(&self, field: &str, problem: impl Into<String>) -> ModelError {
        ModelError::Config { path: self.path.to_owned(), field: field.to_owned(), problem: problem.into() }
    }

    fn size(&self, field: &str) -> Result<usize, ModelError> {
        self.optional_size(field)?.ok_or_else(|| self.error(field, "is missing, expected a number"))
    }

    fn optional_size(&self, field: &str) -> Result<Option<usize>, ModelError> {
        match self.config.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match value.as_u64().and_then(|size| usize::try_from(size).ok()) {
                Some(size) if size > 0 => Ok(Some(size)),
                _ => Err(self.error(field, format!("is {value}, expected a whole number above 0"))),
            },
        }
    }

    /// Qwen 1 (`QWenConfig`), with the field names of its first release where the later ones are missing.
    fn qwen1(&self) -> Result<ModelConfig, ModelError> {
        let size = |field: &str, first_release: &str| match self.optional_size(field)? {
            Some(size) => Ok(size),
            None => {
                self.optional_size(first_release)?.ok_or_else(|| self.error(field, "is missing, expected a number"))
            }
        };
        let flag = |name: &str, default| self.config.get(name).and_then(Value::as_bool).unwrap_or(default);
        if !flag("no_bias", true) {
            return Err(self.error("no_bias", "is not supported, expected true"));
        }
        let hidden_size = size("hidden_size", "n_embd")?;
        let heads = size("num_attention_heads", "n_head")?;
        let trained_context = self.size("seq_length")?;
        let intermediate_size = size("intermediate_size", "ffn_hidden_size")?;
        let config = ModelConfig {
            family: Family::Qwen1,
            hidden_size,
            layers: size("num_hidden_layers", "n_layer")?,
            heads,
            key_value_heads: heads,
            head_size: self.optional_size("kv_channels")?.unwrap_or(hidden_size / heads),
            feed_forward_size: intermediate_size / 2,
            vocabulary_size: size("vocab_size", "padded_vocab_size")?,
            norm_epsilon: self.number(self.config, "layer_norm_epsilon", Some(1e-6))?,
            rope_theta: self.number(self.config, "rotary_emb_base", Some(10_000.0))?,
            rope_scaling: RopeScaling::None,
            extension: Some(ContextExtension {
                trained_context,
                dynamic_ntk: flag("use_dynamic_ntk", false),
                logn: flag("use_logn_attn", false),
            }),
            context_window: size("max_position_embeddings", "n_positions")?.max(trained_context),
            tied_embeddings: flag("tie_word_embeddings", false),
            attention_bias: true,
            windows: Vec::new(),
        };
        config.check(self.path)
    }

    fn number(&self, object: &Value, field: &str, default: Option<f64>) -> Result<f64, ModelError> {
        match object.get(field) {
            None | Some(Value::Null) => default.ok_or_else(|| self.error(field, "is missing, expected a number")),
            Some(value) => value.as_f64().ok_or_else(|| self.error(field, format!("is {value}, expected a number"))),
        }
    }

    /// Newer files keep the base inside `rope_parameters`.
    fn rope_theta(&self) -> Result<f64, ModelError> {
        let nested = self.config.get("rope_parameters").filter(|value| value.get("rope_theta").is_some());
        self.number(nested.unwrap_or(self.config), "rope_theta", Some(10_000.0))
    }

    fn rope_scaling(&self, context_window: usize) -> Result<RopeScaling, ModelError> {
        let field = if self.config.get("rope_parameters").is_some() { "rope_parameters" } else { "rope_scaling" };
        let Some(scaling) = self.config.get(field).filter(|value| !value.is_null()) else {
            return Ok(RopeScaling::None);
        };
        let kind = scaling.get("rope_type").or_else(|| scaling.get("type")).and_then(Value::as_str);
        match kind {
            None | Some("default") => Ok(RopeScaling::None),
            Some("linear") => Ok(RopeScaling::Linear { factor: self.number(scaling, "factor", None)? }),
            Some("yarn") => {
                let original = scaling.get("original_max_position_embeddings").and_then(Value::as_u64);
                let original = original.and_then(|value| usize::try_from(value).ok()).unwrap_or(context_window);
                let optional = |name: &str| scaling.get(name).and_then(Value::as_f64);
                Ok(yarn(
                    self.number(scaling, "factor", None)?,
                    original,
                    optional("beta_fast"),
                    optional("beta_slow"),
                    optional("attention_factor"),
                ))
            }
            Some(other) => Err(self.error(field, format!("has type `{other}`, expected default, linear or yarn"))),
        }
    }
}
