//! A reply of the model, while it comes.

use qianshou_chat::{ChatEvent, FinishReason, Message, Part, Role, Usage};

use crate::{CallRecord, Event, StepEvent, StepReader, StepRecord, TakenStep, Warning};

/// A reply while it comes: what was heard, and what was read in it.
#[derive(Debug)]
pub(crate) struct Reply {
    reader: Box<dyn StepReader>,
    heard: Vec<ChatEvent>,
    record: StepRecord,
    /// How many calls the run had before.
    calls_before: usize,
}

impl Reply {
    pub(crate) fn new(reader: Box<dyn StepReader>, calls_before: usize) -> Self {
        Self { reader, heard: Vec::new(), record: StepRecord::begun(), calls_before }
    }

    /// Takes more of it.
    pub(crate) fn push(&mut self, mut event: ChatEvent, events: &mut Vec<Event>) {
        let read = match &mut event {
            ChatEvent::Delta(delta) => self.reader.push(&delta.text),
            ChatEvent::Call(call) => {
                if call.id.is_empty() {
                    call.id = self.next_id();
                }
                self.reader.push_call(call)
            }
            ChatEvent::Arguments(text) => self.reader.push_arguments(text),
            ChatEvent::End(_) => return,
        };
        self.heard.push(event);
        read.into_iter().for_each(|event| self.take(event, events));
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
        TakenStep { reply: kept(&self.heard, self.reader.kept()), record: self.record }
    }

    /// The id of the next call, unique within the conversation.
    fn next_id(&self) -> String {
        format!("call-{}", self.calls_before + self.record.calls.len() + 1)
    }

    /// Records what the reader found, and tells it.
    fn take(&mut self, event: StepEvent, events: &mut Vec<Event>) {
        let next_id = self.next_id();
        let record = &mut self.record;
        events.push(match event {
            StepEvent::Thought(text) => {
                record.thought.push_str(&text);
                Event::ThoughtDelta { text }
            }
            StepEvent::Action(name) => {
                record.calls.push(CallRecord::begun(next_id.clone(), name.clone()));
                Event::Action { call: next_id, name }
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
            StepEvent::AnswerWasThought => {
                if !record.thought.is_empty() {
                    record.thought.push('\n');
                }
                record.thought.push_str(&record.answer.take().unwrap_or_default());
                Event::AnswerWasThought
            }
            StepEvent::Warning(warning) => {
                record.warnings.push(warning.clone());
                Event::Warning { warning }
            }
        });
    }
}

/// The parts of a reply: its calls, and up to `kept` bytes of its text. Ids stay as they are, except in a
/// delta that is cut, whose beginning is kept as text.
fn kept(heard: &[ChatEvent], kept: Option<usize>) -> Vec<Part> {
    let mut message = Message { role: Role::Assistant, content: Vec::new() };
    let mut left = kept.unwrap_or(usize::MAX);
    for event in heard {
        match event {
            ChatEvent::Delta(delta) => {
                if delta.text.len() <= left {
                    message.push_delta(delta);
                } else {
                    message.push_text(delta.text.get(..left).unwrap_or_default());
                }
                left = left.saturating_sub(delta.text.len());
            }
            ChatEvent::Call(call) => message.push(Part::Call(call.clone())),
            ChatEvent::Arguments(text) => message.push_arguments(text),
            ChatEvent::End(_) => {}
        }
    }
    message.content
}
