//! Where the template of a checkpoint is found.

use std::fs;
use std::io;
use std::path::Path;

use qianshou_gguf::Gguf;
use serde::Deserialize;

use super::ChatTemplateError;
use super::thinking::Thinking;
use crate::Tokenizer;

const DEFAULT: &str = "default";
const TOOL_USE: &str = "tool_use";

/// The templates of a checkpoint, and the tokens that it gives them.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) default: String,
    /// Another one for conversations with tools.
    tool_use: Option<String>,
    pub(super) begin_token: Option<String>,
    pub(super) end_token: Option<String>,
}

/// What is read of `tokenizer_config.json`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Config {
    chat_template: Option<Templates>,
    bos_token: Option<Token>,
    eos_token: Option<Token>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Templates {
    One(String),
    Named(Vec<Named>),
}

#[derive(Deserialize)]
struct Named {
    name: String,
    template: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Token {
    Text(String),
    Added { content: String },
}

impl Token {
    fn text(self) -> String {
        match self {
            Self::Text(text) | Self::Added { content: text } => text,
        }
    }
}

impl Source {
    pub(super) fn new(template: &str) -> Self {
        Self { default: template.to_owned(), tool_use: None, begin_token: None, end_token: None }
    }

    pub(super) fn from_folder(folder: &Path) -> Result<Option<Self>, ChatTemplateError> {
        let path = folder.join("tokenizer_config.json");
        let config: Config = match read(&path)? {
            Some(text) => serde_json::from_str(&text)
                .map_err(|error| ChatTemplateError::Config { path: path.clone(), problem: error.to_string() })?,
            None => Config::default(),
        };
        let (mut default, mut tool_use) = (None, None);
        match config.chat_template {
            Some(Templates::One(template)) => default = Some(template),
            Some(Templates::Named(named)) => {
                for Named { name, template } in named {
                    match name.as_str() {
                        DEFAULT => default = Some(template),
                        TOOL_USE => tool_use = Some(template),
                        // Others are for uses that there are not here, such as retrieval.
                        _ => {}
                    }
                }
                if default.is_none() && tool_use.is_some() {
                    let problem = "`chat_template` has no template `default`".to_owned();
                    return Err(ChatTemplateError::Config { path, problem });
                }
            }
            None => {}
        }
        if let Some(template) = read(&folder.join("chat_template.jinja"))? {
            (default, tool_use) = (Some(template), None);
        }
        let [begin_token, end_token] = [config.bos_token, config.eos_token].map(|token| token.map(Token::text));
        Ok(default.map(|default| Self { default, tool_use, begin_token, end_token }))
    }

    pub(super) fn from_gguf(gguf: &Gguf, tokenizer: &Tokenizer) -> Result<Option<Self>, ChatTemplateError> {
        let Some(template) = gguf.string("tokenizer.chat_template")? else {
            return Ok(None);
        };
        let token = |key| -> Result<Option<String>, ChatTemplateError> {
            let id = gguf.u32(key)?;
            Ok(id.and_then(|id| tokenizer.specials().find(|special| special.0 == id)).map(|(_, text)| text.to_owned()))
        };
        Ok(Some(Self {
            begin_token: token("tokenizer.ggml.bos_token_id")?,
            end_token: token("tokenizer.ggml.eos_token_id")?,
            ..Self::new(template)
        }))
    }

    /// All templates with their names.
    pub(super) fn templates(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let tool_use = self.tool_use.as_deref().map(|template| (TOOL_USE, template));
        [(DEFAULT, self.default.as_str())].into_iter().chain(tool_use)
    }

    /// The name of the template for a conversation.
    pub(super) fn name(&self, with_tools: bool) -> &'static str {
        if with_tools && self.tool_use.is_some() { TOOL_USE } else { DEFAULT }
    }

    /// All texts that can come into what is rendered.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        let tokens = [&self.begin_token, &self.end_token].into_iter().flatten().map(String::as_str);
        self.templates().map(|(_, template)| template).chain(tokens)
    }

    /// What the template does with thinking.
    pub(super) fn thinking(&self) -> Thinking {
        let has = |text| self.default.contains(text);
        if !has("split('</think>')") && !has("split(\"</think>\")") {
            Thinking::Text
        } else if has("reasoning_content") {
            Thinking::Field
        } else {
            Thinking::Dropped
        }
    }
}

/// The text of a file, if it is there.
fn read(path: &Path) -> Result<Option<String>, ChatTemplateError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ChatTemplateError::Read { path: path.to_owned(), source }),
    }
}
