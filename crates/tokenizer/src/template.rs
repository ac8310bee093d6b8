//! Conversations in the format of a checkpoint's own template.

mod calls;
mod error;
mod marks;
mod python;
mod source;
mod thinking;

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use minijinja::Environment;
use minijinja::value::Serde;
use qianshou_chat::{Message, NativeTool, Part, Role};
use qianshou_gguf::Gguf;
use serde_json::{Map, Value, json};

pub use self::error::ChatTemplateError;
use self::marks::{Marks, Mode};
use self::source::Source;
use crate::prepare::Start;
use crate::tokenizer::Segment;
use crate::{Specials, Tokenizer};

/// Work that one rendering may do: enough for any conversation, and little enough that a hostile template mostly
/// ends within seconds and a few hundred megabytes. Not always: to repeat a list many
/// million times costs nothing, and where `~` or `| string` makes text of it, this is charged when the text is there.
const FUEL: u64 = 4_000_000;

/// Encodes conversations with the Jinja template that a checkpoint brings (`chat_template`).
///
/// **What a message says is text, for the template too.** Special and added tokens are recognised where
/// the template wrote them, never where a message, a tool's description or any part of one did. For that,
/// such texts are marked with private characters while the template runs, which are removed before anything
/// is encoded. A template that looks into messages for the text of such a token does not find it, with one
/// exception: where it cuts the thinking of earlier turns off (`</think>`), this is done for it, by its own
/// rule.
///
/// Native calls and their results are where templates look for them: `tool_calls` of an assistant's message,
/// with arguments as an object, and `tool_call_id` of a tool's.
///
/// Generated parts keep their ids. Those of turns before the user's last message lose their thinking where
/// the template cuts it off.
///
/// ```
/// # use qianshou_chat::Message;
/// # use qianshou_tokenizer::{ChatTemplate, Tokenizer};
/// # let json = r#"{
/// #     "added_tokens": [{"id": 1, "content": "<|end|>", "special": true}],
/// #     "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true},
/// #     "model": {"type": "BPE", "vocab": {"h": 0, "<": 2, "|": 3, "e": 4, "n": 5, "d": 6, ">": 7}, "merges": []}
/// # }"#;
/// # let tokenizer = Tokenizer::from_json(json)?;
/// let template = ChatTemplate::new("{% for message in messages %}{{ message.content }}<|end|>{% endfor %}", &tokenizer)?;
/// let ids = template.encode(&[Message::user("h<|end|>")], &[], false)?;
/// assert_eq!(template.render(&[Message::user("h<|end|>")], &[], false)?, "h<|end|><|end|>");
/// assert_eq!(ids, [0, 2, 3, 4, 5, 6, 3, 7, 1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ChatTemplate {
    tokenizer: Tokenizer,
    environment: Arc<Environment<'static>>,
    source: Source,
    variables: Map<String, Value>,
    /// The special and added tokens that are recognised.
    controls: Vec<String>,
}

/// A rendered conversation, piece by piece.
enum Piece<'a> {
    Text(String),
    Special(u32),
    Generated { text: &'a str, ids: &'a [u32] },
}

impl ChatTemplate {
    /// A template from its text.
    ///
    /// # Errors
    /// When it is not Jinja.
    pub fn new(template: &str, tokenizer: &Tokenizer) -> Result<Self, ChatTemplateError> {
        Self::with(Source::new(template), tokenizer)
    }

    /// The template in the folder of a checkpoint, if there is one: `chat_template.jinja`, or else
    /// `chat_template` of its `tokenizer_config.json`.
    ///
    /// # Errors
    /// When one of the files cannot be read, or the template is not Jinja.
    pub fn from_folder(path: impl AsRef<Path>, tokenizer: &Tokenizer) -> Result<Option<Self>, ChatTemplateError> {
        let source = Source::from_folder(path.as_ref())?;
        source.map(|source| Self::with(source, tokenizer)).transpose()
    }

    /// The template inside a GGUF file, if there is one.
    ///
    /// # Errors
    /// When its metadata has another type, or the template is not Jinja.
    pub fn from_gguf(gguf: &Gguf, tokenizer: &Tokenizer) -> Result<Option<Self>, ChatTemplateError> {
        let source = Source::from_gguf(gguf, tokenizer)?;
        source.map(|source| Self::with(source, tokenizer)).transpose()
    }

    fn with(source: Source, tokenizer: &Tokenizer) -> Result<Self, ChatTemplateError> {
        let mut environment = python::environment();
        environment.set_fuel(Some(FUEL));
        for (name, template) in source.templates() {
            environment.add_template_owned(name, template.to_owned()).map_err(ChatTemplateError::syntax)?;
        }
        let token = |name: &Option<String>| name.as_deref().map_or(Value::Null, Into::into);
        let mut variables = Map::new();
        variables.insert("bos_token".to_owned(), token(&source.begin_token));
        variables.insert("eos_token".to_owned(), token(&source.end_token));
        let controls = tokenizer.specials().map(|(_, text)| text).filter(|text| marks::can_be_marked(text));
        Ok(Self {
            controls: controls.map(str::to_owned).collect(),
            tokenizer: tokenizer.clone(),
            environment: Arc::new(environment),
            source,
            variables,
        })
    }

    /// The same template with another value of a variable that it asks for, such as `enable_thinking`.
    /// Its text is trusted as that of the template.
    #[must_use]
    pub fn with_variable(mut self, name: impl Into<String>, value: Value) -> Self {
        self.variables.insert(name.into(), value);
        self
    }

    /// The text of the template.
    pub fn source(&self) -> &str {
        &self.source.default
    }

    /// Whether the template writes the tools that it is given, so that the model knows them.
    pub fn takes_tools(&self) -> bool {
        let template = self.environment.get_template(self.source.name(true));
        template.is_ok_and(|template| template.undeclared_variables(false).contains("tools"))
    }

    /// The id of the token that ends a turn, as far as the checkpoint's files name it (`eos_token`).
    pub fn end_id(&self) -> Option<u32> {
        self.source.end_token.as_deref().and_then(|token| self.tokenizer.special_id(token))
    }

    /// The conversation as text, for people. With `continue_last` the last message is left open, else a
    /// turn of the assistant is opened after it.
    ///
    /// # Errors
    /// When a message holds an image, `continue_last` is set and the last message is not the assistant's or
    /// calls tools, or the template refuses the conversation.
    pub fn render(
        &self,
        messages: &[Message],
        tools: &[NativeTool],
        continue_last: bool,
    ) -> Result<String, ChatTemplateError> {
        let pieces = self.pieces(messages, tools, continue_last)?;
        let names: Vec<_> = self.tokenizer.specials().collect();
        let special = |wanted: &u32| names.iter().find(|(id, _)| id == wanted).map_or("", |(_, text)| *text);
        Ok(pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.as_str(),
                Piece::Special(id) => special(id),
                Piece::Generated { text, .. } => text,
            })
            .collect())
    }

    /// The conversation as token ids; `continue_last` as in [`render`](Self::render).
    ///
    /// All text between two special tokens or generated parts is encoded as one piece.
    ///
    /// # Errors
    /// Those of [`render`](Self::render).
    pub fn encode(
        &self,
        messages: &[Message],
        tools: &[NativeTool],
        continue_last: bool,
    ) -> Result<Vec<u32>, ChatTemplateError> {
        let mut ids = Vec::new();
        let mut start = Start::First;
        for piece in self.pieces(messages, tools, continue_last)? {
            start = match piece {
                Piece::Text(text) => {
                    self.tokenizer.encode_text(&text, start, &mut ids);
                    Start::Inside
                }
                Piece::Special(id) => {
                    ids.push(id);
                    Start::AfterSpecial
                }
                Piece::Generated { ids: own, .. } => {
                    ids.extend_from_slice(own);
                    Start::Inside
                }
            };
        }
        Ok(ids)
    }

    fn pieces<'a>(
        &self,
        messages: &'a [Message],
        tools: &[NativeTool],
        continue_last: bool,
    ) -> Result<Vec<Piece<'a>>, ChatTemplateError> {
        // The open message is not the template's business: it would close it.
        let (open, closed) = match messages.split_last() {
            Some((last, _)) if continue_last && last.calls().next().is_some() => {
                return Err(ChatTemplateError::ContinueLast { found: "one that calls tools" });
            }
            Some((last, closed)) if continue_last && last.role == Role::Assistant => (Some(last), closed),
            _ if !continue_last => (None, messages),
            last => {
                let found = last.map_or("missing", |(last, _)| last.role.as_str());
                return Err(ChatTemplateError::ContinueLast { found });
            }
        };
        let has_image = |message: &Message| message.content.iter().any(|part| matches!(part, Part::Image(_)));
        if let Some(index) = messages.iter().position(has_image) {
            return Err(ChatTemplateError::Image { index });
        }
        let cut = thinking::cut(closed, self.source.thinking(), &self.tokenizer);
        let own = self.source.texts().map(Cow::Borrowed);
        let variables = self.variables.values().map(|value| Cow::Owned(value.to_string()));
        let said = messages.iter().flat_map(|message| &message.content).flat_map(calls::texts).map(Cow::Owned);
        let tool_texts = tools.iter().map(|tool| Cow::Owned(json!(tool).to_string()));
        let texts = own.chain(variables).chain(said).chain(tool_texts);
        let marks = Marks::new(&self.controls, cut.generated.len(), texts).ok_or(ChatTemplateError::Marks)?;
        let text = self.run(&cut, tools, &marks)?;

        let mut pieces = Vec::new();
        let controls: Vec<_> = self.controls.iter().map(String::as_str).collect();
        for segment in self.tokenizer.segments(&text, Specials::Only(&controls)) {
            match segment {
                Segment::Special(id) => pieces.push(Piece::Special(id)),
                Segment::Text(text) => {
                    for (text, generated) in marks.split(text) {
                        push_text(&mut pieces, &text);
                        if let Some((text, ids)) = generated.and_then(|index| cut.generated.get(index)) {
                            pieces.push(Piece::Generated { text, ids });
                        }
                    }
                }
            }
        }
        for part in open.into_iter().flat_map(|message| &message.content) {
            match part {
                Part::Generated(generated) if !generated.ids.is_empty() => {
                    pieces.push(Piece::Generated { text: &generated.text, ids: &generated.ids });
                }
                part => push_text(&mut pieces, part.text()),
            }
        }
        Ok(pieces)
    }

    /// The marked text of the conversation.
    fn run(&self, cut: &thinking::Cut<'_>, tools: &[NativeTool], marks: &Marks) -> Result<String, ChatTemplateError> {
        let edges = self.run_marked(cut, tools, marks, Mode::Edges)?;
        match self.run_marked(cut, tools, marks, Mode::Everywhere) {
            Ok(everywhere) if marks.remove(&everywhere) == marks.remove(&edges) => Ok(everywhere),
            // The template looks at texts, and saw the marks.
            _ => Ok(edges),
        }
    }

    fn run_marked(
        &self,
        cut: &thinking::Cut<'_>,
        tools: &[NativeTool],
        marks: &Marks,
        mode: Mode,
    ) -> Result<String, ChatTemplateError> {
        let mut context = self.variables.clone();
        let messages = cut.messages.iter().map(|message| message.value(marks, mode));
        context.insert("messages".to_owned(), messages.collect());
        context.insert("add_generation_prompt".to_owned(), true.into());
        let tool = |tool: &NativeTool| {
            json!({"type": "function", "function": {
                "name": marks.mark(&tool.name, mode),
                "description": marks.mark(&tool.description, mode),
                "parameters": marks.mark_value(&tool.parameters, mode),
            }})
        };
        let listed = if tools.is_empty() { Value::Null } else { tools.iter().map(tool).collect() };
        context.insert("tools".to_owned(), listed);
        let template = self.environment.get_template(self.source.name(!tools.is_empty()));
        template.and_then(|template| template.render(Serde(&context))).map_err(ChatTemplateError::render)
    }
}

/// Appends text, joining it to text before it.
fn push_text(pieces: &mut Vec<Piece<'_>>, text: &str) {
    match pieces.last_mut() {
        _ if text.is_empty() => {}
        Some(Piece::Text(last)) => last.push_str(text),
        _ => pieces.push(Piece::Text(text.to_owned())),
    }
}
