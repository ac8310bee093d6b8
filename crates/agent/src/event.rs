//! What a run tells while it goes on.

use qianshou_chat::{FinishReason, Usage};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Answer, ArgumentStage, Decision, Observation, ToolCall};

/// Something that happened in a run. Deltas of one kind, joined, are the whole text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// The model begins a reply.
    StepStarted {
        /// Which step of the run, the first being 1.
        step: usize,
    },
    /// More of the model's thought.
    ThoughtDelta {
        /// The new text.
        text: String,
    },
    /// The model calls a tool; its arguments follow.
    Action {
        /// The id of the call.
        call: String,
        /// The name of the tool as the model wrote it.
        name: String,
    },
    /// More of the input of a call, as the model writes it.
    ArgumentsDelta {
        /// The id of the call.
        call: String,
        /// The new text.
        text: String,
    },
    /// More of the final answer.
    AnswerDelta {
        /// The new text.
        text: String,
    },
    /// What was told as the answer in this step so far is a thought: the model went on to call a tool.
    AnswerWasThought,
    /// Something is odd, and the run went on in a stated way.
    Warning {
        /// What it is.
        warning: Warning,
    },
    /// The model ended its reply.
    StepUsage {
        /// Which step of the run.
        step: usize,
        /// Prompt tokens reused and computed, tokens generated.
        usage: Usage,
        /// Why the reply ended.
        finish: FinishReason,
    },
    /// A call waits for approval.
    ApprovalNeeded {
        /// The id of the call.
        call: String,
        /// The registered name of the tool.
        name: String,
        /// What it would be called with.
        arguments: Value,
    },
    /// It was decided whether a call may run.
    Decided {
        /// The id of the call.
        call: String,
        /// What was decided.
        decision: Decision,
    },
    /// The arguments of a call fit; the tool runs.
    ToolStarted {
        /// The id of the call.
        call: String,
        /// The registered name of the tool.
        name: String,
        /// What it is called with.
        arguments: Value,
        /// How the arguments were read.
        stage: ArgumentStage,
    },
    /// A call has its observation, be it a result or the reason why there is none.
    Observation {
        /// The id of the call; none when the reply held no call to observe.
        call: Option<String>,
        /// What the model reads, and what the operator may want to know.
        observation: Observation,
    },
    /// Nobody can decide now about these calls. Nothing follows; the run can be saved, and goes on when
    /// it is resumed and decided.
    Suspended {
        /// The calls that wait for approval.
        calls: Vec<ToolCall>,
    },
    /// The run is over. Nothing follows.
    Finished {
        /// How it ended.
        answer: Box<Answer>,
    },
}

/// Something odd in what a model wrote or a tool gave, which did not end the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "warning", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Warning {
    /// The text looks like a call, but is none.
    #[error("the reply looks like a tool call but is none: {text:?}")]
    LooksLikeCall {
        /// The line that looks like it.
        text: String,
    },
    /// Several actions were named for one input; the last one counts.
    #[error("an action was replaced before it had an input: {dropped:?}")]
    SeveralActions {
        /// The one that does not count.
        dropped: String,
    },
    /// An action has no input; it is called without arguments.
    #[error("the action {name:?} has no input")]
    MissingInput {
        /// The action.
        name: String,
    },
    /// The model wrote an observation itself; from there on its text is dropped.
    #[error("the model invented an observation; it was dropped")]
    InventedObservation,
    /// The model gave a final answer right after a call, before the observation; the call counts.
    #[error("the model answered before the observation of its call; the answer was dropped")]
    AnswerBesideAction,
    /// The model went on after its call; that text is dropped.
    #[error("the model went on after its call; the text was dropped")]
    TextAfterCall,
    /// A stop string came up while the model was still thinking; it goes on behind its thinking.
    #[error("a stop string ended the model's thinking")]
    StoppedInThinking,
    /// A reply broke off; what came of this step so far does not count, and it is asked for again.
    #[error("the reply broke off and is asked for again: {reason}")]
    ReplyLost {
        /// Why.
        reason: String,
    },
    /// The oldest turn of the conversation is left out from here on: the context is full.
    #[error("the context is full; the oldest turn of the conversation is left out")]
    TurnLeftOut,
    /// A step is left out of the prompt from here on: the context is full.
    #[error("the context is full; step {step} is left out")]
    StepLeftOut {
        /// Which step of the run, the first being 1.
        step: usize,
    },
    /// Arguments that were put in the place of the model's do not fit; the call is denied.
    #[error("the new arguments of {call} do not fit: {fault}")]
    EditDoesNotFit {
        /// The id of the call.
        call: String,
        /// What does not fit.
        fault: String,
    },
    /// An observation was too long for the model; head and tail are kept.
    #[error("an observation was cut by {characters} characters")]
    ObservationCut {
        /// How many characters are missing.
        characters: usize,
    },
}
