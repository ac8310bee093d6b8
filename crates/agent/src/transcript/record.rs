//! The records of a transcript.

use qianshou_chat::{Exchange, Message, ModelInfo, Usage};
use serde::{Deserialize, Serialize};

use crate::{Decision, Interruption, Limits, StepRecord, StopReason, ToolOutcome, ToolSpec};

/// The version of the records that this crate writes; exchanges have their own,
/// [`EXCHANGE_VERSION`](qianshou_chat::EXCHANGE_VERSION).
///
/// Every change of what a line holds, an optional field too, makes a new version.
///
/// | version | what changed | old reader, new data | new reader, old data |
/// |--:|---|---|---|
/// | 1 | the first | | |
/// | 2 | `approval` of `run` | refused | read; no call needed approval |
pub const TRANSCRIPT_VERSION: u32 = 2;

/// The oldest version that is read.
pub(super) const OLDEST: u32 = 1;

/// What a run begins with: `{"record":"run","version":2,"at":…,"run":{…}}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunHeader {
    /// The model that was asked.
    pub model: ModelInfo,
    /// The name of the protocol.
    pub protocol: String,
    /// The tools that could be called.
    pub tools: Vec<ToolSpec>,
    /// What the run might take.
    pub limits: Limits,
    /// Whether calls needed approval. Whatever agent goes on with the run, they do then.
    #[serde(default)]
    pub approval: bool,
    /// The conversation, which ends with the question.
    pub conversation: Vec<Message>,
}

/// A call of a tool, and how it ended: `{"record":"call","version":2,"at":…,"call":{…}}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallOutcome {
    /// The id of the call.
    pub id: String,
    /// How it ended, as the tool gave it.
    pub outcome: ToolOutcome,
}

/// Whether a call might run: `{"record":"decision","version":2,"at":…,"decision":{…}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecidedCall {
    /// The id of the call.
    pub id: String,
    /// What was decided.
    pub decision: Decision,
}

/// A step that is over: `{"record":"step","version":2,"at":…,"step":{…}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepOutcome {
    /// Which step of the run, the first being 1.
    pub number: usize,
    /// What the run made of it.
    pub outcome: StepRecord,
}

/// What a run ends with: `{"record":"end","version":2,"at":…,"end":{…}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// Why it ended.
    pub stop_reason: StopReason,
    /// The final answer, or what there is of it.
    pub answer: String,
    /// Tokens of all steps.
    pub usage: Usage,
    /// How many times the model was told to mend a call.
    pub repairs: usize,
}

/// One thing that happened in a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// The model was asked.
    Exchange(Exchange),
    /// It was decided about a call.
    Decision(DecidedCall),
    /// A call ended.
    Call(CallOutcome),
    /// The run was ended from outside.
    Interrupt(Interruption),
    /// A step is over.
    Step(StepOutcome),
    /// The run is over.
    End(Ending),
}

/// A record and when it was written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimedRecord {
    /// Milliseconds since 1970 began, UTC. Exchanges do not have it.
    pub at: Option<u64>,
    /// The record.
    pub record: Record,
}
