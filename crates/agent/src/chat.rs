//! Conversations of several turns.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_util::StreamExt as _;
use qianshou_chat::Message;
use tokio_util::sync::CancellationToken;

use crate::transcript::Log;
use crate::{Agent, Answer, Conversation, Decision, Event, EventStream, RunError, RunState, TranscriptWriter};

/// A conversation with an agent, which remembers what was said.
///
/// Every turn is a run; its question and all its steps become history. So do those of a turn that was
/// cancelled or failed, as far as it came, with its open calls closed. A turn in which the model did not say
/// anything leaves no trace: the question can be asked again.
///
/// ```
/// use std::sync::Arc;
///
/// use qianshou_agent::{Agent, Chat};
/// use qianshou_chat::{ChatModel, ScriptedModel};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let model = Arc::new(ScriptedModel::new(["Hello, Ada.", "You are Ada."]));
/// let agent = Agent::builder(Arc::clone(&model) as Arc<dyn ChatModel>).build()?;
/// let mut chat = Chat::new(agent);
/// chat.ask("I am Ada.").await?;
/// let answer = chat.ask("Who am I?").await?;
/// assert_eq!(answer.text(), "You are Ada.");
/// // The system message, and two turns of two messages.
/// assert_eq!(chat.history().len(), 5);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Chat {
    agent: Agent,
    history: Vec<Message>,
    /// Where turns are written down.
    log: Option<Log>,
    /// The turn that the log goes on with if it is resumed.
    suspended: Option<RunState>,
}

impl Chat {
    /// A conversation in which nothing was said.
    pub fn new(agent: Agent) -> Self {
        Self { agent, history: Vec::new(), log: None, suspended: None }
    }

    /// Goes on with an earlier conversation.
    #[must_use]
    pub fn with_history(mut self, history: impl IntoIterator<Item = Message>) -> Self {
        self.history = history.into_iter().collect();
        self
    }

    /// Writes the turns down, one run after the other.
    #[must_use]
    pub fn recorded(mut self, transcript: TranscriptWriter) -> Self {
        self.log = Some(Log::new(transcript));
        self
    }

    /// What was said.
    pub fn history(&self) -> &[Message] {
        &self.history
    }

    /// Forgets what was said.
    pub fn clear(&mut self) {
        self.history.clear();
    }

    /// Says something and waits for the answer.
    ///
    /// # Errors
    /// As [`Agent::run`].
    pub async fn ask(&mut self, said: impl Into<Conversation>) -> Result<Answer, RunError> {
        let mut turn = self.stream(said);
        while let Some(event) = turn.next().await {
            if let Event::Finished { answer } = event? {
                return Ok(*answer);
            }
        }
        Err(RunError::Suspended { state: Box::new(turn.state().clone()) })
    }

    /// Says something and tells what happens. Dropping the stream ends the turn; what was said by then
    /// stays.
    pub fn stream(&mut self, said: impl Into<Conversation>) -> ChatTurn<'_> {
        let mut conversation = self.history.clone();
        conversation.extend(said.into().0);
        let events = self.agent.stream(conversation);
        let events = match self.log.take() {
            Some(log) => events.recorded(log.into_writer()),
            None => events,
        };
        ChatTurn { chat: self, events }
    }

    /// Goes on with a turn that was suspended, in this process or in an earlier one.
    ///
    /// When turns are [recorded](Self::recorded) it has to be the last turn of this conversation; any other
    /// ends with [`RunError::BegunUnrecorded`].
    pub fn resume(&mut self, state: RunState) -> ChatTurn<'_> {
        let is_recorded = self.suspended.as_ref() == Some(&state);
        let events = self.agent.drive(self.agent.resume(state), CancellationToken::new());
        let events = match self.log.take() {
            Some(log) if is_recorded => events.with_log(log),
            Some(log) => events.recorded(log.into_writer()),
            None => events,
        };
        ChatTurn { chat: self, events }
    }
}

/// The events of a turn of a [`Chat`], as they happen.
#[derive(Debug)]
pub struct ChatTurn<'a> {
    chat: &'a mut Chat,
    events: EventStream,
}

impl ChatTurn<'_> {
    /// The run as it is now; see [`EventStream::state`].
    pub fn state(&self) -> &RunState {
        self.events.state()
    }

    /// Cancels the turn when it is told to; see [`EventStream::cancellation`].
    pub fn cancellation(&self) -> &CancellationToken {
        self.events.cancellation()
    }

    /// Decides about a call; see [`EventStream::decide`].
    pub fn decide(&mut self, call: impl Into<String>, decision: Decision) {
        self.events.decide(call, decision);
    }
}

impl Stream for ChatTurn<'_> {
    type Item = Result<Event, RunError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.events.poll_next_unpin(context)
    }
}

impl Drop for ChatTurn<'_> {
    fn drop(&mut self) {
        if let Some(messages) = self.events.end() {
            self.chat.history = messages;
        }
        self.chat.log = self.events.take_log();
        let waits = self.chat.log.is_some() && self.events.is_suspended();
        self.chat.suspended = waits.then(|| self.events.state().clone());
    }
}
