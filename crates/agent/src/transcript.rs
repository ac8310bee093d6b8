//! Transcripts: runs as they are written down, to be read, resumed and replayed.
//!
//! A transcript is a [file of records](qianshou_chat::Records), appended as the run goes. A run begins with
//! `run` (what was asked, and with which model, tools and limits). Then come, in the order in which they
//! happened, all its inputs: each `exchange` with the model (the record of `qianshou-chat`), each `decision`,
//! each `call` of a tool with what came back, an `interrupt`. After each step stands a `step`, what the run
//! made of it, for readers that are no state machine, and at the end an `end`. Several runs may follow each
//! other in a file, as those of a conversation do.
//!
//! Inputs and events are the whole truth: a run is brought back by feeding them to a new one. A file that
//! breaks off anywhere (its process was killed) is a run that goes on from there: a reply or a call that was
//! not complete is made again. So a tool may be called twice for one call, but never for one that has its
//! `call` record.

mod read;
mod record;
mod retrace;
mod show;
mod write;

pub use read::{RecordedRun, Transcript};
pub use record::{CallOutcome, DecidedCall, Ending, Record, RunHeader, StepOutcome, TRANSCRIPT_VERSION, TimedRecord};
pub use retrace::TranscriptError;
pub use show::{Detail, Paragraph, ParagraphKind};
pub(crate) use write::Log;
pub use write::TranscriptWriter;
