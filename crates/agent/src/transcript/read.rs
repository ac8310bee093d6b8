//! Reading transcripts.

use std::path::Path;

use qianshou_chat::{RecordLine, Recording, RecordingError, Records};
use serde::{Deserialize, Serialize};

use super::record::OLDEST;
use super::{
    CallOutcome, DecidedCall, Ending, Record, RunHeader, StepOutcome, TRANSCRIPT_VERSION, TimedRecord, TranscriptError,
};
use crate::Interruption;

/// The runs of a file.
///
/// ```
/// use std::sync::Arc;
///
/// use qianshou_agent::{Agent, Transcript, TranscriptWriter};
/// use qianshou_chat::ScriptedModel;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("run.jsonl");
/// let agent = Agent::builder(Arc::new(ScriptedModel::new(["Final Answer: Paris."]))).build()?;
/// let writer = TranscriptWriter::create(&path)?;
/// agent.stream("What is the capital of France?").recorded(writer).answer().await?;
///
/// // Without the model: the same events.
/// let transcript = Transcript::read(&path)?;
/// let events = agent.replay(&transcript.runs[0])?;
/// assert!(format!("{events:?}").contains("Paris."));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Transcript {
    /// The runs, in the order in which they began.
    pub runs: Vec<RecordedRun>,
    /// The number of the last line, counted from 1, if it is cut off: the program that wrote it was killed.
    pub truncated: Option<usize>,
}

/// One run of a transcript.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordedRun {
    /// When it began, in milliseconds since 1970 began, UTC.
    pub at: Option<u64>,
    /// What it began with.
    pub header: RunHeader,
    /// What happened in it.
    pub records: Vec<TimedRecord>,
}

impl Transcript {
    /// Reads a transcript.
    ///
    /// # Errors
    /// When the file cannot be read, a line is malformed or of another version, or there is no run in it.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, TranscriptError> {
        let path = path.as_ref();
        let transcript = Self::of(&Records::read(path)?)?;
        if transcript.runs.is_empty() {
            return Err(RecordingError::Empty { path: path.to_owned(), record: "run" }.into());
        }
        Ok(transcript)
    }

    /// The runs among records.
    ///
    /// # Errors
    /// As [`read`](Self::read), but for the file.
    pub fn of(records: &Records) -> Result<Self, TranscriptError> {
        let mut exchanges = Recording::of(records)?.exchanges.into_iter().map(|recorded| recorded.exchange);
        let mut runs: Vec<RecordedRun> = Vec::new();
        for line in &records.lines {
            if line.kind() == "run" {
                let (at, header) = content(line, |Run { at, run }| (at, run))?;
                runs.push(RecordedRun { at, header, records: Vec::new() });
                continue;
            }
            let record = if line.kind() == "exchange" {
                exchanges.next().map(|exchange| TimedRecord { at: None, record: Record::Exchange(exchange) })
            } else {
                record(line)?
            };
            // What stands before the first run belongs to something else.
            if let (Some(run), Some(record)) = (runs.last_mut(), record) {
                run.records.push(record);
            }
        }
        Ok(Self { runs, truncated: records.truncated })
    }
}

impl RecordedRun {
    /// How it ended, if it has.
    pub fn end(&self) -> Option<&Ending> {
        match &self.records.last()?.record {
            Record::End(end) => Some(end),
            _ => None,
        }
    }

    /// The steps that were over.
    pub fn steps(&self) -> impl Iterator<Item = &StepOutcome> {
        self.records.iter().filter_map(|timed| match &timed.record {
            Record::Step(step) => Some(step),
            _ => None,
        })
    }
}

/// Defines how the lines of each kind are read.
macro_rules! lines {
    ($($line:ident $kind:ident: $content:ty => $record:ident)*) => {
        $(
            #[derive(Deserialize)]
            struct $line {
                at: Option<u64>,
                $kind: $content,
            }
        )*

        /// The record of a line, if it is of a known kind.
        fn record(line: &RecordLine) -> Result<Option<TimedRecord>, RecordingError> {
            match line.kind() {
                $(stringify!($kind) => content(line, |$line { at, $kind }| {
                    Some(TimedRecord { at, record: Record::$record($kind) })
                }),)*
                _ => Ok(None),
            }
        }
    };
}

lines! {
    DecisionLine decision: DecidedCall => Decision
    CallLine call: CallOutcome => Call
    InterruptLine interrupt: Interruption => Interrupt
    StepLine step: StepOutcome => Step
    EndLine end: Ending => End
}

#[derive(Deserialize)]
struct Run {
    at: Option<u64>,
    run: RunHeader,
}

fn content<Line: serde::de::DeserializeOwned, T>(
    line: &RecordLine,
    of: impl FnOnce(Line) -> T,
) -> Result<T, RecordingError> {
    line.parse(OLDEST..=TRANSCRIPT_VERSION).map(of)
}
