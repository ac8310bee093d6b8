//! Agents: what is set once, and the runs that are started from it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use qianshou_chat::{ChatModel, Message, Role};
use tokio_util::sync::CancellationToken;

use crate::run::Setup;
use crate::{
    AgentBuilder, AgentRun, Answer, Approval, Conversation, EventStream, RunError, RunHeader, RunState, ToolContext,
    ToolSpec,
};

/// A model with tools and limits. Cloning is cheap; any number of runs may go on at once.
///
/// The futures and streams that it returns need a Tokio runtime with time enabled.
#[derive(Clone)]
pub struct Agent {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) model: Arc<dyn ChatModel>,
    pub(crate) setup: Arc<Setup>,
    pub(crate) approval: Option<Arc<dyn Approval>>,
    pub(crate) system: String,
    pub(crate) tool_timeout: Option<Duration>,
    /// What every call's context begins with.
    pub(crate) context: ToolContext,
}

impl fmt::Debug for Agent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Agent")
            .field("model", &self.inner.model.info().name)
            .field("tools", &self.inner.setup.toolbox)
            .finish_non_exhaustive()
    }
}

impl Agent {
    /// Begins an agent around a model.
    pub fn builder(model: Arc<dyn ChatModel>) -> AgentBuilder {
        AgentBuilder::new(model)
    }

    /// The specs of the tools, in the order of their registration.
    pub fn tools(&self) -> &[ToolSpec] {
        self.inner.setup.toolbox.specs()
    }

    /// Answers a question, or the last message of a conversation.
    ///
    /// A run that reaches a limit is no error: its [`Answer::stop_reason`] says so.
    ///
    /// # Errors
    /// When the conversation has no question, the model fails, or the run is suspended because a call
    /// waits for approval.
    pub async fn run(&self, conversation: impl Into<Conversation>) -> Result<Answer, RunError> {
        self.stream(conversation).answer().await
    }

    /// Answers like [`run`](Self::run), telling each event as it happens.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use futures_util::StreamExt as _;
    /// use qianshou_agent::{Agent, Event};
    /// use qianshou_chat::ScriptedModel;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let model = ScriptedModel::new(["Thought: I know this.\nFinal Answer: Paris."]);
    /// let agent = Agent::builder(Arc::new(model)).build()?;
    /// let mut events = agent.stream("What is the capital of France?");
    /// let mut answer = String::new();
    /// while let Some(event) = events.next().await {
    ///     if let Event::AnswerDelta { text } = event? {
    ///         answer += &text;
    ///     }
    /// }
    /// assert_eq!(answer, "Paris.");
    /// # Ok(())
    /// # }
    /// ```
    pub fn stream(&self, conversation: impl Into<Conversation>) -> EventStream {
        match self.start(conversation) {
            Ok(run) => self.drive(run, CancellationToken::new()),
            Err(error) => EventStream::failed(self.clone(), error),
        }
    }

    /// A run that has not begun, to be driven by [`drive`](Self::drive) or by yourself.
    ///
    /// # Errors
    /// When the conversation does not end with a message of the user.
    pub fn start(&self, conversation: impl Into<Conversation>) -> Result<AgentRun, RunError> {
        let mut messages = conversation.into().checked()?;
        if messages.first().is_none_or(|first| first.role != Role::System) {
            messages.insert(0, Message::system(&self.inner.system));
        }
        Ok(AgentRun::new(Arc::clone(&self.inner.setup), messages))
    }

    /// A run that goes on from a saved state, with the tools and limits of this agent.
    pub fn resume(&self, state: RunState) -> AgentRun {
        AgentRun::resume(Arc::clone(&self.inner.setup), state)
    }

    /// What the transcript of a run of this agent begins with.
    pub(crate) fn header(&self, state: &RunState) -> RunHeader {
        RunHeader {
            model: self.inner.model.info(),
            protocol: self.inner.setup.protocol.name().to_owned(),
            tools: self.tools().to_vec(),
            limits: self.inner.setup.limits,
            approval: self.inner.setup.approval,
            conversation: state.conversation().to_vec(),
        }
    }

    /// Drives a run to its end. The token cancels it: the model stops, tools are told and dropped, and
    /// the run ends with [`StopReason::Cancelled`](crate::StopReason::Cancelled).
    pub fn drive(&self, run: AgentRun, cancellation: CancellationToken) -> EventStream {
        EventStream::new(self.clone(), run, &cancellation)
    }
}
