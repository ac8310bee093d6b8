//! The same agent in rig.
//!
//! A model of one's own is a wire, which says how a request and a reply are written, over a transport,
//! which carries them. Here nothing is written: the transport drops the request and hands over the reply.

use std::marker::PhantomData;
use std::sync::Arc;

use futures_util::stream;
use rig::completion::options::{Mapping, OptionFields, OptionMap};
use rig::completion::{Accepts, CompletionRequest, FinishReason, ReplayTarget};
use rig::driver::{Exchange, Model, Opened, Opening, Transport};
use rig::error::{EncodeError, ProviderError};
use rig::message::Api;
use rig::operation::{Block, CallFragment, Completion, Finish};
use rig::tool::PortableTool;
use rig::wire::document::{Reassemble, Serves};
use rig::wire::{Decoder, Descriptor, Flow, Mode, Out, Wire, WireEvent};
use rig::{Agent, AgentBuilder};
use serde_json::Value;
use tokio::sync::Barrier;

use crate::script::{ANSWER, AddArgs, DESCRIPTION, Place, Reply, SYSTEM, TOOL, replies};

const NAME: &str = "instant";

/// An agent whose model gives native calls.
pub(crate) fn agent(steps: usize, meeting: Option<Arc<Barrier>>) -> Agent {
    let script = Arc::new((replies(steps).collect(), Place::new(steps, meeting)));
    let builder = AgentBuilder::new(Model::new(InstantWire, InstantTransport { script })).preamble(SYSTEM);
    builder.tool(Add { parameters: schemars::schema_for!(AddArgs).into() }).default_max_turns(steps).build()
}

#[derive(Clone)]
struct InstantTransport {
    script: Arc<(Vec<Reply>, Place)>,
}

impl Transport<InstantWire> for InstantTransport {
    fn send(&self, _: CompletionRequest, _: Exchange) -> Opening<Reply> {
        let script = Arc::clone(&self.script);
        Opening::new(async move {
            let (replies, place) = &*script;
            let reply = replies[place.advance().await].clone();
            // A document of its own saves rig from building one of the frames.
            Ok(Opened::new(stream::iter([Ok(reply)])).with_document(Value::Null))
        })
    }
}

#[derive(Clone, Debug)]
struct InstantWire;

impl Wire for InstantWire {
    type Op = Completion;
    type Payload = CompletionRequest;
    type Frame = Reply;
    type Decoder<'id> = ReplyDecoder<'id>;
    type Reassembler = NoDocument;

    fn describe(&self) -> Descriptor<'_> {
        Descriptor::new(NAME).model(NAME).replay(self)
    }

    fn encode(&self, request: CompletionRequest, _: Mode) -> Result<CompletionRequest, EncodeError> {
        Ok(request)
    }

    fn decoder<'id>(&self) -> ReplyDecoder<'id> {
        ReplyDecoder(PhantomData)
    }
}

impl ReplayTarget for InstantWire {
    fn api(&self) -> Api {
        Api::from_static(NAME)
    }

    fn provider(&self) -> &str {
        NAME
    }

    fn model(&self) -> &str {
        NAME
    }

    fn accepts(&self, _: &str) -> Accepts {
        Accepts::TEXT
    }

    /// The agent sets no option.
    fn map_options(&self, _: &CompletionRequest, _: OptionFields<'_>) -> OptionMap {
        OptionMap {
            reasoning: Mapping::Nothing,
            cache: Mapping::Nothing,
            service_tier: Mapping::Nothing,
            verbosity: Mapping::Nothing,
            parallel_tool_calls: Mapping::Nothing,
            top_p: Mapping::Nothing,
            seed: Mapping::Nothing,
            stop: Mapping::Nothing,
        }
    }
}

struct ReplyDecoder<'id>(PhantomData<fn(&'id ()) -> &'id ()>);

impl<'id> Decoder<'id, Completion, Reply> for ReplyDecoder<'id> {
    type Event = Reply;

    fn classify(&self, reply: Reply) -> WireEvent<Reply> {
        WireEvent::Known(reply)
    }

    fn decode(&mut self, reply: Reply, mut out: Out<'id, Completion>) -> Result<Flow, ProviderError> {
        let reason = match reply {
            Reply::Call { id, arguments } => {
                let call = CallFragment { id: Some(&id), name: Some(TOOL), arguments: Some(&arguments) };
                out.fragment(Some(0), call)?;
                out.finish(0)?;
                FinishReason::ToolCalls
            }
            Reply::Answer => {
                out.whole(0, Block::Text, Value::Null, ANSWER)?;
                FinishReason::Stop
            }
        };
        Ok(out.end(Finish { reason: Some(reason), ..Finish::default() }))
    }
}

/// The transport gives a document, so that none is built.
#[derive(Default)]
struct NoDocument;

impl Serves<Completion> for NoDocument {}

impl Reassemble<Reply> for NoDocument {
    fn absorb(&mut self, _: &Reply) {}

    fn finish(self) -> Value {
        Value::Null
    }
}

struct Add {
    parameters: Value,
}

impl PortableTool for Add {
    const NAME: &'static str = TOOL;
    type Args = AddArgs;
    type Output = String;
    type Error = std::convert::Infallible;

    fn description(&self) -> String {
        DESCRIPTION.to_owned()
    }

    fn parameters(&self) -> Value {
        self.parameters.clone()
    }

    async fn call(&self, args: AddArgs) -> Result<String, Self::Error> {
        Ok(args.sum())
    }
}
