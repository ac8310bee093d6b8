//! The trait that every chat model implements, and the stream that it answers with.

use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use futures_core::Stream;
use futures_util::StreamExt as _;
use serde::{Deserialize, Serialize};

use crate::{ChatError, ChatErrorKind, ChatRequest, Message, NativeCall, Part, Role};

/// What a model can do beyond plain chat. Asking for more is an error, never silently ignored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    /// [`ChatRequest::continue_last`].
    pub continue_last: bool,
    /// [`ChatRequest::constraint`].
    pub constraints: bool,
    /// [`ChatRequest::tools`].
    pub native_tools: bool,
    /// [`Part::Image`](crate::Part::Image).
    pub images: bool,
}

/// What is known about a model before it is asked anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelInfo {
    /// Name for people and logs.
    pub name: String,
    /// Longest prompt plus reply, in tokens, where known.
    pub context_window: Option<usize>,
    /// What it supports.
    pub capabilities: Capabilities,
}

/// Tokens that a request took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Prompt tokens that were taken from the cache of an earlier request.
    pub cached: usize,
    /// Prompt tokens that were computed for this request.
    pub computed: usize,
    /// Tokens generated, those of a matched stop string included.
    pub generated: usize,
}

impl Usage {
    /// Length of the prompt in tokens.
    pub fn prompt(&self) -> usize {
        self.cached + self.computed
    }
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.cached += other.cached;
        self.computed += other.computed;
        self.generated += other.generated;
    }
}

/// Why a model call ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// The model closed its turn.
    EndOfTurn,
    /// This stop string came up.
    Stop(String),
    /// `max_tokens` or the context window was reached.
    Length,
    /// The call was cancelled from outside.
    Cancelled,
}

/// A piece of the reply.
///
/// From a local model, `ids` are whole tokens and decode to exactly `text`. `ids` is empty for a model
/// that does not tell them, and for the text before a stop string that began inside a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delta {
    /// New text.
    pub text: String,
    /// The tokens that it is made of.
    pub ids: Vec<u32>,
}

/// The last event of a stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Why the call ended.
    pub finish: FinishReason,
    /// What it took.
    pub usage: Usage,
}

/// An event of a [`ChatStream`]: any number of deltas and native tool calls, then one end.
///
/// Calls come one after the other: all [`Arguments`](Self::Arguments) belong to the [`Call`](Self::Call)
/// before them. A reply with calls ends with [`FinishReason::EndOfTurn`] like one without.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChatEvent {
    /// More of the reply.
    Delta(Delta),
    /// A native tool call begins; its arguments are those that came with its name, often none.
    Call(NativeCall),
    /// More of the arguments of the last call.
    Arguments(String),
    /// The reply is complete; nothing follows.
    End(End),
}

/// A reply as it is made. Dropping the stream stops the computation.
pub type ChatStream = Pin<Box<dyn Stream<Item = Result<ChatEvent, ChatError>> + Send>>;

/// A complete reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The assistant's message; its generated parts keep their ids.
    pub message: Message,
    /// Why it ended.
    pub finish: FinishReason,
    /// What it took.
    pub usage: Usage,
}

impl Reply {
    /// The text of the reply.
    pub fn text(&self) -> String {
        self.message.text()
    }
}

/// A model that continues conversations.
#[async_trait]
pub trait ChatModel: Send + Sync {
    /// Name, context window and abilities.
    fn info(&self) -> ModelInfo;

    /// Starts a reply.
    ///
    /// # Errors
    /// When the request is refused before anything was generated. Later failures come through the
    /// stream.
    async fn stream(&self, request: ChatRequest) -> Result<ChatStream, ChatError>;

    /// How many tokens the prompt of this request has, as far as the model knows without asking anybody
    /// else. The default is `None`: it does not know, and the caller has to estimate.
    fn count_tokens(&self, request: &ChatRequest) -> Option<usize> {
        let _ = request;
        None
    }

    /// Waits for the whole reply.
    ///
    /// # Errors
    /// Those of [`stream`](Self::stream), and those that the stream yields.
    async fn complete(&self, request: ChatRequest) -> Result<Reply, ChatError> {
        let mut stream = self.stream(request).await?;
        let mut message = Message { role: Role::Assistant, content: Vec::new() };
        while let Some(event) = stream.next().await {
            match event? {
                ChatEvent::Delta(delta) => message.push_delta(&delta),
                ChatEvent::Call(call) => message.push(Part::Call(call)),
                ChatEvent::Arguments(arguments) => message.push_arguments(&arguments),
                ChatEvent::End(End { finish, usage }) => return Ok(Reply { message, finish, usage }),
            }
        }
        Err(ChatError::new(ChatErrorKind::Failed, "the reply broke off before its end"))
    }
}

/// A model behind a pointer is a model, so that wrappers take an owned model and a shared one alike.
macro_rules! forward {
    ($pointer:ident) => {
        #[async_trait]
        impl<M: ChatModel + ?Sized> ChatModel for $pointer<M> {
            fn info(&self) -> ModelInfo {
                (**self).info()
            }

            async fn stream(&self, request: ChatRequest) -> Result<ChatStream, ChatError> {
                (**self).stream(request).await
            }

            fn count_tokens(&self, request: &ChatRequest) -> Option<usize> {
                (**self).count_tokens(request)
            }

            async fn complete(&self, request: ChatRequest) -> Result<Reply, ChatError> {
                (**self).complete(request).await
            }
        }
    };
}

forward!(Arc);
forward!(Box);

impl Message {
    /// Appends a delta, keeping its ids where it has any.
    pub fn push_delta(&mut self, delta: &Delta) {
        if delta.ids.is_empty() {
            self.push_text(&delta.text);
        } else {
            self.push_generated(&delta.text, &delta.ids);
        }
    }
}
