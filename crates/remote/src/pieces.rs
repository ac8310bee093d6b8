//! The body of a response, as the JSON texts in it.

use std::future::ready;
use std::pin::Pin;

use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream};
use reqwest::Response;
use reqwest::header::CONTENT_TYPE;
use sse_stream::{Error, SseByteStream};

/// Why a body cannot be read on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    #[error(transparent)]
    Transport(#[from] reqwest::Error),
    #[error("more than {0} bytes")]
    TooLong(usize),
}

/// The texts of a body.
pub(crate) struct Pieces {
    pub(crate) texts: Pin<Box<dyn Stream<Item = Result<String, Error>> + Send>>,
    /// Whether the whole body is one text, and not an event stream.
    pub(crate) is_one: bool,
}

impl Pieces {
    /// Reads the body of `response`, as long as it has no more than `limit` bytes.
    pub(crate) fn new(response: Response, limit: usize) -> Self {
        let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let is_one = content_type.is_some_and(|content_type| content_type.trim_start().starts_with("application/json"));
        let body = limited(response.bytes_stream(), limit);
        if is_one {
            return Self { texts: Box::pin(stream::once(whole(body))), is_one };
        }
        // Events without data are comments and fields of other uses, often to keep the connection alive.
        let texts = SseByteStream::new(body).try_filter_map(|event| ready(Ok(event.data)));
        Self { texts: Box::pin(texts), is_one }
    }
}

async fn whole<T: AsRef<[u8]>>(body: impl Stream<Item = Result<T, BodyError>>) -> Result<String, Error> {
    let mut body = std::pin::pin!(body);
    let mut bytes = Vec::new();
    while let Some(more) = body.next().await {
        bytes.extend_from_slice(more.map_err(|error| Error::Body(Box::new(error)))?.as_ref());
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
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
