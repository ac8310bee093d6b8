//! Agents: what is set once, and the runs that are started from it.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use qianshou_chat::{ChatModel, Message, Role, Sampling};
use qianshou_prompts::{Prompt, Prompts};
use tokio_util::sync::CancellationToken;

use crate::driver::{self, EventStream};
use crate::run::Setup;
use crate::toolbox::Toolbox;
use crate::{
    AgentRun, Answer, AnyTool, BuildError, Conversation, Event, Limits, Protocol, ReAct, RunError, RunState, Tool,
    ToolContext, ToolSpec,
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
    pub(crate) system: String,
    pub(crate) timeout: Option<Duration>,
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
        AgentBuilder {
            model,
            tools: Vec::new(),
            prompts: Prompts::embedded(),
            protocol: None,
            system: None,
            sampling: Sampling::greedy(),
            limits: Limits::default(),
            timeout: None,
            tool_timeout: Some(Duration::from_secs(60)),
            context: ToolContext::default(),
        }
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
    /// When the conversation has no question, or the model fails.
    pub async fn run(&self, conversation: impl Into<Conversation>) -> Result<Answer, RunError> {
        let mut events = self.stream(conversation);
        while let Some(event) = events.next().await {
            if let Event::Finished { answer } = event? {
                return Ok(*answer);
            }
        }
        // A stream ends with an error or with `Finished`.
        Err(RunError::NoQuestion)
    }

    /// Answers like [`run`](Self::run), telling each event as it happens. The last one is
    /// [`Event::Finished`] or an error. Dropping the stream cancels the run.
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
            Err(error) => driver::failed(error),
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
        Ok(AgentRun::new(Arc::clone(&self.inner.setup), &messages))
    }

    /// A run that goes on from a saved state, with the tools and limits of this agent.
    pub fn resume(&self, state: RunState) -> AgentRun {
        AgentRun::resume(Arc::clone(&self.inner.setup), state)
    }

    /// Drives a run to its end. The token cancels it: the model stops, tools are told and dropped, and
    /// the run ends with [`StopReason::Cancelled`](crate::StopReason::Cancelled).
    pub fn drive(&self, run: AgentRun, cancellation: CancellationToken) -> EventStream {
        driver::drive(self.clone(), run, cancellation)
    }
}

/// Sets up an [`Agent`].
pub struct AgentBuilder {
    model: Arc<dyn ChatModel>,
    tools: Vec<Arc<dyn AnyTool>>,
    prompts: Prompts,
    protocol: Option<Arc<dyn Protocol>>,
    system: Option<String>,
    sampling: Sampling,
    limits: Limits,
    timeout: Option<Duration>,
    tool_timeout: Option<Duration>,
    context: ToolContext,
}

impl fmt::Debug for AgentBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("AgentBuilder").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl AgentBuilder {
    /// Adds a tool.
    #[must_use]
    pub fn tool(self, tool: impl Tool + 'static) -> Self {
        self.any_tool(Arc::new(tool))
    }

    /// Adds a tool that is behind a pointer already.
    #[must_use]
    pub fn any_tool(mut self, tool: Arc<dyn AnyTool>) -> Self {
        self.tools.push(tool);
        self
    }

    /// Adds several tools.
    #[must_use]
    pub fn any_tools(mut self, tools: impl IntoIterator<Item = Arc<dyn AnyTool>>) -> Self {
        self.tools.extend(tools);
        self
    }

    /// Sets the system message for conversations that do not begin with one.
    #[must_use]
    pub fn system(mut self, system: impl Into<String>) -> Self {
        self.system = Some(system.into());
        self
    }

    /// Replaces the prompts.
    #[must_use]
    pub fn prompts(mut self, prompts: Prompts) -> Self {
        self.prompts = prompts;
        self
    }

    /// Sets how the model is asked and read; the default is [`ReAct`] with the prompts of this agent.
    #[must_use]
    pub fn protocol(mut self, protocol: impl Protocol + 'static) -> Self {
        self.protocol = Some(Arc::new(protocol));
        self
    }

    /// Sets how tokens are chosen; the default is greedy.
    #[must_use]
    pub fn sampling(mut self, sampling: Sampling) -> Self {
        self.sampling = sampling;
        self
    }

    /// Sets how many replies of the model a run may take; the default is 8.
    #[must_use]
    pub fn max_steps(mut self, steps: usize) -> Self {
        self.limits.steps = steps;
        self
    }

    /// Sets how often a run may ask the model to mend a call; the default is 3.
    #[must_use]
    pub fn max_repairs(mut self, repairs: usize) -> Self {
        self.limits.repairs = repairs;
        self
    }

    /// Sets how many equal calls in a row end a run; the default is 3.
    #[must_use]
    pub fn max_repeated_actions(mut self, actions: usize) -> Self {
        self.limits.repeated_actions = actions;
        self
    }

    /// Limits the tokens of a run: those computed in prompts and those generated.
    #[must_use]
    pub fn max_tokens(mut self, tokens: usize) -> Self {
        self.limits.tokens = Some(tokens);
        self
    }

    /// Limits the tokens of each reply of the model.
    #[must_use]
    pub fn max_reply_tokens(mut self, tokens: usize) -> Self {
        self.limits.reply_tokens = Some(tokens);
        self
    }

    /// Sets how many characters of an observation the model is shown; the default is 8000.
    #[must_use]
    pub fn max_observation_characters(mut self, characters: usize) -> Self {
        self.limits.observation_characters = characters;
        self
    }

    /// Limits how long a run may take; by default there is no limit.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Limits how long a tool may take, `None` for no limit; the default is a minute.
    #[must_use]
    pub fn tool_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.tool_timeout = timeout.into();
        self
    }

    /// Sets the folder that the tools work in.
    #[must_use]
    pub fn workspace(mut self, folder: impl Into<PathBuf>) -> Self {
        self.context = self.context.with_workspace(folder);
        self
    }

    /// Hands a value to the tools; see [`ToolContext::extension`].
    #[must_use]
    pub fn extension<Value: Send + Sync + 'static>(mut self, value: Value) -> Self {
        self.context = self.context.with_extension(value);
        self
    }

    /// The agent.
    ///
    /// # Errors
    /// When two tools have the same name, a name or a schema cannot be shown to a model, or the model
    /// cannot do what the protocol needs.
    pub fn build(self) -> Result<Agent, BuildError> {
        let toolbox = Toolbox::new(self.tools)?;
        let protocol = self.protocol.unwrap_or_else(|| Arc::new(ReAct::new(self.prompts.clone())));
        let info = self.model.info();
        if protocol.continues() && !info.capabilities.continue_last {
            return Err(BuildError::CannotContinue { model: info.name });
        }
        let system = self.system.unwrap_or_else(|| self.prompts.text(Prompt::System).to_owned());
        let setup = Setup { protocol, toolbox, prompts: self.prompts, sampling: self.sampling, limits: self.limits };
        let inner = Inner {
            model: self.model,
            setup: Arc::new(setup),
            system,
            timeout: self.timeout,
            tool_timeout: self.tool_timeout,
            context: self.context,
        };
        Ok(Agent { inner: Arc::new(inner) })
    }
}
