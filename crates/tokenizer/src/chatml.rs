//! ChatML, the form in which Qwen models read conversations.

use qianshou_chat::{Message, Part, Role};

use crate::prepare::Start;
use crate::{Specials, Tokenizer};

const START: &str = "<|im_start|>";
const END: &str = "<|im_end|>";
const END_OF_TEXT: &str = "<|endoftext|>";

/// Why a conversation cannot be put into ChatML.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChatMlError {
    /// The vocabulary has no token for a turn's border.
    #[error(
        "the vocabulary has no special token `{token}`; this is no ChatML model, so use a chat model of the family"
    )]
    MissingToken {
        /// The token.
        token: &'static str,
    },
    /// A message holds an image.
    #[error("message {index} holds an image, which a text model cannot read; use a vision model or leave it out")]
    Image {
        /// Which message, counted from 0.
        index: usize,
    },
    /// A message holds a native tool call.
    #[error("message {index} holds a native tool call, for which plain ChatML has no form; use the chat template")]
    Call {
        /// Which message, counted from 0.
        index: usize,
    },
    /// There is no assistant's message to continue.
    #[error("only an assistant's message can be continued, but the last message is {found}")]
    ContinueLast {
        /// The role of the last message, or that there is none.
        found: &'static str,
    },
}

/// Encodes conversations as ChatML with one tokenizer.
///
/// Each message becomes `<|im_start|>{role}\n{content}<|im_end|>\n`, and the model's turn is opened with
/// `<|im_start|>assistant\n`. Nothing is added beyond that: where a model expects a system message, the
/// caller gives one.
///
/// Families differ in what is encoded as one piece, which matters where content begins with a line break:
/// [`new`](Self::new) is for all but the first Qwen, [`qwen`](Self::qwen) for that one.
#[derive(Clone, Debug)]
pub struct ChatMl {
    tokenizer: Tokenizer,
    start: u32,
    end: u32,
    /// Role, line break and content are encoded apart.
    apart: bool,
    stop_ids: Vec<u32>,
}

/// What a conversation is made of, once the roles are written out.
enum Piece<'a> {
    Control(&'static str, u32),
    Text(&'a str),
    Generated {
        text: &'a str,
        ids: &'a [u32],
    },
    /// Where text ends and other text begins.
    Border,
}

/// What a user said and what the model answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The user's message.
    pub query: Message,
    /// The assistant's.
    pub response: Message,
}

impl Turn {
    /// A turn of plain text.
    pub fn new(query: impl Into<String>, response: impl Into<String>) -> Self {
        Self { query: Message::user(query), response: Message::assistant(response) }
    }
}

/// What [`ChatMl::context`] makes of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// The prompt as text, for people.
    pub text: String,
    /// The prompt.
    pub ids: Vec<u32>,
    /// How many turns of the history are in it, counted from the newest.
    pub kept: usize,
}

impl ChatMl {
    /// ChatML in the vocabulary of `tokenizer`; all text between two control tokens is encoded as one
    /// piece, so that the ids equal those of the whole rendered text.
    ///
    /// # Errors
    /// When the vocabulary has no `<|im_start|>` or no `<|im_end|>`.
    pub fn new(tokenizer: &Tokenizer) -> Result<Self, ChatMlError> {
        Self::with(tokenizer, false)
    }

    /// ChatML as Qwen 1 has it: the role, the line break after it, and the content are encoded apart.
    ///
    /// # Errors
    /// When the vocabulary has no `<|im_start|>` or no `<|im_end|>`.
    pub fn qwen(tokenizer: &Tokenizer) -> Result<Self, ChatMlError> {
        Self::with(tokenizer, true)
    }

    fn with(tokenizer: &Tokenizer, apart: bool) -> Result<Self, ChatMlError> {
        let find = |token| tokenizer.special_id(token).ok_or(ChatMlError::MissingToken { token });
        let (start, end) = (find(START)?, find(END)?);
        let stop_ids = [Some(end), Some(start), tokenizer.special_id(END_OF_TEXT)].into_iter().flatten().collect();
        Ok(Self { tokenizer: tokenizer.clone(), start, end, apart, stop_ids })
    }

    /// The conversation as text, for people. With `continue_last` the last message is left open, else a
    /// turn of the assistant is opened after it.
    ///
    /// # Errors
    /// When a message holds an image or a native tool call, or `continue_last` is set and the last message
    /// is not the assistant's.
    pub fn render(&self, messages: &[Message], continue_last: bool) -> Result<String, ChatMlError> {
        let pieces = self.pieces(messages, continue_last)?;
        let texts = pieces.iter().map(|piece| match piece {
            Piece::Control(text, _) | Piece::Text(text) | Piece::Generated { text, .. } => *text,
            Piece::Border => "",
        });
        Ok(texts.collect())
    }

    /// The conversation as token ids; `continue_last` as in [`render`](Self::render).
    ///
    /// Text is never read as control tokens.
    /// Generated parts keep their ids, so the ids of a continued conversation begin with exactly those
    /// that the model has already seen.
    ///
    /// # Errors
    /// Those of [`render`](Self::render).
    pub fn encode(&self, messages: &[Message], continue_last: bool) -> Result<Vec<u32>, ChatMlError> {
        Ok(self.ids(self.pieces(messages, continue_last)?))
    }

    fn ids(&self, pieces: Vec<Piece<'_>>) -> Vec<u32> {
        let mut ids = Vec::new();
        let mut text = String::new();
        let mut start = Start::First;
        for piece in pieces {
            let (own, next) = match piece {
                // A generated part without ids is text like any other.
                Piece::Text(more) | Piece::Generated { text: more, ids: [] } => {
                    text.push_str(more);
                    continue;
                }
                Piece::Control(_, ref id) => (std::slice::from_ref(id), Start::AfterSpecial),
                Piece::Generated { ids, .. } => (ids, Start::Inside),
                Piece::Border => ([].as_slice(), Start::Inside),
            };
            self.tokenizer.encode_text(&text, start, &mut ids);
            text.clear();
            ids.extend_from_slice(own);
            start = next;
        }
        self.tokenizer.encode_text(&text, start, &mut ids);
        ids
    }

    /// The prompt for a question after a conversation that may be longer than the model can read.
    ///
    /// The history is walked from its newest turn back, and ends before the first turn with which the
    /// system message and the history would reach `max_window_size` tokens. System message and question
    /// are always there. This is the `make_context` of Qwen 1, byte for byte with [`qwen`](Self::qwen).
    ///
    /// # Errors
    /// When a message holds an image or a native tool call.
    pub fn context(
        &self,
        system: &str,
        history: &[Turn],
        query: &Message,
        max_window_size: usize,
    ) -> Result<Context, ChatMlError> {
        let closed = |messages: &[Message]| -> Result<Vec<u32>, ChatMlError> {
            let mut pieces = Vec::new();
            self.closed(messages, &mut pieces)?;
            Ok(self.ids(pieces))
        };
        let system = [Message::system(system)];
        let system_ids = closed(&system)?;
        // The line break after the system message is not counted.
        let mut size = system_ids.len() - self.tokenizer.encode("\n", Specials::None).len();
        let mut turns = Vec::new();
        for Turn { query, response } in history.iter().rev() {
            let turn = closed(&[query.clone(), response.clone()])?;
            size += turn.len();
            if size >= max_window_size {
                break;
            }
            turns.push(turn);
        }
        let kept = turns.len();
        let query = std::slice::from_ref(query);
        let ids = std::iter::once(system_ids).chain(turns.into_iter().rev()).chain([self.encode(query, false)?]);
        let recent = history[history.len() - kept..].iter().flat_map(|turn| [&turn.query, &turn.response]);
        let messages: Vec<Message> = system.iter().chain(recent).chain(query).cloned().collect();
        Ok(Context { text: self.render(&messages, false)?, ids: ids.flatten().collect(), kept })
    }

    /// The ids at which a reply ends: `<|im_end|>`, `<|im_start|>` and, where the vocabulary has it,
    /// `<|endoftext|>`.
    pub fn stop_ids(&self) -> &[u32] {
        &self.stop_ids
    }

    fn pieces<'a>(&self, messages: &'a [Message], continue_last: bool) -> Result<Vec<Piece<'a>>, ChatMlError> {
        if continue_last {
            match messages.last().map(|message| message.role) {
                Some(Role::Assistant) => {}
                Some(role) => return Err(ChatMlError::ContinueLast { found: role.as_str() }),
                None => return Err(ChatMlError::ContinueLast { found: "missing" }),
            }
        }
        let mut pieces = Vec::new();
        self.closed(messages, &mut pieces)?;
        if continue_last {
            // What closes the last message.
            pieces.truncate(pieces.len() - 2);
        } else {
            pieces.extend(self.opening("assistant"));
        }
        Ok(pieces)
    }

    /// Messages from their opening to the line break after them.
    fn closed<'a>(&self, messages: &'a [Message], pieces: &mut Vec<Piece<'a>>) -> Result<(), ChatMlError> {
        for (index, message) in messages.iter().enumerate() {
            pieces.extend(self.opening(message.role.as_str()));
            for part in &message.content {
                pieces.push(match part {
                    Part::Text(text) => Piece::Text(text),
                    Part::Generated(generated) => Piece::Generated { text: &generated.text, ids: &generated.ids },
                    Part::Result(result) => Piece::Text(&result.text),
                    Part::Image(_) => return Err(ChatMlError::Image { index }),
                    Part::Call(_) => return Err(ChatMlError::Call { index }),
                });
            }
            pieces.extend([Piece::Control(END, self.end), Piece::Text("\n")]);
        }
        Ok(())
    }

    /// What stands before the content of a message.
    fn opening<'a>(&self, role: &'a str) -> impl Iterator<Item = Piece<'a>> + use<'a> {
        let border = || self.apart.then_some(Piece::Border);
        let start = Piece::Control(START, self.start);
        [Some(start), Some(Piece::Text(role)), border(), Some(Piece::Text("\n")), border()].into_iter().flatten()
    }
}
