//! The thinking of earlier turns, which some templates cut off.
//!
//! Templates find it by looking for `</think>` in an assistant's message. This is a token of its own, so
//! they would not find it in a marked text, and it is cut off here before.

use qianshou_chat::{Message, Part, Role};
use serde_json::{Map, Value};

use super::calls;
use super::marks::{Marks, Mode};
use crate::Tokenizer;

const BEGIN: &str = "<think>";
const END: &str = "</think>";

/// What a template does with the thinking in an assistant's message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Thinking {
    /// Nothing: it is text.
    Text,
    /// It takes it from `reasoning_content`, or else out of the text in the same way.
    Field,
    /// It drops it.
    Dropped,
}

/// A conversation in which thinking is apart.
#[derive(Debug)]
pub(super) struct Cut<'a> {
    pub(super) messages: Vec<CutMessage<'a>>,
    /// Text and ids of the generated parts.
    pub(super) generated: Vec<(&'a str, &'a [u32])>,
}

#[derive(Debug)]
pub(super) struct CutMessage<'a> {
    message: &'a Message,
    content: Vec<CutPart>,
    thinking: Option<String>,
}

#[derive(Debug)]
enum CutPart {
    Text(String),
    /// Which of the generated parts.
    Generated(usize),
}

impl CutMessage<'_> {
    /// The message as the template gets it, with its texts marked.
    pub(super) fn value(&self, marks: &Marks, mode: Mode) -> Value {
        let mut content = String::new();
        for part in &self.content {
            match part {
                CutPart::Text(text) => content.push_str(&marks.mark(text, mode)),
                CutPart::Generated(index) => content.push(marks.place(*index)),
            }
        }
        let mut fields = Map::new();
        fields.insert("role".to_owned(), self.message.role.as_str().into());
        fields.insert("content".to_owned(), content.into());
        if let Some(thinking) = &self.thinking {
            fields.insert("reasoning_content".to_owned(), marks.mark(thinking, mode).into());
        }
        calls::insert(&mut fields, self.message, marks, mode);
        fields.into()
    }
}

/// Takes thinking out of a conversation, as far as the template would.
pub(super) fn cut<'a>(messages: &'a [Message], thinking: Thinking, tokenizer: &Tokenizer) -> Cut<'a> {
    let asked_last = messages.iter().rposition(|message| message.role == Role::User).unwrap_or_default();
    let end_id = tokenizer.special_id(END);
    let mut cut = Cut { messages: Vec::new(), generated: Vec::new() };
    for (index, message) in messages.iter().enumerate() {
        let mut content = Vec::new();
        let mut taken = None;
        for part in &message.content {
            match part {
                Part::Generated(generated) if !generated.ids.is_empty() => {
                    let earlier = thinking != Thinking::Text && index < asked_last;
                    let (text, ids) = match end_id.filter(|_| earlier) {
                        Some(end_id) => without_thinking(&generated.text, &generated.ids, end_id, tokenizer),
                        None => (generated.text.as_str(), generated.ids.as_slice()),
                    };
                    content.push(CutPart::Generated(cut.generated.len()));
                    cut.generated.push((text, ids));
                }
                // A template gets them apart from the text.
                Part::Call(_) => {}
                part => match content.last_mut() {
                    Some(CutPart::Text(last)) => last.push_str(part.text()),
                    _ => content.push(CutPart::Text(part.text().to_owned())),
                },
            }
        }
        if message.role == Role::Assistant
            && thinking != Thinking::Text
            && let [CutPart::Text(text)] = &mut content[..]
            && let Some((before, after)) = split(text)
        {
            // A template that drops the thinking does to the rest what it does to all answers.
            let is_field = thinking == Thinking::Field;
            *text = if is_field { after.trim_start_matches('\n').to_owned() } else { after };
            taken = is_field.then_some(before);
        }
        cut.messages.push(CutMessage { message, content, thinking: taken });
    }
    cut
}

/// The thinking and the answer in a text, as Qwen's templates find them.
fn split(text: &str) -> Option<(String, String)> {
    let (before, _) = text.split_once(END)?;
    let (_, after) = text.rsplit_once(END)?;
    let before = before.trim_end_matches('\n');
    let before = before.rsplit_once(BEGIN).map_or(before, |(_, thinking)| thinking);
    Some((before.trim_start_matches('\n').to_owned(), after.to_owned()))
}

/// What was generated after the thinking, without the line breaks between them.
fn without_thinking<'a>(text: &'a str, ids: &'a [u32], end_id: u32, tokenizer: &Tokenizer) -> (&'a str, &'a [u32]) {
    let Some(end) = ids.iter().rposition(|&id| id == end_id) else {
        return (text, ids);
    };
    let is_break = |id: &u32| tokenizer.token_bytes(*id).is_some_and(|bytes| bytes.iter().all(|&byte| byte == b'\n'));
    let rest = &ids[end + 1..];
    let breaks = rest.iter().take_while(|id| is_break(id)).count();
    let text = text.rsplit_once(END).map_or(text, |(_, answer)| answer).trim_start_matches('\n');
    (text, &rest[breaks..])
}
