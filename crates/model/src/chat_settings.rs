//! How a checkpoint wants to be talked to: its chat format, where plain text begins and ends, and its defaults for
//! generation.

use std::path::Path;

use qianshou_chat::{ChatError, ChatErrorKind, ChatRequest, Message, NativeTool, Sampling};
use qianshou_gguf::{Gguf, GgufError};
use qianshou_tokenizer::{ChatMl, ChatTemplate, Tokenizer};
use serde_json::Value;

use crate::ModelError;

/// Tokens that end a turn in the families that run here, where the vocabulary has them.
const TURN_ENDS: [&str; 3] = ["<|im_end|>", "<|im_start|>", "<|endoftext|>"];

/// How conversations become token ids.
#[derive(Clone, Debug)]
pub(crate) enum ChatFormat {
    /// ChatML without more.
    ChatMl(ChatMl),
    /// The checkpoint's own template.
    Template(ChatTemplate),
}

impl ChatFormat {
    /// Whether tools of a request reach the model.
    pub(crate) fn takes_tools(&self) -> bool {
        match self {
            Self::ChatMl(_) => false,
            Self::Template(template) => template.takes_tools(),
        }
    }

    pub(crate) fn encode(
        &self,
        messages: &[Message],
        tools: &[NativeTool],
        continue_last: bool,
    ) -> Result<Vec<u32>, ChatError> {
        let invalid = |message: String| ChatError::new(ChatErrorKind::InvalidRequest, message);
        match self {
            Self::ChatMl(chat_ml) => {
                chat_ml.encode(messages, continue_last).map_err(|error| invalid(error.to_string()))
            }
            Self::Template(template) => {
                template.encode(messages, tools, continue_last).map_err(|error| invalid(error.to_string()))
            }
        }
    }
}

/// Turns conversations into the token ids that a model reads, as its engine does.
#[derive(Clone, Debug)]
pub struct ChatEncoder(ChatFormat);

impl ChatEncoder {
    pub(crate) fn new(format: ChatFormat) -> Self {
        Self(format)
    }

    /// The ids of the prompt that a request makes. Generated parts keep their ids, so the prompt of a message
    /// that is continued begins with that of the message before it.
    ///
    /// # Errors
    /// When the chat format has no form for what a message holds.
    pub fn encode(&self, request: &ChatRequest) -> Result<Vec<u32>, ChatError> {
        self.0.encode(&request.messages, &request.tools, request.continue_last)
    }
}

/// What a checkpoint says about chat and plain text.
#[derive(Clone, Debug)]
pub(crate) struct ChatSettings {
    /// `None` for a base model, which generates raw text only.
    pub(crate) format: Option<ChatFormat>,
    /// What a request leaves open.
    pub(crate) sampling: Sampling,
    /// Tokens that end a turn.
    pub(crate) stop_ids: Vec<u32>,
    /// The token before a plain text, where the model always had one.
    pub(crate) begin_id: Option<u32>,
    /// Tokens that end a plain text.
    pub(crate) end_ids: Vec<u32>,
}

impl ChatSettings {
    /// Settings for a format, with greedy generation.
    pub(crate) fn new(format: Option<ChatFormat>, tokenizer: &Tokenizer) -> Self {
        let mut stop_ids: Vec<u32> = TURN_ENDS.iter().filter_map(|token| tokenizer.special_id(token)).collect();
        if let Some(ChatFormat::Template(template)) = &format {
            stop_ids.extend(template.end_id());
        }
        let end_ids = tokenizer.special_id("<|endoftext|>").into_iter().collect();
        Self { format, sampling: Sampling::default(), stop_ids, begin_id: None, end_ids }
    }

    /// Adds what `tokenizer_config.json` of a folder says about plain text, if it is there.
    pub(crate) fn with_tokenizer_config(mut self, folder: &Path, tokenizer: &Tokenizer) -> Result<Self, ModelError> {
        let config = read_json(&folder.join("tokenizer_config.json"))?.unwrap_or_default();
        let token = |field: &str| config[field].as_str().or_else(|| config[field]["content"].as_str());
        self.begin_id = begin_id(tokenizer, token("bos_token"), config["add_bos_token"].as_bool());
        self.end_ids.extend(token("eos_token").and_then(|token| tokenizer.special_id(token)));
        Ok(self)
    }

    /// Adds what a GGUF file says about plain text.
    pub(crate) fn with_gguf(mut self, gguf: &Gguf, tokenizer: &Tokenizer) -> Result<Self, GgufError> {
        let begin = gguf.u32("tokenizer.ggml.bos_token_id")?;
        let begin = begin.and_then(|begin| tokenizer.specials().find(|&(id, _)| id == begin));
        let added = gguf.bool("tokenizer.ggml.add_bos_token")?;
        self.begin_id = begin_id(tokenizer, begin.map(|(_, text)| text), added);
        self.end_ids.extend(gguf.u32("tokenizer.ggml.eos_token_id")?);
        Ok(self)
    }

    /// Adds what `generation_config.json` of a folder says, if it is there: sampling and end tokens.
    pub(crate) fn with_generation_config(mut self, folder: &Path) -> Result<Self, ModelError> {
        let path = folder.join("generation_config.json");
        let Some(config) = read_json(&path)? else {
            return Ok(self);
        };
        let number = |field: &str| match config.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value.as_f64().map(Some).ok_or_else(|| ModelError::Config {
                path: path.clone(),
                field: field.to_owned(),
                problem: format!("is {value}, expected a number"),
            }),
        };
        // Without `do_sample` the file's rules for sampling do not apply.
        let samples = config.get("do_sample").and_then(Value::as_bool).unwrap_or(false);
        self.sampling = Sampling {
            temperature: Some(if samples { number("temperature")?.unwrap_or(1.0) as f32 } else { 0.0 }),
            top_p: number("top_p")?.map(|value| value as f32),
            top_k: number("top_k")?.map(|value| value as u32),
            repetition_penalty: number("repetition_penalty")?.map(|value| value as f32),
            seed: None,
        };
        let ends = match config.get("eos_token_id") {
            Some(Value::Array(ids)) => ids.as_slice(),
            Some(id) => std::slice::from_ref(id),
            None => &[],
        };
        let ends = ends.iter().filter_map(Value::as_u64).filter_map(|id| u32::try_from(id).ok());
        self.stop_ids.extend(ends.clone());
        self.end_ids.extend(ends);
        Ok(self)
    }

    /// The request's sampling, with the checkpoint's where it leaves something open.
    pub(crate) fn sampling(&self, asked: Sampling) -> Sampling {
        Sampling {
            temperature: asked.temperature.or(self.sampling.temperature),
            top_p: asked.top_p.or(self.sampling.top_p),
            top_k: asked.top_k.or(self.sampling.top_k),
            repetition_penalty: asked.repetition_penalty.or(self.sampling.repetition_penalty),
            seed: asked.seed,
        }
    }
}

/// The token before a plain text, by its name and by whether it is wanted. Where the files do not say so, vocabularies
/// of SentencePiece have one, and so has that of Llama 3.
fn begin_id(tokenizer: &Tokenizer, token: Option<&str>, wanted: Option<bool>) -> Option<u32> {
    let token = token.unwrap_or("<s>");
    let usual = tokenizer.is_sentencepiece() || token == "<|begin_of_text|>";
    tokenizer.special_id(token).filter(|_| wanted.unwrap_or(usual))
}

/// The JSON in a file, if it is there.
fn read_json(path: &Path) -> Result<Option<Value>, ModelError> {
    if !path.exists() {
        return Ok(None);
    }
    let text = std::fs::read(path).map_err(ModelError::io(path))?;
    let damaged = |error: serde_json::Error| ModelError::Damaged { path: path.to_owned(), reason: error.to_string() };
    serde_json::from_slice(&text).map(Some).map_err(damaged)
}
