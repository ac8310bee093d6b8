//! Our agent, with a model that answers at once.

use std::sync::Arc;

use anyhow::Result;
use async_trait::async_trait;
use futures_util::stream;
use qianshou_agent::{Agent, Native, ReAct, Tool, ToolContext, ToolError, ToolOutput, ToolSpec};
use qianshou_chat::{
    Capabilities, ChatError, ChatEvent, ChatModel, ChatRequest, ChatStream, Delta, End, FinishReason, ModelInfo,
    NativeCall, Usage,
};
use tokio::sync::Barrier;

use crate::reader::pieces;
use crate::script::{ANSWER, AddArgs, DESCRIPTION, Place, Reply, SYSTEM, TOOL, replies};

/// How long a piece of a reply is, in bytes: as long as a token, more or less.
const TOKEN: usize = 4;

/// An agent whose model writes ReAct, token by token.
pub(crate) fn react(steps: usize, meeting: Option<Arc<Barrier>>) -> Result<Agent> {
    let script = replies(steps).map(|reply| in_react(&reply));
    let builder = Agent::builder(Arc::new(InstantModel::new(script, steps, meeting))).protocol(ReAct::default());
    Ok(builder.system(SYSTEM).tool(Add).max_steps(steps).build()?)
}

/// An agent whose model gives native calls, each in one piece.
pub(crate) fn native(steps: usize, meeting: Option<Arc<Barrier>>) -> Result<Agent> {
    let script = replies(steps).map(in_native);
    let builder = Agent::builder(Arc::new(InstantModel::new(script, steps, meeting))).protocol(Native::default());
    Ok(builder.system(SYSTEM).tool(Add).max_steps(steps).build()?)
}

fn in_react(reply: &Reply) -> Vec<ChatEvent> {
    let (text, finish) = match reply {
        Reply::Call { arguments, .. } => {
            let text = format!(" I add the next number.\nAction: {TOOL}\nAction Input: {arguments}\n");
            (text, FinishReason::Stop("Observation:".to_owned()))
        }
        Reply::Answer => (format!(" I now know the final answer\nFinal Answer: {ANSWER}"), FinishReason::EndOfTurn),
    };
    let deltas = (0..).zip(pieces(&text, TOKEN));
    let deltas = deltas.map(|(id, text)| ChatEvent::Delta(Delta { text: text.to_owned(), ids: vec![id] }));
    deltas.chain([end(finish)]).collect()
}

fn in_native(reply: Reply) -> Vec<ChatEvent> {
    let said = match reply {
        Reply::Call { id, arguments } => ChatEvent::Call(NativeCall { id, name: TOOL.to_owned(), arguments }),
        Reply::Answer => ChatEvent::Delta(Delta { text: ANSWER.to_owned(), ids: Vec::new() }),
    };
    vec![said, end(FinishReason::EndOfTurn)]
}

fn end(finish: FinishReason) -> ChatEvent {
    ChatEvent::End(End { finish, usage: Usage::default() })
}

struct InstantModel {
    script: Arc<[Vec<ChatEvent>]>,
    place: Place,
}

impl InstantModel {
    fn new(script: impl Iterator<Item = Vec<ChatEvent>>, steps: usize, meeting: Option<Arc<Barrier>>) -> Self {
        Self { script: script.collect(), place: Place::new(steps, meeting) }
    }
}

#[async_trait]
impl ChatModel for InstantModel {
    /// What the local engine can do, so that all is asked of the agent that a local model makes it do.
    fn info(&self) -> ModelInfo {
        let capabilities =
            Capabilities { continue_last: true, constraints: true, native_tools: true, ..Capabilities::default() };
        ModelInfo { name: "instant".to_owned(), context_window: Some(32_768), capabilities }
    }

    async fn stream(&self, _: ChatRequest) -> Result<ChatStream, ChatError> {
        let index = self.place.advance().await;
        let script = Arc::clone(&self.script);
        let event = move |at: usize| script[index].get(at).map(|event| (Ok(event.clone()), at + 1));
        Ok(Box::pin(stream::unfold(0, move |at| std::future::ready(event(at)))))
    }
}

struct Add;

impl Tool for Add {
    type Args = AddArgs;

    fn spec(&self) -> ToolSpec {
        ToolSpec::new::<AddArgs>(TOOL).description(DESCRIPTION)
    }

    async fn call(&self, args: AddArgs, _: &ToolContext) -> Result<ToolOutput, ToolError> {
        Ok(args.sum().into())
    }
}
