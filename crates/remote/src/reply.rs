//! A reply on its way: the body of the response, and who reads it.

use std::collections::VecDeque;
use std::error::Error as _;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use qianshou_chat::{ChatErrorKind, ChatEvent, ChatStream};
use reqwest::Response;

use crate::failure::{Fault, root_cause};
use crate::pieces::{BodyError, Pieces};
use crate::pool::Lease;
use crate::reader::Reader;

/// The last event of the protocol.
const DONE: &str = "[DONE]";

/// How long a body may take to end behind that.
const NEAR: Duration = Duration::from_millis(50);

/// A reply of which the head has come. Dropping it closes the connection, which ends the work of the server.
pub(crate) struct IncomingReply {
    lease: Lease,
    pieces: Pieces,
    reader: Reader,
    read: VecDeque<ChatEvent>,
    /// The text that has been emitted.
    received: String,
    attempt: usize,
}

impl IncomingReply {
    pub(crate) fn lease(&self) -> &Lease {
        &self.lease
    }

    pub(crate) fn into_lease(self) -> Lease {
        self.lease
    }

    pub(crate) fn new(lease: Lease, response: Response, reader: Reader, limit: usize, attempt: usize) -> Self {
        let pieces = Pieces::new(response, limit);
        Self { lease, pieces, reader, read: VecDeque::new(), received: String::new(), attempt }
    }

    /// Waits until there is something to emit.
    pub(crate) async fn begin(&mut self) -> Result<(), Fault> {
        while self.read.is_empty() {
            let events = match self.pieces.texts.next().await {
                Some(Ok(text)) if text.trim() == DONE => {
                    self.drain().await;
                    self.reader.close("nothing tells why it ended")?
                }
                Some(Ok(text)) => self.reader.read(&text, self.lease.endpoint())?,
                Some(Err(error)) => self.broken(&error)?,
                None if self.pieces.is_one && !self.reader.is_complete() => {
                    let fault = Fault::new(ChatErrorKind::Failed, "answered with something else than a reply");
                    return Err(fault.with_hint("check that the URL is that of a chat API"));
                }
                None => self.reader.close("it closed the connection")?,
            };
            self.read.extend(events);
        }
        Ok(())
    }

    /// Waits for the end of the body, which is near: the connection can then be used again.
    async fn drain(&mut self) {
        let _ = tokio::time::timeout(NEAR, self.pieces.texts.next()).await;
    }

    /// A fault of the connection. Behind the end of the reply it does not matter.
    fn broken(&mut self, error: &sse_stream::Error) -> Result<Vec<ChatEvent>, Fault> {
        let cause = error.source().and_then(|cause| cause.downcast_ref());
        match cause {
            _ if self.reader.is_complete() => self.reader.close(""),
            Some(BodyError::TooLong(limit)) => {
                let message = format!("sent a reply of more than {limit} bytes");
                Err(Fault::new(ChatErrorKind::Failed, message).with_hint("limit `max_tokens`, or allow longer replies"))
            }
            Some(BodyError::Transport(error)) if error.is_timeout() => Err(Fault::timeout(false)),
            _ => self.reader.close(&root_cause(error)),
        }
    }

    /// The reply as the caller gets it.
    pub(crate) fn into_stream(self) -> ChatStream {
        Box::pin(stream::unfold(Some(self), |reply| async {
            let mut reply = reply?;
            if let Err(fault) = reply.begin().await {
                if fault.retryable {
                    reply.lease.failed(fault.retry_after);
                }
                let error = fault.into_error(reply.lease.endpoint().name(), reply.attempt, &reply.received);
                return Some((Err(error), None));
            }
            let event = reply.read.pop_front()?;
            if let ChatEvent::Delta(delta) = &event {
                reply.received.push_str(&delta.text);
            }
            let is_end = matches!(event, ChatEvent::End(_));
            Some((Ok(event), (!is_end).then_some(reply)))
        }))
    }
}
