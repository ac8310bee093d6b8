//! The tensors of a GGUF file under their Hugging Face names.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use qianshou_gguf::Gguf;

use super::map::map;
use super::{TensorSource, dequantize};
use crate::{Family, ModelConfig, ModelError};

/// An opened GGUF file.
#[derive(Debug)]
pub(crate) struct GgufFile {
    path: PathBuf,
    file: Arc<File>,
    gguf: Arc<Gguf>,
    /// Head counts of query and key, where the file permutes their rows (see [`unpermute`]).
    permuted: Option<(usize, usize)>,
}

impl GgufFile {
    /// Reads the header of a GGUF file.
    pub(crate) fn read_header(path: &Path) -> Result<(File, Gguf), ModelError> {
        let file = File::open(path).map_err(ModelError::io(path))?;
        let length = file.metadata().map_err(ModelError::io(path))?.len();
        let damaged = |reason: String| ModelError::Damaged { path: path.to_owned(), reason };
        let length = usize::try_from(length).map_err(|_| damaged("it is larger than the address space".to_owned()))?;
        if length == 0 {
            return Err(damaged("it is empty".to_owned()));
        }
        let mapped = map(&file, 0..length).map_err(ModelError::io(path))?;
        let gguf = Gguf::parse(&mapped).map_err(|source| ModelError::Gguf { path: path.to_owned(), source })?;
        Ok((file, gguf))
    }

    /// The tensors of a file whose header was read.
    pub(crate) fn new(path: &Path, file: Arc<File>, gguf: Arc<Gguf>, config: &ModelConfig) -> Self {
        let permuted = (config.family == Family::Llama).then_some((config.heads, config.key_value_heads));
        Self { path: path.to_owned(), file, gguf, permuted }
    }
}

impl TensorSource for GgufFile {
    fn shape(&self, name: &str) -> Option<&[usize]> {
        self.gguf.tensor(&gguf_name(name)?).map(|tensor| tensor.shape.as_slice())
    }

    fn kind(&self, name: &str) -> Option<String> {
        self.gguf.tensor(&gguf_name(name)?).map(|tensor| tensor.kind.to_string())
    }

    fn read(&self, name: &str, out: &mut [f32]) -> Result<(), ModelError> {
        let missing = || ModelError::MissingTensor { path: self.path.clone(), tensor: name.to_owned() };
        let stored = gguf_name(name).ok_or_else(missing)?;
        let tensor = self.gguf.tensor(&stored).ok_or_else(missing)?;
        let mapped = map(&self.file, tensor.range.clone()).map_err(ModelError::io(&self.path))?;
        if !dequantize::dequantize(tensor.kind, &mapped, out) {
            return Err(ModelError::TensorKind {
                path: self.path.clone(),
                tensor: stored,
                kind: tensor.kind.to_string(),
                supported: dequantize::SUPPORTED,
            });
        }
        let columns = tensor.shape.last().copied().unwrap_or(1);
        match self.permuted {
            Some((heads, _)) if name.ends_with("q_proj.weight") => unpermute(out, heads, columns),
            Some((_, heads)) if name.ends_with("k_proj.weight") => unpermute(out, heads, columns),
            _ => {}
        }
        Ok(())
    }
}

/// Undoes the row order in which GGUF keeps Llama's query and key projections.
///
/// llama.cpp rotates neighbouring pairs, Hugging Face rotates halves. Its converter therefore stores row
/// `half * (d / 2) + i` of a head at `2 * i + half`; here it is put back.
fn unpermute(rows: &mut [f32], heads: usize, columns: usize) {
    let head = rows.len() / heads;
    let half = head / columns / 2;
    let mut stored = vec![0.0; head];
    for rows in rows.chunks_exact_mut(head) {
        stored.copy_from_slice(rows);
        for (index, row) in rows.chunks_exact_mut(columns).enumerate() {
            let from = (2 * (index % half) + index / half) * columns;
            row.copy_from_slice(&stored[from..from + columns]);
        }
    }
}

/// The GGUF name of a tensor.
fn gguf_name(name: &str) -> Option<String> {
    let (stem, suffix) = name.rsplit_once('.')?;
    let top = match stem {
        "model.embed_tokens" | "transformer.wte" => Some("token_embd"),
        "model.norm" | "transformer.ln_f" => Some("output_norm"),
        "lm_head" => Some("output"),
        _ => None,
    };
    if let Some(top) = top {
        return Some(format!("{top}.{suffix}"));
    }
    let layer = stem.strip_prefix("model.layers.").or_else(|| stem.strip_prefix("transformer.h."))?;
    let (layer, part) = layer.split_once('.')?;
    let part = match part {
        "input_layernorm" | "ln_1" => "attn_norm",
        "post_attention_layernorm" | "ln_2" => "ffn_norm",
        "attn.c_attn" => "attn_qkv",
        "self_attn.q_norm" => "attn_q_norm",
        "self_attn.k_norm" => "attn_k_norm",
        "self_attn.q_proj" => "attn_q",
        "self_attn.k_proj" => "attn_k",
        "self_attn.v_proj" => "attn_v",
        "self_attn.o_proj" | "attn.c_proj" => "attn_output",
        "mlp.gate_proj" | "mlp.w2" => "ffn_gate",
        "mlp.up_proj" | "mlp.w1" => "ffn_up",
        "mlp.down_proj" | "mlp.c_proj" => "ffn_down",
        _ => return None,
    };
    Some(format!("blk.{layer}.{part}.{suffix}"))
}
