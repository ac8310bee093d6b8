//! A model whose exchanges are written down.

use std::error::Error as _;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use async_trait::async_trait;
use futures_core::Stream;

use crate::{
    ChatError, ChatErrorKind, ChatEvent, ChatModel, ChatRequest, ChatStream, End, Exchange, FinishReason, ModelInfo,
    RecordFile, Recorded, Recording, RecordingError, Usage,
};

/// A model around another one that appends each exchange to a [`Recording`].
///
/// An exchange is one write of one line, made when it ends: with the end of the reply, with an error, or
/// when its stream is dropped. A killed process loses at most the exchanges that were in flight. When
/// the file cannot be written, the exchange ends with an error instead of its end, and every later
/// request is refused: nothing goes unrecorded.
///
/// ```
/// use qianshou_chat::{ChatModel, ChatRequest, Message, Recorder, Replay, ScriptedModel};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("paris.jsonl");
/// let request = ChatRequest::new([Message::user("Capital of France?")]);
/// let model = Recorder::create(ScriptedModel::new(["Paris."]), &path)?;
/// let said = model.complete(request.clone()).await?;
/// assert_eq!(Replay::open(&path)?.complete(request).await?, said);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Recorder<M> {
    model: M,
    output: Arc<Output>,
}

impl<M: ChatModel> Recorder<M> {
    /// Records to a new file; one that is there is replaced.
    ///
    /// # Errors
    /// When the file cannot be created.
    pub fn create(model: M, path: impl AsRef<Path>) -> Result<Self, RecordingError> {
        Ok(Self::new(model, RecordFile::create(path.as_ref())?, 0))
    }

    /// Records to the end of a file, which is created if it is not there. A last line that is cut off is
    /// removed first.
    ///
    /// # Errors
    /// When the file cannot be opened, or is no recording that can be read.
    pub fn append(model: M, path: impl AsRef<Path>) -> Result<Self, RecordingError> {
        let (file, records) = RecordFile::append(path.as_ref())?;
        Ok(Self::new(model, file, Recording::of(&records)?.exchanges.len()))
    }

    fn new(model: M, file: RecordFile, ended: usize) -> Self {
        let path = file.path().to_owned();
        Self { model, output: Arc::new(Output { path, state: Mutex::new(State { file, ended, failed: None }) }) }
    }
}

#[async_trait]
impl<M: ChatModel> ChatModel for Recorder<M> {
    fn info(&self) -> ModelInfo {
        self.model.info()
    }

    fn count_tokens(&self, request: &ChatRequest) -> Option<usize> {
        self.model.count_tokens(request)
    }

    async fn stream(&self, request: ChatRequest) -> Result<ChatStream, ChatError> {
        let exchange = Exchange { model: self.model.info(), request, events: Vec::new(), error: None };
        // From here on the exchange is written even if this future is dropped.
        let mut open = Open { after: self.output.begin()?, exchange: Some(exchange), output: self.output.clone() };
        let request = open.request();
        match self.model.stream(request).await {
            Ok(stream) => Ok(Box::pin(RecordedStream { stream, open })),
            Err(error) => {
                open.close(Some(&error))?;
                Err(error)
            }
        }
    }
}

/// The file, shared with the streams in flight.
#[derive(Debug)]
struct Output {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    file: RecordFile,
    /// How many exchanges have ended.
    ended: usize,
    /// Why writing failed, if it did.
    failed: Option<String>,
}

impl Output {
    /// Begins an exchange; returns how many have ended before.
    fn begin(&self) -> Result<usize, ChatError> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match &state.failed {
            None => Ok(state.ended),
            Some(reason) => Err(self.error(reason)),
        }
    }

    fn write(&self, after: usize, exchange: Exchange) -> Result<(), ChatError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reason) = &state.failed {
            return Err(self.error(reason));
        }
        let line = Recorded { after, exchange }.to_line().map_err(|error| error.to_string());
        let reason = |error: RecordingError| error.source().map_or_else(|| error.to_string(), ToString::to_string);
        match line.and_then(|line| state.file.write(&line).map_err(reason)) {
            Ok(()) => {
                state.ended += 1;
                Ok(())
            }
            Err(reason) => {
                let error = self.error(&reason);
                state.failed = Some(reason);
                Err(error)
            }
        }
    }

    fn error(&self, reason: &str) -> ChatError {
        let message = format!("could not record to {}: {reason}", self.path.display());
        ChatError::new(ChatErrorKind::Unavailable, message).with_hint("make room, or run without recording")
    }
}

/// An exchange that has begun. Dropping it writes it as cancelled.
#[derive(Debug)]
struct Open {
    after: usize,
    /// Nothing once it is written.
    exchange: Option<Exchange>,
    output: Arc<Output>,
}

impl Open {
    fn request(&self) -> ChatRequest {
        self.exchange.as_ref().map(|exchange| exchange.request.clone()).unwrap_or_default()
    }

    fn push(&mut self, event: &ChatEvent) {
        if let Some(exchange) = &mut self.exchange {
            exchange.events.push(event.clone());
        }
    }

    /// Writes the exchange, unless that has been done.
    fn close(&mut self, error: Option<&ChatError>) -> Result<(), ChatError> {
        let Some(mut exchange) = self.exchange.take() else {
            return Ok(());
        };
        exchange.error = error.map(Into::into);
        self.output.write(self.after, exchange)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let Some(exchange) = &mut self.exchange else {
            return;
        };
        let ids = exchange.events.iter().map(|event| match event {
            ChatEvent::Delta(delta) => delta.ids.len(),
            ChatEvent::Call(_) | ChatEvent::Arguments(_) | ChatEvent::End(_) => 0,
        });
        let usage = Usage { generated: ids.sum(), ..Usage::default() };
        exchange.events.push(ChatEvent::End(End { finish: FinishReason::Cancelled, usage }));
        // The next request tells of a failed write.
        let _ = self.close(None);
    }
}

/// A stream that is written down when it ends.
struct RecordedStream {
    stream: ChatStream,
    open: Open,
}

impl Stream for RecordedStream {
    type Item = Result<ChatEvent, ChatError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { stream, open } = self.get_mut();
        if open.exchange.is_none() {
            return Poll::Ready(None);
        }
        let item = std::task::ready!(stream.as_mut().poll_next(context));
        let written = match &item {
            Some(Ok(event)) => {
                open.push(event);
                if matches!(event, ChatEvent::End(_)) { open.close(None) } else { Ok(()) }
            }
            Some(Err(error)) => open.close(Some(error)),
            // It broke off; so will the replay.
            None => open.close(None),
        };
        Poll::Ready(match written {
            Ok(()) => item,
            Err(error) => Some(Err(error)),
        })
    }
}
