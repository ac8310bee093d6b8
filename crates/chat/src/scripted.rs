//! A model whose replies are written down beforehand, for tests of everything above it.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use futures_util::stream;

use crate::{
    Capabilities, ChatError, ChatErrorKind, ChatEvent, ChatModel, ChatRequest, ChatStream, Delta, End, FinishReason,
    ModelInfo, NativeCall, StopScanner, Usage,
};

/// One reply of a [`ScriptedModel`].
#[derive(Debug)]
pub enum ScriptedReply {
    /// The model says this; stop strings of the request hold as for any model.
    Text(String),
    /// The model says this, then makes these native calls.
    Calls(String, Vec<NativeCall>),
    /// The request fails before anything is said.
    Error(ChatError),
}

impl From<&str> for ScriptedReply {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for ScriptedReply {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// Answers each request with the next scripted reply and remembers what it was asked.
///
/// Text comes in deltas of one character, the hardest split that a real model could make. A "token" of
/// its [`Usage`] is a character, or the beginning of a call.
#[derive(Debug)]
pub struct ScriptedModel {
    capabilities: Capabilities,
    replies: Mutex<VecDeque<ScriptedReply>>,
    requests: Mutex<Vec<ChatRequest>>,
}

impl ScriptedModel {
    /// A model with these replies, in order, that supports everything a request can ask for.
    pub fn new<Item: Into<ScriptedReply>>(replies: impl IntoIterator<Item = Item>) -> Self {
        Self {
            capabilities: Capabilities { continue_last: true, constraints: true, native_tools: true, images: true },
            replies: Mutex::new(replies.into_iter().map(Into::into).collect()),
            requests: Mutex::default(),
        }
    }

    /// The same model with other abilities.
    #[must_use]
    pub fn with_capabilities(mut self, capabilities: Capabilities) -> Self {
        self.capabilities = capabilities;
        self
    }

    /// The requests so far, refused ones included.
    pub fn requests(&self) -> Vec<ChatRequest> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl ChatModel for ScriptedModel {
    fn info(&self) -> ModelInfo {
        ModelInfo { name: "scripted".to_owned(), context_window: None, capabilities: self.capabilities }
    }

    async fn stream(&self, request: ChatRequest) -> Result<ChatStream, ChatError> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
        request.validate(&self.capabilities)?;
        let reply = self.replies.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let events = match reply {
            Some(ScriptedReply::Text(text)) => events(&text, &[], &request),
            Some(ScriptedReply::Calls(text, calls)) => events(&text, &calls, &request),
            Some(ScriptedReply::Error(error)) => return Err(error),
            None => return Err(ChatError::new(ChatErrorKind::Unavailable, "the script has no reply left")),
        };
        Ok(Box::pin(stream::iter(events.into_iter().map(Ok))))
    }
}

/// The events of a reply: characters up to a stop string or the token limit, calls if neither came, then
/// the end.
fn events(text: &str, calls: &[NativeCall], request: &ChatRequest) -> Vec<ChatEvent> {
    let mut scanner = StopScanner::new(&request.stop);
    let mut finish = FinishReason::EndOfTurn;
    let mut generated = 0;
    for character in text.chars() {
        if request.max_tokens == Some(generated) {
            finish = FinishReason::Length;
            break;
        }
        generated += 1;
        if let Some(found) = scanner.push(character.encode_utf8(&mut [0; 4]).as_bytes()) {
            finish = FinishReason::Stop(request.stop[found.index].clone());
            break;
        }
    }
    let read: usize = text.chars().take(generated).map(char::len_utf8).sum();
    let shown = if matches!(finish, FinishReason::Stop(_)) { scanner.safe() } else { read };
    let mut called: Vec<_> = calls.iter().flat_map(call_events).collect();
    if finish == FinishReason::EndOfTurn {
        let left = request.max_tokens.map_or(usize::MAX, |limit| limit - generated);
        if called.len() > left {
            called.truncate(left);
            finish = FinishReason::Length;
        }
        generated += called.len();
    } else {
        called.clear();
    }
    let computed = request.messages.iter().map(|message| message.text().chars().count()).sum();
    let deltas = text[..shown].chars().map(|c| ChatEvent::Delta(Delta { text: c.to_string(), ids: Vec::new() }));
    let end = ChatEvent::End(End { finish, usage: Usage { cached: 0, computed, generated } });
    deltas.chain(called).chain([end]).collect()
}

/// A call, then its arguments character by character.
fn call_events(call: &NativeCall) -> impl Iterator<Item = ChatEvent> {
    let begun = ChatEvent::Call(NativeCall { arguments: String::new(), ..call.clone() });
    let arguments = call.arguments.chars().map(|character| ChatEvent::Arguments(character.to_string()));
    [begun].into_iter().chain(arguments)
}
