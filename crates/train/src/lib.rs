//! Teaching a model to use tools: data, fine-tuning, evaluation, export (Qwen report 3.1, 3.4 and A.1.1).
//!
//! [`generate`] makes [`Group`]s of episodes from what people wrote, and [`self_instruct`] lets a model make its own;
//! a [`Renderer`] puts them into token ids by the agent's own protocol, packed into [`Sequence`]s; [`Fit`] trains an
//! adapter or everything on them; an [`Evaluation`] runs episodes through the real agent; [`write_adapter`],
//! [`write_merged`] and [`write_gguf`] write what was trained for others.
//!
//! Decisions: what is trained are plain numbers ([`Parameter`]), so that threads sum, the optimiser steps and
//! checkpoints keep exact bits; burn computes one sequence at a time between them. The network here and the engine's
//! decoder are the same function, and a test holds them together.
//!
//! `docs/training.md` is the guide; the commands are in the binary of this crate.

#![forbid(unsafe_code)]

mod checkpoint;
mod data;
mod episode;
mod error;
mod eval;
mod export;
mod fit;
mod network;
mod optimizer;
mod parameters;
mod self_instruct;
mod sequence;
mod settings;
mod trained;
mod workers;

pub use checkpoint::State;
pub use data::{
    Also, AuthoredTool, Beyond, FileTask, NoTool, Overlap, Plan, Problem, PythonTask, Rehearsed, Sources, Split,
    Splits, Told, ToolParameter, exam_overlaps, generate, prove_disjoint,
};
pub use episode::{Call, Episode, Group, Kind, Renderer, read_groups, write_groups};
pub use error::TrainError;
pub use eval::{Ablation, Evaluation, Measure, Measures, Outcome, Summary, ToolsAtWork, chance, keep_evenly, measures};
pub use export::{Quantisation, write_adapter, write_gguf, write_merged};
pub use fit::{Fit, Metrics, Run, read_metrics};
pub use network::{Gradients, Network};
pub use optimizer::{AdamW, Schedule, clip};
pub use parameters::{Lora, Parameter, all_parameters, lora_parameters};
pub use self_instruct::{Round, Rounds, self_instruct};
pub use sequence::{Sequence, Tokens};
pub use settings::Settings;
pub use trained::Trained;
pub use workers::Workers;
