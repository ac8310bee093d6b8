//! ChatML, the form in which Qwen models read conversations.

use qianshou_chat::{Message, Part, Role};

use crate::Tokenizer;
use crate::prepare::Start;

const START: &str = "<|im_start|>";
const END: &str = "<|im_end|>";
const END_OF_TEXT: &str = "<|endoftext|>";

/// The system message of Qwen 1 where nobody gives one.
const QWEN_SYSTEM: &str = "You are a helpful assistant.";

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
/// `<|im_start|>assistant\n`.
///
/// Families differ in what is encoded as one piece, which matters where content begins with a line break, and
/// in whether a conversation needs a system message: [`new`](Self::new) is for all but the first Qwen,
/// [`qwen`](Self::qwen) for that one.
#[derive(Clone, Debug)]
pub struct ChatMl {
    tokenizer: Tokenizer,
    start: u32,
    end: u32,
    /// Role, line break and content are encoded apart, and there is always a system message.
    qwen: bool,
    stop_ids: Vec<u32>,
}

/// What a conversation is made of, once the roles are written out.
#[derive(Clone, Copy)]
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

impl ChatMl {
    /// ChatML in the vocabulary of `tokenizer`; all text between two control tokens is encoded as one
    /// piece, so that the ids equal those of the whole rendered text.
    ///
    /// # Errors
    /// When the vocabulary has no `<|im_start|>` or no `<|im_end|>`.
    pub fn new(tokenizer: &Tokenizer) -> Result<Self, ChatMlError> {
        Self::with(tokenizer, false)
    }

    /// ChatML as Qwen 1 has it: the role, the line break after it, and the content are encoded apart, and a
    /// conversation that begins without a system message gets that of Qwen.
    ///
    /// # Errors
    /// When the vocabulary has no `<|im_start|>` or no `<|im_end|>`.
    pub fn qwen(tokenizer: &Tokenizer) -> Result<Self, ChatMlError> {
        Self::with(tokenizer, true)
    }

    fn with(tokenizer: &Tokenizer, qwen: bool) -> Result<Self, ChatMlError> {
        let find = |token| tokenizer.special_id(token).ok_or(ChatMlError::MissingToken { token });
        let (start, end) = (find(START)?, find(END)?);
        let stop_ids = [Some(end), Some(start), tokenizer.special_id(END_OF_TEXT)].into_iter().flatten().collect();
        Ok(Self { tokenizer: tokenizer.clone(), start, end, qwen, stop_ids })
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
        let mut ids = Vec::new();
        let mut text = String::new();
        let mut start = Start::First;
        for piece in self.pieces(messages, continue_last)? {
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
        Ok(ids)
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
        let closing = [Piece::Control(END, self.end), Piece::Text("\n")];
        let mut pieces = Vec::new();
        if self.qwen && messages.first().is_none_or(|first| first.role != Role::System) {
            pieces.extend(self.opening("system"));
            pieces.push(Piece::Text(QWEN_SYSTEM));
            pieces.extend(closing);
        }
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
            pieces.extend(closing);
        }
        if continue_last {
            pieces.truncate(pieces.len() - closing.len());
        } else {
            pieces.extend(self.opening("assistant"));
        }
        Ok(pieces)
    }

    /// What stands before the content of a message.
    fn opening<'a>(&self, role: &'a str) -> impl Iterator<Item = Piece<'a>> + use<'a> {
        let border = || self.qwen.then_some(Piece::Border);
        let start = Piece::Control(START, self.start);
        [Some(start), Some(Piece::Text(role)), border(), Some(Piece::Text("\n")), border()].into_iter().flatten()
    }
}
