//! Setting up agents.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use qianshou_chat::{ChatModel, Sampling};
use qianshou_prompts::{Prompt, Prompts};

use crate::agent::{Agent, Inner};
use crate::budget::Budget;
use crate::run::Setup;
use crate::toolbox::Toolbox;
use crate::{AnyTool, Approval, BuildError, CostLimit, Limits, Prices, Protocol, ReAct, Tool, ToolContext};

/// Sets up an [`Agent`].
pub struct AgentBuilder {
    model: Arc<dyn ChatModel>,
    tools: Vec<Arc<dyn AnyTool>>,
    prompts: Prompts,
    protocol: Option<Arc<dyn Protocol>>,
    system: Option<String>,
    sampling: Sampling,
    limits: Limits,
    approval: Option<Arc<dyn Approval>>,
    tool_timeout: Option<Duration>,
    context: ToolContext,
}

impl fmt::Debug for AgentBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("AgentBuilder").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl AgentBuilder {
    pub(crate) fn new(model: Arc<dyn ChatModel>) -> Self {
        Self {
            model,
            tools: Vec::new(),
            prompts: Prompts::embedded(),
            protocol: None,
            system: None,
            sampling: Sampling::greedy(),
            limits: Limits::default(),
            approval: None,
            tool_timeout: Some(Duration::from_secs(60)),
            context: ToolContext::default(),
        }
    }

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

    /// Sets how the model is asked and read: [`ReAct`] (the default, with the prompts of this agent),
    /// [`Native`](crate::Native), or one of your own.
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

    /// All limits at once, such as those of a recorded run.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
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

    /// Limits what the tokens of a run may cost, in any currency. It is checked between steps.
    #[must_use]
    pub fn max_cost(mut self, most: f64, prices: Prices) -> Self {
        self.limits.cost = Some(CostLimit { most, prices });
        self
    }

    /// Sets how many replies that broke off in the middle a run asks for again; the default is 2.
    #[must_use]
    pub fn max_lost_replies(mut self, replies: usize) -> Self {
        self.limits.lost_replies = replies;
        self
    }

    /// Limits the tokens of each reply of the model.
    #[must_use]
    pub fn max_reply_tokens(mut self, tokens: usize) -> Self {
        self.limits.reply_tokens = Some(tokens);
        self
    }

    /// Sets how many tokens of the context window are kept free for a reply; the default is the limit of
    /// tokens of a reply, or else a quarter of the window, at most 1024. When a prompt would need them,
    /// the oldest turns of the conversation are left out, and then the oldest steps.
    #[must_use]
    pub fn reserved_tokens(mut self, tokens: usize) -> Self {
        self.limits.reserved_tokens = Some(tokens);
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
        self.limits.wall_clock = Some(timeout);
        self
    }

    /// Has every call of a tool approved before it runs.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use qianshou_agent::{Agent, Decision, ObservationKind, ToolCall, ToolContext, tool_fn};
    /// use qianshou_chat::ScriptedModel;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let remove = tool_fn("remove", "Removes all files.", |_: (), _: ToolContext| async { Ok("removed".into()) });
    /// let model = ScriptedModel::new([
    ///     "Thought: I clean up.\nAction: remove\nAction Input: {}\n",
    ///     " I may not.\nFinal Answer: The files are still there.",
    /// ]);
    /// let agent = Agent::builder(Arc::new(model))
    ///     .tool(remove)
    ///     .approval(|call: ToolCall| async move {
    ///         let reason = format!("nobody may {} here", call.name);
    ///         Some(Decision::Deny { reason })
    ///     })
    ///     .build()?;
    /// let answer = agent.run("Clean up.").await?;
    /// assert_eq!(answer.text(), "The files are still there.");
    /// let observation = answer.steps[0].observations().next().unwrap();
    /// assert_eq!(observation.kind, ObservationKind::Denied);
    /// assert_eq!(observation.text, "The call of remove was not allowed: nobody may remove here");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn approval(mut self, approval: impl Approval + 'static) -> Self {
        self.approval = Some(Arc::new(approval));
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
    /// When two tools have the same name, a name or a schema cannot be expressed in the protocol, or the
    /// model cannot do what the protocol needs.
    pub fn build(self) -> Result<Agent, BuildError> {
        let protocol = self.protocol.unwrap_or_else(|| Arc::new(ReAct::new(self.prompts.clone())));
        let toolbox = Toolbox::new(self.tools)?;
        let model = self.model.info();
        protocol.check(toolbox.specs(), &model)?;
        let system = self.system.unwrap_or_else(|| self.prompts.text(Prompt::System).to_owned());
        let setup = Setup {
            protocol,
            toolbox,
            prompts: self.prompts,
            sampling: self.sampling,
            limits: self.limits,
            capabilities: model.capabilities,
            budget: Budget::new(Arc::clone(&self.model), &self.limits),
            approval: self.approval.is_some(),
        };
        let inner = Inner {
            model: self.model,
            setup: Arc::new(setup),
            approval: self.approval,
            system,
            tool_timeout: self.tool_timeout,
            context: self.context,
        };
        Ok(Agent { inner: Arc::new(inner) })
    }
}
