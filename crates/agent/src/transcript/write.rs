//! Writing transcripts while runs go on.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use qianshou_chat::{
    ChatError, ChatEvent, ChatRequest, End, Exchange, FinishReason, ModelInfo, RecordBuffer, RecordFile, Recorded,
    Recording, RecordingError, Records, Usage,
};
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::{Ending, Record, RecordedRun, RunHeader, StepOutcome, TRANSCRIPT_VERSION};
use crate::{Interruption, RunState};

/// A file that transcripts are written to, one run after the other.
#[derive(Debug)]
pub struct TranscriptWriter {
    file: RecordFile,
    /// How many exchanges the file holds.
    exchanges: usize,
}

impl TranscriptWriter {
    /// Writes to a new file; one that is there is replaced.
    ///
    /// # Errors
    /// When the file cannot be created.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, RecordingError> {
        Ok(Self { file: RecordFile::create(path.as_ref())?, exchanges: 0 })
    }

    /// Keeps transcripts in memory; [`Transcript::of`](super::Transcript::of) reads them.
    pub fn in_memory(buffer: RecordBuffer) -> Self {
        Self { file: RecordFile::in_memory(buffer), exchanges: 0 }
    }

    /// Writes to the end of a file, which is created if it is not there. A last line that is cut off is
    /// removed first.
    ///
    /// To go on with a run in it, use [`Agent::resume_transcript`](crate::Agent::resume_transcript).
    ///
    /// # Errors
    /// When the file cannot be opened, or holds what is no record.
    pub fn append(path: impl AsRef<Path>) -> Result<Self, RecordingError> {
        Self::open(path.as_ref()).map(|(writer, _)| writer)
    }

    /// A writer to the end of a file, and what the file holds.
    pub(crate) fn open(path: &Path) -> Result<(Self, Records), RecordingError> {
        let (file, records) = RecordFile::append(path)?;
        let exchanges = Recording::of(&records)?.exchanges.len();
        Ok((Self { file, exchanges }, records))
    }

    fn begin(&mut self, run: &RunHeader) -> Result<(), RecordingError> {
        self.put(line("run", run))
    }

    fn write(&mut self, record: Record) -> Result<(), RecordingError> {
        let line = match record {
            Record::Exchange(exchange) => {
                let recorded = Recorded { after: self.exchanges, exchange };
                self.exchanges += 1;
                recorded.to_line()
            }
            Record::Decision(decision) => line("decision", &decision),
            Record::Call(call) => line("call", &call),
            Record::Interrupt(interruption) => line("interrupt", &interruption),
            Record::Step(step) => line("step", &step),
            Record::End(end) => line("end", &end),
        };
        self.put(line)
    }

    fn put(&mut self, line: Result<Vec<u8>, serde_json::Error>) -> Result<(), RecordingError> {
        let path = self.file.path();
        let line =
            line.map_err(|error| RecordingError::Io { action: "write", path: path.to_owned(), source: error.into() })?;
        self.file.write(&line)
    }
}

/// A line, with its line break.
fn line<T: Serialize>(kind: &'static str, content: &T) -> Result<Vec<u8>, serde_json::Error> {
    let mut line = serde_json::to_vec(&Line { kind, at: now(), content })?;
    line.push(b'\n');
    Ok(line)
}

struct Line<'a, T> {
    kind: &'static str,
    at: u64,
    content: &'a T,
}

impl<T: Serialize> Serialize for Line<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("record", self.kind)?;
        map.serialize_entry("version", &TRANSCRIPT_VERSION)?;
        map.serialize_entry("at", &self.at)?;
        map.serialize_entry(self.kind, self.content)?;
        map.end()
    }
}

/// Milliseconds since 1970 began.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The transcript of one run while it goes on.
#[derive(Debug)]
pub(crate) struct Log {
    writer: TranscriptWriter,
    /// The call of the model that is in flight.
    exchange: Option<Exchange>,
    begun: bool,
    /// How many steps are written.
    steps: usize,
    ended: bool,
}

impl Log {
    /// The log of a run that has not begun.
    pub(crate) fn new(writer: TranscriptWriter) -> Self {
        Self { writer, exchange: None, begun: false, steps: 0, ended: false }
    }

    /// The log of a run that the file holds already.
    pub(crate) fn resumed(writer: TranscriptWriter, run: &RecordedRun, state: &RunState) -> Self {
        // A run that ended may go on now, with other limits.
        let ended = run.end().is_some() && state.stop_reason().is_some();
        Self { writer, exchange: None, begun: true, steps: run.steps().count(), ended }
    }

    pub(crate) fn into_writer(self) -> TranscriptWriter {
        self.writer
    }

    /// Writes what the run begins with, once.
    pub(crate) fn begin(&mut self, header: impl FnOnce() -> RunHeader) -> Result<(), RecordingError> {
        if std::mem::replace(&mut self.begun, true) { Ok(()) } else { self.writer.begin(&header()) }
    }

    /// The model is asked.
    pub(crate) fn ask(&mut self, model: ModelInfo, request: ChatRequest) {
        self.exchange = Some(Exchange { model, request, events: Vec::new(), error: None });
    }

    /// It answers; with the end of the reply the exchange is written.
    pub(crate) fn hear(&mut self, event: &ChatEvent) -> Result<(), RecordingError> {
        if let Some(exchange) = &mut self.exchange {
            exchange.events.push(event.clone());
        }
        if matches!(event, ChatEvent::End(_)) { self.end_exchange(None) } else { Ok(()) }
    }

    /// The exchange is over; with an error if the model failed.
    pub(crate) fn end_exchange(&mut self, error: Option<&ChatError>) -> Result<(), RecordingError> {
        let Some(mut exchange) = self.exchange.take() else {
            return Ok(());
        };
        exchange.error = error.map(Into::into);
        self.writer.write(Record::Exchange(exchange))
    }

    /// The run is ended from outside, and the exchange in flight with it.
    pub(crate) fn interrupt(&mut self, interruption: Interruption) -> Result<(), RecordingError> {
        if let Some(exchange) = &self.exchange {
            let ids = exchange.events.iter().map(|event| match event {
                ChatEvent::Delta(delta) => delta.ids.len(),
                _ => 0,
            });
            let usage = Usage { generated: ids.sum(), ..Usage::default() };
            self.hear(&ChatEvent::End(End { finish: FinishReason::Cancelled, usage }))?;
        }
        self.writer.write(Record::Interrupt(interruption))
    }

    pub(crate) fn write(&mut self, record: Record) -> Result<(), RecordingError> {
        self.writer.write(record)
    }

    /// Writes the steps that are over since the last time, and the end.
    pub(crate) fn catch_up(&mut self, state: &RunState) -> Result<(), RecordingError> {
        for (index, step) in state.steps().iter().enumerate().skip(self.steps) {
            if step.record.open_calls().next().is_some() {
                break;
            }
            self.writer.write(Record::Step(StepOutcome { number: index + 1, outcome: step.record.clone() }))?;
            self.steps += 1;
        }
        match state.stop_reason() {
            Some(stop_reason) if !std::mem::replace(&mut self.ended, true) => self.writer.write(Record::End(Ending {
                stop_reason,
                answer: state.answer().to_owned(),
                usage: state.usage(),
                repairs: state.repairs(),
            })),
            _ => Ok(()),
        }
    }
}
