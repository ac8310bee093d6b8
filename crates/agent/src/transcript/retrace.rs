//! Bringing back runs from what was written down.

use std::path::Path;

use qianshou_chat::{ChatErrorKind, ChatEvent, ChatRequest, Difference, Exchange, FinishReason, RecordingError};

use super::{CallOutcome, DecidedCall, Log, Record, RecordedRun, StepOutcome, Transcript, TranscriptWriter};
use crate::{Agent, AgentRun, Event, EventStream, Input, Step, StopReason, ToolOutcome};

/// Why a transcript cannot be read, or a run of it not be brought back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TranscriptError {
    /// The file cannot be read or written.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// With this agent the model would have been asked something else.
    #[error("the run was recorded with another setup: in the request of step {step} {difference}")]
    OtherRequest {
        /// Which step of the run, the first being 1.
        step: usize,
        /// Where the requests differ.
        difference: Difference,
    },
    /// With this agent a step has another outcome.
    #[error("the run was recorded with another setup: step {step} has another outcome here")]
    OtherOutcome {
        /// Which step of the run, the first being 1.
        step: usize,
    },
    /// With this agent the run asks for something else than what was recorded next.
    #[error("the run was recorded with another setup: after step {step} it goes on in another way here")]
    OtherCourse {
        /// After which step of the run; 0 is its beginning.
        step: usize,
    },
    /// The run was not over when its transcript broke off.
    #[error("the run is not over; resume it")]
    NotOver,
}

impl Agent {
    /// All events of a recorded run, without model and tools: what was recorded is fed to a run of this
    /// agent.
    ///
    /// So a test of what is made of events, or of the agent itself, needs neither. The agent has to be
    /// set up as it was, and the run has to be over. Only whether its last prompt fitted is taken from the
    /// record, and whether calls needed approval.
    ///
    /// # Errors
    /// When the run was recorded with another setup, with the first thing that differs, or is not over.
    pub fn replay(&self, recorded: &RecordedRun) -> Result<Vec<Event>, TranscriptError> {
        let (mut run, mut events) = self.retrace(recorded)?;
        if recorded.end().is_some_and(|end| end.stop_reason == StopReason::ContextFull) {
            events.extend(run.retrace_context_full());
        }
        run.go_on();
        match run.next() {
            // A limit that is checked before the first step has no event of its own.
            Step::Finished(answer) if events.is_empty() => events.push(Event::Finished { answer }),
            Step::Finished(_) => {}
            _ => return Err(TranscriptError::NotOver),
        }
        Ok(events)
    }

    /// Goes on with the last run of a transcript, whose process was killed or which nobody could decide
    /// about. What happens is appended to the file.
    ///
    /// A reply or a call that was not complete is made again; see
    /// [`recorded`](EventStream::recorded) for an example. Calls need approval if they did when the run began,
    /// or if this agent asks for it.
    ///
    /// # Errors
    /// When the file cannot be read, holds no run, or its run was recorded with another setup.
    pub fn resume_transcript(&self, path: impl AsRef<Path>) -> Result<EventStream, TranscriptError> {
        let path = path.as_ref();
        let (writer, records) = TranscriptWriter::open(path)?;
        let Some(recorded) = Transcript::of(&records)?.runs.pop() else {
            return Err(RecordingError::Empty { path: path.to_owned(), record: "run" }.into());
        };
        let (mut run, _) = self.retrace(&recorded)?;
        run.go_on();
        let log = Log::resumed(writer, &recorded, run.state());
        Ok(EventStream::new(self.clone(), run, &Default::default()).with_log(log))
    }

    /// The run as it was at the end of its record, and its events so far.
    fn retrace(&self, recorded: &RecordedRun) -> Result<(AgentRun, Vec<Event>), TranscriptError> {
        let mut run = AgentRun::retrace(self.inner.setup.clone(), &recorded.header);
        let mut events = Vec::new();
        for (index, timed) in recorded.records.iter().enumerate() {
            let step = run.state().steps().len();
            match &timed.record {
                Record::Exchange(exchange) => {
                    make_the_room_of(exchange, &mut run)?;
                    // The end that the driver wrote for the model is no input.
                    let next = recorded.records.get(index + 1).map(|timed| &timed.record);
                    let interrupted = matches!(next, Some(Record::Interrupt(_)));
                    let inputs = exchange.events.iter().filter(|event| !(interrupted && is_cancelled(event)));
                    inputs.for_each(|event| events.extend(run.feed(Input::Model(event.clone()))));
                    events.extend(failure(exchange).map(|input| run.feed(input)).into_iter().flatten());
                }
                Record::Decision(DecidedCall { id, decision }) => {
                    let asked = matches!(run.next(), Step::Approval(calls) if calls.iter().any(|call| call.id == *id));
                    if !asked {
                        return Err(TranscriptError::OtherCourse { step });
                    }
                    let (call, decision) = (id.clone(), decision.clone());
                    events.extend(run.feed(Input::Decision { call, decision }));
                }
                Record::Call(CallOutcome { id, outcome }) => {
                    let runs = matches!(run.next(), Step::Tools(calls) if calls.iter().any(|call| call.id == *id));
                    if !runs {
                        return Err(TranscriptError::OtherCourse { step });
                    }
                    let (call, outcome): (String, ToolOutcome) = (id.clone(), outcome.clone());
                    events.extend(run.feed(Input::Tool { call, outcome }));
                }
                Record::Interrupt(interruption) => events.extend(run.feed(Input::Interrupt(*interruption))),
                Record::Step(StepOutcome { number, outcome }) => {
                    if run.state().steps().get(number.wrapping_sub(1)).is_none_or(|step| step.record != *outcome) {
                        return Err(TranscriptError::OtherOutcome { step: *number });
                    }
                }
                // The limits of this agent hold.
                Record::End(_) => {}
            }
        }
        Ok((run, events))
    }
}

/// Leaves out of the run's prompt what was left out when the model was asked this.
fn make_the_room_of(exchange: &Exchange, run: &mut AgentRun) -> Result<(), TranscriptError> {
    let step = run.state().steps().len();
    let mut first_difference = None;
    loop {
        let Step::Model(request) = run.next() else {
            return Err(TranscriptError::OtherCourse { step });
        };
        // What else is in a request may be set otherwise, if the run is to go on so.
        let ChatRequest { messages, tools, continue_last, .. } = *request;
        let request = ChatRequest { messages, tools, continue_last, ..exchange.request.clone() };
        let Ok(Some(difference)) = exchange.request.difference(&request) else {
            return Ok(());
        };
        let difference = first_difference.get_or_insert(difference).clone();
        if !run.leave_out_oldest() {
            return Err(TranscriptError::OtherRequest { step: step + 1, difference });
        }
    }
}

fn is_cancelled(event: &ChatEvent) -> bool {
    matches!(event, ChatEvent::End(end) if end.finish == FinishReason::Cancelled)
}

/// What a failed exchange means for a run.
fn failure(exchange: &Exchange) -> Option<Input> {
    let error = exchange.error.as_ref()?;
    Some(match error.kind {
        ChatErrorKind::ContextExceeded => Input::ContextExceeded,
        _ => Input::ReplyLost { reason: error.message.clone() },
    })
}
