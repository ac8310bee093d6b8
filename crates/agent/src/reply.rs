//! A reply of the model, while it comes.

use qianshou_chat::{Delta, FinishReason, Message, Part, Role, Usage};

use crate::{CallRecord, Event, StepEvent, StepReader, StepRecord, TakenStep, Warning};

/// A reply while it comes: what was heard, and what was read in it.
#[derive(Debug)]
pub(crate) struct Reply {
    reader: Box<dyn StepReader>,
    deltas: Vec<Delta>,
    record: StepRecord,
    /// How many calls the run had before.
    calls_before: usize,
}

impl Reply {
    pub(crate) fn new(reader: Box<dyn StepReader>, calls_before: usize) -> Self {
        Self { reader, deltas: Vec::new(), record: StepRecord::begun(), calls_before }
    }

    /// Takes more text.
    pub(crate) fn push(&mut self, delta: Delta, events: &mut Vec<Event>) {
        for event in self.reader.push(&delta.text) {
            self.take(event, events);
        }
        self.deltas.push(delta);
    }

    /// The reply is over.
    pub(crate) fn finish(&mut self, finish: FinishReason, usage: Usage, events: &mut Vec<Event>) {
        for event in self.reader.finish(&finish) {
            self.take(event, events);
        }
        self.record.usage = usage;
        self.record.finish = finish;
    }

    /// The step that it makes, less what does not count, with what was odd before it. A reply that is not
    /// over makes a cancelled step.
    pub(crate) fn into_step(mut self, mut warnings: Vec<Warning>) -> TakenStep {
        warnings.append(&mut self.record.warnings);
        self.record.warnings = warnings;
        TakenStep { reply: kept(&self.deltas, self.reader.kept()), record: self.record }
    }

    /// Records what the reader found, and tells it.
    fn take(&mut self, event: StepEvent, events: &mut Vec<Event>) {
        let record = &mut self.record;
        events.push(match event {
            StepEvent::Thought(text) => {
                record.thought.push_str(&text);
                Event::ThoughtDelta { text }
            }
            StepEvent::Action(name) => {
                let id = format!("call-{}", self.calls_before + record.calls.len() + 1);
                record.calls.push(CallRecord::begun(id.clone(), name.clone()));
                Event::Action { call: id, name }
            }
            StepEvent::Arguments(text) => {
                let Some(call) = record.calls.last_mut() else {
                    return;
                };
                call.input.push_str(&text);
                Event::ArgumentsDelta { call: call.id.clone(), text }
            }
            StepEvent::Answer(text) => {
                record.answer.get_or_insert_default().push_str(&text);
                Event::AnswerDelta { text }
            }
            StepEvent::Warning(warning) => {
                record.warnings.push(warning.clone());
                Event::Warning { warning }
            }
        });
    }
}

/// The parts of a reply, up to `kept` bytes of it. Ids stay as they are, except in a delta that is cut,
/// whose beginning is kept as text.
fn kept(deltas: &[Delta], kept: Option<usize>) -> Vec<Part> {
    let mut message = Message { role: Role::Assistant, content: Vec::new() };
    let mut left = kept.unwrap_or(usize::MAX);
    for delta in deltas {
        if delta.text.len() <= left {
            message.push_delta(delta);
        } else {
            message.push_text(delta.text.get(..left).unwrap_or_default());
        }
        left = left.saturating_sub(delta.text.len());
    }
    message.content
}
