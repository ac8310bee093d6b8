//! The remote model.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use qianshou_chat::{Capabilities, ChatError, ChatModel, ChatRequest, ChatStream, ModelInfo};
use tracing::warn;

use crate::failure::Fault;
use crate::pool::{Lease, Pool};
use crate::reader::Reader;
use crate::reply::IncomingReply;
use crate::retry::Attempts;
use crate::{Flavour, RemoteBuilder, Retries, body};

/// What a model is set up with, besides its servers.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) info: ModelInfo,
    pub(crate) flavour: Flavour,
    pub(crate) retries: Retries,
    pub(crate) image_bytes: usize,
    pub(crate) reply_bytes: usize,
}

/// A chat model behind one or several OpenAI-compatible servers.
///
/// It is set up by a [builder](Self::builder), or by a [`RemoteSpec`](crate::RemoteSpec).
///
/// - [`stream`](ChatModel::stream) returns when the first event of the reply is there; until then it may
///   try again. Dropping the stream, or the call before, cancels the request at the server.
/// - The usage is what the server tells. Where it tells nothing, all counts are 0.
/// - Where a server does not tell at which stop string it stopped, the reply ends with
///   [`EndOfTurn`](qianshou_chat::FinishReason::EndOfTurn). Stop strings that it emits are cut off here.
/// - Thinking that the server takes apart (`reasoning_content`) comes as text between `<think>` and
///   `</think>`, as a local model would write it.
/// - Errors have a [`Failure`](crate::Failure) as their source, once the request has been sent.
#[derive(Debug)]
pub struct RemoteModel {
    settings: Settings,
    pool: Arc<Pool>,
}

impl RemoteModel {
    /// Sets up a model, by the name that the server knows.
    pub fn builder(name: impl Into<String>) -> RemoteBuilder {
        RemoteBuilder::new(name.into())
    }

    pub(crate) fn new(settings: Settings, pool: Arc<Pool>) -> Self {
        Self { settings, pool }
    }

    /// One attempt, up to the first event of the reply.
    async fn attempt(
        &self,
        lease: Lease,
        body: Vec<u8>,
        request: &ChatRequest,
        number: usize,
    ) -> Result<IncomingReply, (Lease, Fault)> {
        let response = match lease.endpoint().post(body).await {
            Ok(response) => response,
            Err(fault) => return Err((lease, fault)),
        };
        let mut reply = IncomingReply::new(lease, response, Reader::new(request), self.settings.reply_bytes, number);
        match reply.begin().await {
            Ok(()) => Ok(reply),
            Err(fault) => Err((reply.into_lease(), fault)),
        }
    }
}

#[async_trait]
impl ChatModel for RemoteModel {
    fn info(&self) -> ModelInfo {
        self.settings.info.clone()
    }

    async fn stream(&self, request: ChatRequest) -> Result<ChatStream, ChatError> {
        // Which constraints the server knows is told by `body::encode`.
        request.validate(&Capabilities { constraints: true, ..self.settings.info.capabilities })?;
        let body = body::encode(&request, &self.settings)?;
        let mut attempts = Attempts::new(self.settings.retries);
        loop {
            let attempt = self.attempt(self.pool.choose(), body.clone(), &request, attempts.failed + 1);
            let (lease, fault) = match attempt.await {
                Ok(reply) => {
                    reply.lease().succeeded();
                    return Ok(reply.into_stream());
                }
                Err(failed) => failed,
            };
            attempts.failed += 1;
            if fault.retryable {
                lease.failed(fault.retry_after);
            }
            let endpoint = lease.endpoint().name().to_owned();
            drop(lease);
            let pause = if !fault.retryable || !attempts.is_one_left() {
                None
            } else if self.pool.is_any_ready() {
                Some(Duration::ZERO)
            } else {
                attempts.pause(fault.retry_after)
            };
            let Some(pause) = pause else {
                return Err(fault.into_error(&endpoint, attempts.failed, ""));
            };
            warn!(endpoint, ?pause, "asks again: the server {}", fault.message);
            tokio::time::sleep(pause).await;
        }
    }
}
