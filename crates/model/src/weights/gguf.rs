//! The tensors of a GGUF file under their Hugging Face names.

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use memmap2::Mmap;
use qianshou_gguf::{Gguf, TensorInfo, TensorKind};
use rayon::prelude::*;

use super::map::map;
use super::{TensorSource, dequantize};
use crate::{Family, ModelConfig, ModelError};

/// An opened GGUF file.
#[derive(Debug)]
pub(crate) struct GgufFile {
    path: PathBuf,
    file: Arc<File>,
    gguf: Arc<Gguf>,
    /// What rows are permuted by (see [`permuted_heads`]).
    config: ModelConfig,
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
        Self { path: path.to_owned(), file, gguf, config: config.clone() }
    }
}

impl GgufFile {
    /// A tensor by its Hugging Face name, with the name that it is stored under.
    fn tensor(&self, name: &str) -> Result<(String, &TensorInfo), ModelError> {
        let missing = || ModelError::MissingTensor { path: self.path.clone(), tensor: name.to_owned() };
        let stored = gguf_name(name).ok_or_else(missing)?;
        let tensor = self.gguf.tensor(&stored).ok_or_else(missing)?;
        Ok((stored, tensor))
    }
}

impl TensorSource for GgufFile {
    fn shape(&self, name: &str) -> Option<&[usize]> {
        self.gguf.tensor(&gguf_name(name)?).map(|tensor| tensor.shape.as_slice())
    }

    fn kind(&self, name: &str) -> Option<String> {
        self.gguf.tensor(&gguf_name(name)?).map(|tensor| tensor.kind.to_string())
    }

    fn read(&self, name: &str, first: usize, out: &mut [f32]) -> Result<(), ModelError> {
        let (stored, tensor) = self.tensor(name)?;
        let columns = tensor.shape.last().copied().unwrap_or(1);
        let rows: usize = tensor.shape.iter().rev().skip(1).product();
        // The header's reader has checked that blocks lie within rows, and that the sizes agree.
        let row_bytes = tensor.range.len() / rows;
        let bytes_of = |rows: Range<usize>| {
            let start = tensor.range.start;
            map(&self.file, start + rows.start * row_bytes..start + rows.end * row_bytes)
                .map_err(ModelError::io(&self.path))
        };
        let unsupported = || ModelError::TensorKind {
            path: self.path.clone(),
            tensor: stored.clone(),
            kind: tensor.kind.to_string(),
            supported: dequantize::SUPPORTED,
        };
        let last = first + out.len() / columns;
        let Some(heads) = permuted_heads(&self.config, name) else {
            let bytes = bytes_of(first..last)?;
            return dequantize::dequantize(tensor.kind, &bytes, out).then_some(()).ok_or_else(unsupported);
        };
        let head = rows / heads;
        let bytes = bytes_of(0..rows)?;
        let read = |(index, out): (usize, &mut [f32])| {
            let row = stored_row(first + index, head);
            dequantize::dequantize(tensor.kind, &bytes[row * row_bytes..(row + 1) * row_bytes], out)
        };
        out.par_chunks_mut(columns).enumerate().all(read).then_some(()).ok_or_else(unsupported)
    }

    fn mapped(&self, name: &str) -> Result<Option<Mmap>, ModelError> {
        let (_, tensor) = self.tensor(name)?;
        if tensor.kind != TensorKind::F32 || permuted_heads(&self.config, name).is_some() || cfg!(target_endian = "big")
        {
            return Ok(None);
        }
        map(&self.file, tensor.range.clone()).map(Some).map_err(ModelError::io(&self.path))
    }
}

/// Where a row of Llama's query or key projection is kept.
///
/// llama.cpp rotates neighbouring pairs, Hugging Face rotates halves. Its converter therefore stores row
/// `half * (d / 2) + i` of a head of d rows at `2 * i + half`.
fn stored_row(row: usize, head: usize) -> usize {
    let half = head / 2;
    let index = row % head;
    row - index + 2 * (index % half) + index / half
}

/// The heads of a projection whose rows the file permutes (see [`stored_row`]).
fn permuted_heads(config: &ModelConfig, name: &str) -> Option<usize> {
    match name {
        _ if config.family != Family::Llama => None,
        _ if name.ends_with("q_proj.weight") => Some(config.heads),
        _ if name.ends_with("k_proj.weight") => Some(config.key_value_heads),
        _ => None,
    }
}

/// A tensor, given by its Hugging Face name and row by row, as a GGUF file holds it: under its name there, with its
/// rows in the order that they have there. `None` for a name that is not known.
pub fn gguf_tensor(config: &ModelConfig, name: &str, values: Vec<f32>) -> Option<(String, Vec<f32>)> {
    let stored = gguf_name(name)?;
    let Some(heads) = permuted_heads(config, name) else {
        return Some((stored, values));
    };
    let columns = config.hidden_size;
    let head = values.len() / columns / heads;
    let mut permuted = vec![0.0; values.len()];
    for (row, values) in values.chunks_exact(columns).enumerate() {
        let start = stored_row(row, head) * columns;
        permuted[start..start + columns].copy_from_slice(values);
    }
    Some((stored, permuted))
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
