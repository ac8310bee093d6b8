//! One model on one thread, reached through a queue.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::mpsc as queue;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::thread;

use async_trait::async_trait;
use futures_core::Stream;
use qianshou_chat::{
    Capabilities, ChatError, ChatErrorKind, ChatEvent, ChatModel, ChatRequest, ChatStream, Constraint, Delta, End,
    Message, ModelInfo,
};
use qianshou_tokenizer::{Specials, Tokenizer};
use tokio::sync::mpsc;

use crate::chat_settings::{ChatFormat, ChatSettings};
use crate::constraint::{ConstraintCompiler, Guide};
use crate::generate::{Generation, Generator};
use crate::{Adapter, Checkpoint, ComputeDevice, ModelError};

/// A loaded model that serves requests one after the other and keeps the cache of the last one, so that
/// the next computes only what is new.
///
/// Dropping a reply's stream stops its computation at the next token. Dropping the engine ends its thread.
#[derive(Debug)]
pub struct Engine {
    info: ModelInfo,
    context_window: usize,
    weight_bytes: BTreeMap<String, usize>,
    tokenizer: Tokenizer,
    chat: ChatSettings,
    /// Made for the first request that has a constraint.
    constraints: OnceLock<Result<ConstraintCompiler, String>>,
    jobs: queue::Sender<Job>,
}

/// A generation and where its events go.
#[derive(Debug)]
struct Job {
    generation: Generation,
    events: mpsc::UnboundedSender<Result<ChatEvent, ChatError>>,
}

impl Engine {
    /// Loads a checkpoint onto `device`, with `adapter` merged in, and starts the engine's thread.
    ///
    /// What a request leaves open of its sampling is taken from the checkpoint's `generation_config.json`;
    /// without that, generation is greedy.
    ///
    /// # Errors
    /// What is wrong with the checkpoint or the adapter, or [`ModelError::Io`] when the system refuses a
    /// thread.
    pub fn load(
        name: impl Into<String>,
        checkpoint: Checkpoint,
        device: ComputeDevice,
        adapter: Option<Adapter>,
    ) -> Result<Self, ModelError> {
        let tokenizer = checkpoint.tokenizer()?;
        let chat = checkpoint.chat_settings(&tokenizer)?;
        let decoder = checkpoint.load(device, adapter)?;
        let context_window = decoder.config().context_window;
        let weight_bytes = decoder.weight_bytes();
        let info = ModelInfo {
            name: name.into(),
            context_window: Some(context_window),
            capabilities: Capabilities {
                continue_last: chat.format.is_some(),
                constraints: true,
                native_tools: chat.format.as_ref().is_some_and(ChatFormat::takes_tools),
                ..Capabilities::default()
            },
        };
        let (jobs, queue) = queue::channel();
        let mut generator = Generator::new(decoder, tokenizer.clone());
        thread::Builder::new()
            .name("qianshou-engine".to_owned())
            .spawn(move || {
                while let Ok(job) = queue.recv() {
                    serve(&mut generator, job);
                }
            })
            .map_err(ModelError::io("the engine's thread"))?;
        Ok(Self { info, context_window, weight_bytes, tokenizer, chat, constraints: OnceLock::new(), jobs })
    }

    /// Bytes of matrices held in each type; see [`Decoder::weight_bytes`](crate::Decoder::weight_bytes).
    pub fn weight_bytes(&self) -> &BTreeMap<String, usize> {
        &self.weight_bytes
    }

    /// The tokenizer of the model.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// The tokens that the model is given for this request.
    ///
    /// # Errors
    /// When the model has no chat format, or its format cannot express the messages.
    pub fn prompt(&self, request: &ChatRequest) -> Result<Vec<u32>, ChatError> {
        let Some(format) = &self.chat.format else {
            let message = format!("{} has no chat format: no chat template, and no tokens of ChatML", self.info.name);
            return Err(ChatError::new(ChatErrorKind::Unsupported, message).with_hint("use a chat or instruct model"));
        };
        format.encode(&request.messages, &request.tools, request.continue_last)
    }

    fn submit(&self, prompt: Vec<u32>, stop_ids: Vec<u32>, request: &ChatRequest) -> Result<ChatStream, ChatError> {
        if prompt.is_empty() {
            return Err(ChatError::new(ChatErrorKind::InvalidRequest, "the prompt is empty"));
        }
        let room = self.context_window.saturating_sub(prompt.len());
        if room == 0 {
            let message = format!(
                "the prompt has {} tokens, and the context window of {} is {}",
                prompt.len(),
                self.info.name,
                self.context_window
            );
            return Err(ChatError::new(ChatErrorKind::ContextExceeded, message)
                .with_hint("shorten the question or use fewer tools"));
        }
        let guide = request.constraint.as_ref().map(|constraint| self.guide(constraint, &stop_ids)).transpose()?;
        let max_tokens = request.max_tokens.unwrap_or(room).min(room);
        let generation = Generation {
            prompt,
            sampling: self.chat.sampling(request.sampling),
            max_tokens,
            stop_ids,
            stop_strings: request.stop.clone(),
            guide,
        };
        let (events, receiver) = mpsc::unbounded_channel();
        let ended = |_| ChatError::new(ChatErrorKind::Unavailable, "the engine has shut down");
        self.jobs.send(Job { generation, events }).map_err(ended)?;
        Ok(Box::pin(EventStream { receiver, ended: false }))
    }

    fn guide(&self, constraint: &Constraint, stop_ids: &[u32]) -> Result<Guide, ChatError> {
        let compiler = self.constraints.get_or_init(|| ConstraintCompiler::new(&self.tokenizer));
        let compiler = compiler.as_ref().map_err(|reason| {
            let message = format!("the vocabulary of {} cannot be used with constraints: {reason}", self.info.name);
            ChatError::new(ChatErrorKind::Unsupported, message)
        })?;
        compiler.compile(constraint, stop_ids)
    }
}

#[async_trait]
impl ChatModel for Engine {
    fn info(&self) -> ModelInfo {
        self.info.clone()
    }

    async fn stream(&self, request: ChatRequest) -> Result<ChatStream, ChatError> {
        request.validate(&self.info.capabilities)?;
        self.submit(self.prompt(&request)?, self.chat.stop_ids.clone(), &request)
    }

    fn count_tokens(&self, request: &ChatRequest) -> Option<usize> {
        self.prompt(request).ok().map(|prompt| prompt.len())
    }
}

/// An engine that continues plain text: the texts of a request's messages, one behind the other, without any
/// chat format. Before it comes the token that the model always had there, if any (`<s>` of Llama). It ends where
/// the model ends the text: with `<|endoftext|>`, or what the checkpoint's files name as its end.
#[derive(Debug)]
pub struct Completion {
    engine: Arc<Engine>,
}

impl Completion {
    /// Continues texts with this engine.
    pub fn new(engine: Arc<Engine>) -> Self {
        Self { engine }
    }

    fn prompt(&self, request: &ChatRequest) -> Vec<u32> {
        let Engine { tokenizer, chat, .. } = &*self.engine;
        let text: String = request.messages.iter().map(Message::text).collect();
        chat.begin_id.into_iter().chain(tokenizer.encode(&text, Specials::None)).collect()
    }
}

#[async_trait]
impl ChatModel for Completion {
    fn info(&self) -> ModelInfo {
        self.engine.info()
    }

    async fn stream(&self, request: ChatRequest) -> Result<ChatStream, ChatError> {
        let engine = &self.engine;
        request.validate(&engine.info.capabilities)?;
        engine.submit(self.prompt(&request), engine.chat.end_ids.clone(), &request)
    }

    fn count_tokens(&self, request: &ChatRequest) -> Option<usize> {
        Some(self.prompt(request).len())
    }
}

/// Runs one job. A panic inside the computation ends the job, not the engine. After a failure the cache may name
/// tokens whose keys were never computed, so nothing of it is kept.
fn serve(generator: &mut Generator, job: Job) {
    let Job { generation, events } = job;
    let show = |delta: Option<Delta>| match delta {
        Some(delta) => events.send(Ok(ChatEvent::Delta(delta))).is_ok(),
        None => !events.is_closed(),
    };
    let event = match catch_unwind(AssertUnwindSafe(|| generator.run(generation, show))) {
        // Nobody waits for the end of this reply.
        Ok(Ok(None)) => return,
        Ok(Ok(Some((finish, usage)))) => Ok(ChatEvent::End(End { finish, usage })),
        Ok(Err(error)) => {
            generator.reset();
            Err(error)
        }
        Err(panic) => {
            generator.reset();
            let reason = panic.downcast_ref::<String>().map(String::as_str);
            let reason = reason.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason was given");
            Err(ChatError::new(ChatErrorKind::Failed, format!("the computation failed: {reason}")))
        }
    };
    // Nobody may be waiting any more.
    let _ = events.send(event);
}

/// The receiving end of a job as a stream that ends after its end event or an error.
struct EventStream {
    receiver: mpsc::UnboundedReceiver<Result<ChatEvent, ChatError>>,
    ended: bool,
}

impl Stream for EventStream {
    type Item = Result<ChatEvent, ChatError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let event = match self.receiver.poll_recv(context) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Some(event)) => event,
            Poll::Ready(None) => Err(ChatError::new(ChatErrorKind::Unavailable, "the engine has shut down")),
        };
        self.ended = !matches!(event, Ok(ChatEvent::Delta(_)));
        Poll::Ready(Some(event))
    }
}
