//! A model that answers from a recording.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use futures_util::stream;

use crate::{
    ChatError, ChatErrorKind, ChatModel, ChatRequest, ChatStream, Difference, Exchange, ModelInfo, Recorded, Recording,
    RecordingError,
};

/// Gives the recorded events, errors included, for the recorded requests, without a model.
///
/// Requests have to come in the order in which they were recorded; where several were in flight
/// together, those may come in any order. A request that was not recorded at this place is an error that
/// names the exchange and the first field that differs, and the recording stays where it is.
///
/// ```
/// use qianshou_chat::{ChatErrorKind, ChatModel, ChatRequest, Message, Recorder, Replay, ScriptedModel};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("paris.jsonl");
/// let model = Recorder::create(ScriptedModel::new(["Paris."]), &path)?;
/// model.complete(ChatRequest::new([Message::user("Capital of France?")])).await?;
///
/// let replay = Replay::open(&path)?;
/// let error = replay.complete(ChatRequest::new([Message::user("Capital of Spain?")])).await.unwrap_err();
/// assert_eq!(error.kind(), ChatErrorKind::InvalidRequest);
/// assert!(error.to_string().contains("`messages[0].content[0].text`"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Replay {
    exchanges: Vec<Recorded>,
    truncated: Option<usize>,
    info: ModelInfo,
    /// The file, if there is one.
    path: Option<PathBuf>,
    given: Mutex<Given>,
}

/// Which exchanges have been given back.
#[derive(Debug)]
struct Given {
    each: Vec<bool>,
    /// How many at the beginning, without a gap.
    first: usize,
}

impl Replay {
    /// Opens a recording.
    ///
    /// # Errors
    /// When it cannot be read, is malformed, of another version, or holds no exchange.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, RecordingError> {
        let path = path.as_ref();
        let Recording { exchanges, truncated } = Recording::read(path)?;
        let Some(first) = exchanges.first() else {
            return Err(RecordingError::Empty { path: path.to_owned(), record: "exchange" });
        };
        let info = first.exchange.model.clone();
        let given = Mutex::new(Given { each: vec![false; exchanges.len()], first: 0 });
        Ok(Self { exchanges, truncated, info, path: Some(path.to_owned()), given })
    }

    /// Replays exchanges that followed each other, for example those of a transcript. `info` is that of
    /// the first one, or else has a name alone.
    pub fn new(exchanges: impl IntoIterator<Item = Exchange>) -> Self {
        let recorded = |(after, exchange)| Recorded { after, exchange };
        let exchanges: Vec<_> = exchanges.into_iter().enumerate().map(recorded).collect();
        let info = exchanges.first().map(|first| first.exchange.model.clone()).unwrap_or_else(|| ModelInfo {
            name: "replay".to_owned(),
            context_window: None,
            capabilities: Default::default(),
        });
        let given = Mutex::new(Given { each: vec![false; exchanges.len()], first: 0 });
        Self { exchanges, truncated: None, info, path: None, given }
    }

    /// How many exchanges have not been given back yet.
    pub fn remaining(&self) -> usize {
        let given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        given.each.iter().filter(|given| !**given).count()
    }

    /// The line that was cut off when the recording program was killed, if one was; see
    /// [`Recording::truncated`].
    pub fn truncated(&self) -> Option<usize> {
        self.truncated
    }

    /// The exchange for this request, which is then used up.
    fn take(&self, request: &ChatRequest) -> Result<&Exchange, ChatError> {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let mut expected = None;
        for (index, Recorded { after, exchange }) in self.exchanges.iter().enumerate().skip(given.first) {
            if given.each[index] || *after > given.first {
                continue;
            }
            match exchange.request.difference(request)? {
                None => {
                    given.each[index] = true;
                    given.first += given.each[given.first..].iter().take_while(|given| **given).count();
                    return Ok(exchange);
                }
                Some(difference) => expected = expected.or(Some((index, difference))),
            }
        }
        Err(self.mismatch(expected))
    }

    fn mismatch(&self, expected: Option<(usize, Difference)>) -> ChatError {
        let recording = match &self.path {
            Some(path) => format!("the recording {}", path.display()),
            None => "the recording".to_owned(),
        };
        let Some((index, difference)) = expected else {
            let count = self.exchanges.len();
            let message = format!("{recording} has no exchange left (it holds {count})");
            return ChatError::new(ChatErrorKind::Unavailable, message).with_hint("record the run again");
        };
        let message = format!("exchange {} of {recording} is of another request: {difference}", index + 1);
        ChatError::new(ChatErrorKind::InvalidRequest, message)
            .with_hint("replay with what the run was recorded with, or record it again")
    }
}

#[async_trait]
impl ChatModel for Replay {
    /// The model that was recorded.
    fn info(&self) -> ModelInfo {
        self.info.clone()
    }

    async fn stream(&self, request: ChatRequest) -> Result<ChatStream, ChatError> {
        let Exchange { events, error, .. } = self.take(&request)?.clone();
        match error {
            Some(error) if events.is_empty() => Err(error.into()),
            error => {
                let error = error.map(|error| Err(error.into()));
                Ok(Box::pin(stream::iter(events.into_iter().map(Ok).chain(error))))
            }
        }
    }
}
