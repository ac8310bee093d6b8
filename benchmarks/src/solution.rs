//! What came of an attempt, as it was recorded: all that a scorer sees, and all that a log keeps.

use qianshou_agent::{Artifact, Record, RecordedRun, StepRecord, StopReason, Transcript, TranscriptError};
use qianshou_chat::{ChatEvent, Delta, Exchange, FinishReason, RecordBuffer, Usage};
use serde::{Deserialize, Serialize};

/// What came of an attempt. It is made of the records of the run alone, so that a log can be scored again
/// without a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Solution {
    /// One exchange with a model.
    Reply(Exchange),
    /// A run of an agent.
    Run(RecordedRun),
}

impl Solution {
    /// The last run of a transcript, if it has any.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of_records(records: &RecordBuffer) -> Result<Option<Self>, TranscriptError> {
        Ok(Transcript::of(&records.records()?)?.runs.pop().map(Self::Run))
    }

    /// The exchanges with the model, in order.
    pub fn exchanges(&self) -> Vec<&Exchange> {
        match self {
            Self::Reply(exchange) => vec![exchange],
            Self::Run(run) => run.records.iter().filter_map(|timed| exchange(&timed.record)).collect(),
        }
    }

    /// The text of the model's first reply, however it was read.
    pub fn first_reply(&self) -> String {
        self.exchanges().first().map(|exchange| text(exchange)).unwrap_or_default()
    }

    /// The final answer of a run, or the whole reply.
    pub fn answer(&self) -> String {
        match self {
            Self::Reply(exchange) => text(exchange),
            Self::Run(run) => run.end().map(|end| end.answer.clone()).unwrap_or_default(),
        }
    }

    /// The steps of a run; a single reply has none.
    pub fn steps(&self) -> Vec<&StepRecord> {
        match self {
            Self::Reply(_) => Vec::new(),
            Self::Run(run) => run.steps().map(|step| &step.outcome).collect(),
        }
    }

    /// How it ended, in a word.
    pub fn stop(&self) -> String {
        match self {
            Self::Reply(exchange) => match (&exchange.error, end(exchange)) {
                (Some(error), _) => word(&error.kind),
                (None, Some(FinishReason::Stop(_))) => "stop".to_owned(),
                (None, Some(finish)) => word(finish),
                (None, None) => "broken_off".to_owned(),
            },
            Self::Run(run) => match (run.end(), self.exchanges().last().and_then(|last| last.error.as_ref())) {
                // Nobody else cancels a run that is recorded.
                (Some(end), _) if end.stop_reason == StopReason::Cancelled => "ended_by_task".to_owned(),
                (Some(end), _) => word(&end.stop_reason),
                (None, Some(error)) => word(&error.kind),
                (None, None) => "broken_off".to_owned(),
            },
        }
    }

    /// Tokens of all exchanges.
    pub fn usage(&self) -> Usage {
        let exchanges = self.exchanges();
        let events = exchanges.iter().flat_map(|exchange| &exchange.events);
        events.fold(Usage::default(), |mut sum, event| {
            if let ChatEvent::End(end) = event {
                sum += end.usage;
            }
            sum
        })
    }

    /// What the tools made besides text, in order.
    pub fn artifacts(&self) -> impl Iterator<Item = &Artifact> {
        self.steps().into_iter().flat_map(StepRecord::observations).flat_map(|observation| &observation.artifacts)
    }

    /// Joins the pieces in which replies came: a log of ten thousand samples is read and kept for long.
    pub(crate) fn compact(&mut self) {
        match self {
            Self::Reply(exchange) => join(&mut exchange.events),
            Self::Run(run) => run.records.iter_mut().for_each(|timed| {
                if let Record::Exchange(exchange) = &mut timed.record {
                    join(&mut exchange.events);
                }
            }),
        }
    }
}

/// The text of a reply.
pub(crate) fn text(exchange: &Exchange) -> String {
    exchange
        .events
        .iter()
        .map(|event| match event {
            ChatEvent::Delta(delta) => delta.text.as_str(),
            _ => "",
        })
        .collect()
}

fn exchange(record: &Record) -> Option<&Exchange> {
    match record {
        Record::Exchange(exchange) => Some(exchange),
        _ => None,
    }
}

fn end(exchange: &Exchange) -> Option<&FinishReason> {
    exchange.events.iter().find_map(|event| match event {
        ChatEvent::End(end) => Some(&end.finish),
        _ => None,
    })
}

/// The word that stands for a value in records.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => "other".to_owned(),
    }
}

/// Joins neighbouring deltas that have ids, and those that have none.
fn join(events: &mut Vec<ChatEvent>) {
    let mut joined: Vec<ChatEvent> = Vec::new();
    for event in events.drain(..) {
        match (joined.last_mut(), event) {
            (Some(ChatEvent::Delta(last)), ChatEvent::Delta(delta)) if last.ids.is_empty() == delta.ids.is_empty() => {
                let Delta { text, ids } = delta;
                last.text.push_str(&text);
                last.ids.extend(ids);
            }
            (Some(ChatEvent::Arguments(last)), ChatEvent::Arguments(more)) => last.push_str(&more),
            (_, event) => joined.push(event),
        }
    }
    *events = joined;
}
