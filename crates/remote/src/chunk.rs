//! The pieces of a reply as servers send them, or the reply in one piece. What is missing or `null` is nothing; other fields are
//! passed over.

use qianshou_chat::Usage;
use serde::Deserialize;
use serde_json::Value;

/// One event.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Chunk {
    pub(crate) choices: Option<Vec<Choice>>,
    pub(crate) usage: Option<TokenCounts>,
    /// In place of a piece, when the server fails in the middle.
    pub(crate) error: Option<Value>,
    /// `error` in what older vLLM sends then.
    pub(crate) object: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Choice {
    delta: Option<Delta>,
    /// The same of a reply in one piece.
    message: Option<Delta>,
    pub(crate) finish_reason: Option<String>,
    /// The stop string that came up, from vLLM; a token's id where it was one.
    stop_reason: Option<Value>,
    /// The same from SGLang.
    matched_stop: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Delta {
    pub(crate) content: Option<String>,
    /// What a model thinks before it answers, where the server takes it apart.
    reasoning_content: Option<String>,
    /// The same, as others call it. Some send both.
    reasoning: Option<String>,
    pub(crate) tool_calls: Option<Vec<CallDelta>>,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct CallDelta {
    pub(crate) index: Option<usize>,
    pub(crate) id: Option<String>,
    pub(crate) function: Option<FunctionDelta>,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct FunctionDelta {
    pub(crate) name: Option<String>,
    /// Text, but some send the object itself.
    arguments: Option<Value>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(crate) struct TokenCounts {
    prompt_tokens: Option<usize>,
    completion_tokens: Option<usize>,
    prompt_tokens_details: Option<PromptDetails>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
struct PromptDetails {
    cached_tokens: Option<usize>,
}

impl Choice {
    /// What is new.
    pub(crate) fn take_delta(&mut self) -> Delta {
        self.delta.take().or(self.message.take()).unwrap_or_default()
    }

    /// The stop string at which the server stopped, if it tells.
    pub(crate) fn stop_string(&self) -> Option<&str> {
        [&self.stop_reason, &self.matched_stop].into_iter().flatten().find_map(Value::as_str)
    }
}

impl Delta {
    /// Whether it says nothing.
    pub(crate) fn is_empty(&self) -> bool {
        let says_nothing = self.content.as_ref().is_none_or(String::is_empty) && self.thinking().is_none();
        says_nothing && self.tool_calls.as_ref().is_none_or(Vec::is_empty)
    }

    /// What the model thinks.
    pub(crate) fn thinking(&self) -> Option<&str> {
        [&self.reasoning_content, &self.reasoning]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .find(|text| !text.is_empty())
    }
}

impl FunctionDelta {
    pub(crate) fn arguments(&self) -> String {
        match &self.arguments {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(object) => object.to_string(),
        }
    }
}

impl From<TokenCounts> for Usage {
    fn from(counts: TokenCounts) -> Self {
        let prompt = counts.prompt_tokens.unwrap_or_default();
        let cached = counts.prompt_tokens_details.and_then(|details| details.cached_tokens).unwrap_or_default();
        let cached = cached.min(prompt);
        Self { cached, computed: prompt - cached, generated: counts.completion_tokens.unwrap_or_default() }
    }
}
