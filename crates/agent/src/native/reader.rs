//! Reading a reply with native calls as it comes.
//!
//! The rules for what models write:
//!
//! - **Thought**: a `<think>` block at the beginning, whether or not its first tag is there.
//! - **Answer**: all other text, unless a call follows: then it was a thought, and this is told
//!   ([`StepEvent::AnswerWasThought`]).
//! - **Calls**: `<tool_call>` blocks, and calls that come apart from the text. Any number, one right after
//!   the other. A block that is not closed reaches to the next one, or to the end.
//! - **After a call** anything but a call is dropped, and further calls with it: an invented result
//!   ([`Warning::InventedObservation`]) or other text ([`Warning::TextAfterCall`]).
//! - **What only looks like a call** (a block without a name, the JSON of a call without its tags) is
//!   neither call nor answer ([`Warning::LooksLikeCall`]). Calls beside such a block count.

use qianshou_chat::{FinishReason, NativeCall};

use super::block;
use crate::trimmed::Trimmed;
use crate::{StepEvent, StepReader, Warning};

const THINK: &str = "<think>";
const END_OF_THINKING: &str = "</think>";
const CALL: &str = "<tool_call>";
const END_OF_CALL: &str = "</tool_call>";
const RESULT: &str = "<tool_response>";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Only white space has come so far.
    #[default]
    Fresh,
    Thinking,
    Answer,
    /// In a block.
    Call,
    /// Behind a call.
    Called,
    /// The step is complete.
    Closed,
}

impl State {
    /// The tags that mean something.
    fn tags(self) -> &'static [&'static str] {
        match self {
            Self::Fresh => &[THINK, END_OF_THINKING, CALL, RESULT],
            Self::Thinking => &[END_OF_THINKING],
            Self::Answer => &[END_OF_THINKING, CALL, RESULT],
            Self::Call => &[END_OF_CALL, CALL],
            Self::Called => &[CALL, RESULT],
            Self::Closed => &[],
        }
    }
}

/// Reads one reply.
#[derive(Debug, Default)]
pub(super) struct NativeReader {
    state: State,
    /// Text of which the end may be the beginning of a tag.
    pending: String,
    /// Bytes taken so far, less those in `pending`.
    read: usize,
    kept: Option<usize>,
    thinking: Trimmed,
    answer: Trimmed,
    /// The content of the block.
    block: String,
    has_call: bool,
    /// The first text that looks like a call but is none.
    suspect: Option<String>,
}

impl NativeReader {
    fn text(&mut self, text: &str, events: &mut Vec<StepEvent>) {
        match self.state {
            State::Fresh if text.trim().is_empty() => {}
            State::Fresh | State::Answer => {
                self.state = State::Answer;
                events.extend(self.answer.push(text).map(StepEvent::Answer));
            }
            State::Thinking => events.extend(self.thinking.push(text).map(StepEvent::Thought)),
            State::Call => self.block.push_str(text),
            State::Called => {
                let space = text.len() - text.trim_start().len();
                if space < text.len() {
                    events.push(StepEvent::Warning(Warning::TextAfterCall));
                    self.close(self.read + space);
                }
            }
            State::Closed => {}
        }
        self.read += text.len();
    }

    fn tag(&mut self, tag: &'static str, events: &mut Vec<StepEvent>) {
        match tag {
            THINK => self.state = State::Thinking,
            // The chat template may have opened the block.
            END_OF_THINKING => {
                self.answer_was_thought(events);
                self.state = State::Fresh;
            }
            CALL => {
                if self.state == State::Call {
                    self.end_block(events);
                }
                self.answer_was_thought(events);
                self.state = State::Call;
            }
            END_OF_CALL => self.end_block(events),
            _ => {
                events.push(StepEvent::Warning(Warning::InventedObservation));
                self.answer_was_thought(events);
                self.close(self.read);
            }
        }
        self.read += tag.len();
    }

    fn close(&mut self, kept: usize) {
        self.kept = Some(kept);
        self.state = State::Closed;
    }

    /// What was told as the answer is none, because of what follows.
    fn answer_was_thought(&mut self, events: &mut Vec<StepEvent>) {
        if !self.answer.shown.is_empty() {
            self.answer = Trimmed::default();
            events.push(StepEvent::AnswerWasThought);
        }
    }

    fn end_block(&mut self, events: &mut Vec<StepEvent>) {
        let text = std::mem::take(&mut self.block);
        self.state = State::Called;
        match block::read(&text) {
            Some(block::Call { name, input }) => {
                self.has_call = true;
                events.push(StepEvent::Action(name));
                if !input.is_empty() {
                    events.push(StepEvent::Arguments(input));
                }
            }
            None => {
                self.suspect.get_or_insert_with(|| format!("{CALL}{text}"));
            }
        }
    }
}

impl StepReader for NativeReader {
    fn push(&mut self, text: &str) -> Vec<StepEvent> {
        let mut events = Vec::new();
        self.pending.push_str(text);
        loop {
            let pending = std::mem::take(&mut self.pending);
            let found = self.state.tags().iter().filter_map(|tag| Some((pending.find(tag)?, *tag))).min();
            let Some((at, tag)) = found else {
                let decided = decided(&pending, self.state.tags());
                self.text(&pending[..decided], &mut events);
                self.pending.push_str(&pending[decided..]);
                return events;
            };
            self.text(&pending[..at], &mut events);
            // The text before it may have made plain text of the tag.
            let counts = self.state.tags().contains(&tag);
            if counts {
                self.tag(tag, &mut events);
            }
            self.pending.push_str(&pending[if counts { at + tag.len() } else { at }..]);
        }
    }

    fn push_call(&mut self, call: &NativeCall) -> Vec<StepEvent> {
        let mut events = Vec::new();
        let pending = std::mem::take(&mut self.pending);
        self.text(&pending, &mut events);
        self.answer_was_thought(&mut events);
        self.state = State::Called;
        self.has_call = true;
        events.push(StepEvent::Action(call.name.clone()));
        if !call.arguments.is_empty() {
            events.push(StepEvent::Arguments(call.arguments.clone()));
        }
        events
    }

    fn push_arguments(&mut self, text: &str) -> Vec<StepEvent> {
        vec![StepEvent::Arguments(text.to_owned())]
    }

    fn finish(&mut self, finish: &FinishReason) -> Vec<StepEvent> {
        let mut events = Vec::new();
        let pending = std::mem::take(&mut self.pending);
        self.text(&pending, &mut events);
        let whole = matches!(finish, FinishReason::EndOfTurn | FinishReason::Stop(_));
        if self.state == State::Call && whole {
            self.end_block(&mut events);
        }
        if self.has_call {
            events.extend(self.suspect.take().map(|text| StepEvent::Warning(Warning::LooksLikeCall { text })));
            return events;
        }
        if block::looks_like_call(&self.answer.shown) {
            self.suspect = Some(self.answer.shown.clone());
        }
        if let Some(text) = self.suspect.take() {
            events.push(StepEvent::Warning(Warning::LooksLikeCall { text }));
            self.answer_was_thought(&mut events);
        } else if matches!(finish, FinishReason::Stop(_)) {
            // The stop string is the beginning of a result.
            events.push(StepEvent::Warning(Warning::InventedObservation));
            self.answer_was_thought(&mut events);
        }
        events
    }

    fn kept(&self) -> Option<usize> {
        self.kept
    }
}

/// How much of a text without tags is certain to hold no beginning of one at its end.
fn decided(text: &str, tags: &[&str]) -> usize {
    let begins_tag = |at: &usize| tags.iter().any(|tag| tag.starts_with(&text[*at..]));
    let longest = tags.iter().map(|tag| tag.len()).max().unwrap_or(0);
    let ends = text.char_indices().map(|(at, _)| at).rev().take(longest);
    ends.filter(begins_tag).min().unwrap_or(text.len())
}
