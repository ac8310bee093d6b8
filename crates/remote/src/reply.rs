//! A reply on its way: the body of the response, and who reads it.

use std::collections::VecDeque;
use std::error::Error;
use std::pin::Pin;

use futures_util::{Stream, StreamExt as _, stream};
use qianshou_chat::{ChatErrorKind, ChatEvent, ChatStream};
use reqwest::Response;
use sse_stream::{Sse, SseByteStream};

use crate::failure::{Fault, root_cause};
use crate::pool::Lease;
use crate::reader::Reader;

type Events = Pin<Box<dyn Stream<Item = Result<Sse, sse_stream::Error>> + Send>>;

/// A reply of which the head has come. Dropping it closes the connection, which ends the work of the server.
pub(crate) struct IncomingReply {
    lease: Lease,
    events: Events,
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
        let events = Box::pin(SseByteStream::new(limited(response.bytes_stream(), limit)));
        Self { lease, events, reader, read: VecDeque::new(), received: String::new(), attempt }
    }

    /// Waits until there is something to emit.
    pub(crate) async fn begin(&mut self) -> Result<(), Fault> {
        while self.read.is_empty() {
            let events = match self.events.next().await {
                Some(Ok(Sse { data: Some(data), .. })) => self.reader.read(&data, self.lease.endpoint())?,
                // Comments and fields of other uses, often to keep the connection alive.
                Some(Ok(_)) => continue,
                Some(Err(error)) => self.broken(&error)?,
                None => self.reader.close("it closed the connection")?,
            };
            self.read.extend(events);
        }
        Ok(())
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
                reply.lease.failed(fault.retry_after);
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

#[derive(Debug, thiserror::Error)]
enum BodyError {
    #[error(transparent)]
    Transport(#[from] reqwest::Error),
    #[error("more than {0} bytes")]
    TooLong(usize),
}

/// A body up to this many bytes. Lines and events have no other limit.
fn limited<T: AsRef<[u8]>>(
    body: impl Stream<Item = reqwest::Result<T>>,
    limit: usize,
) -> impl Stream<Item = Result<T, BodyError>> {
    let mut left = limit;
    body.map(move |bytes| {
        let bytes = bytes?;
        left = left.checked_sub(bytes.as_ref().len()).ok_or(BodyError::TooLong(limit))?;
        Ok(bytes)
    })
}
