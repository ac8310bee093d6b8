//! Qwen and its relatives on [burn](https://burn.dev): checkpoints to logits to text.
//!
//! A [`Checkpoint`] is a Hugging Face folder or a GGUF file. It loads into a [`Decoder`] on a
//! [`ComputeDevice`], and an [`Engine`] serves the decoder as a [`ChatModel`](qianshou_chat::ChatModel).
//!
//! Decisions: the device is chosen at run time (burn's `Device`), so nothing here carries a backend type
//! parameter. Weights are read once, tensor by tensor, straight into the form in which they are held.
//! Token ids are the truth: what was generated is continued by its ids, and a common prefix of two
//! requests is never computed twice.

mod adapter;
mod cache;
mod chat_settings;
mod checkpoint;
mod config;
mod constraint;
mod decoder;
mod device;
mod engine;
mod error;
mod generate;
mod linear;
mod masks;
mod names;
mod rope;
mod sampler;
mod verify;
mod weights;
mod windows;

pub use adapter::{Adapter, AdapterFactors};
pub use cache::Cache;
pub use chat_settings::ChatEncoder;
pub use checkpoint::{Checkpoint, Inspection, open_tokenizer};
pub use config::{ContextExtension, Family, ModelConfig, RopeScaling};
pub use decoder::Decoder;
pub use device::{ComputeDevice, DeviceChoice, Precision};
pub use engine::{Completion, Engine};
pub use error::ModelError;
pub use names::{LayerNames, Names};
pub use rope::Rope;
pub use sampler::Sampler;
pub use verify::{CaseReport, verify};
pub use weights::{PyTorchError, Tensors, gguf_tensor, quantize};
pub use windows::AttentionWindows;
