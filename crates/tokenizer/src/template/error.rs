//! Why a conversation cannot be put into a template.

use std::io;
use std::path::PathBuf;

use qianshou_gguf::GgufError;

/// Why a chat template cannot be used, or a conversation cannot be put into it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChatTemplateError {
    /// A file of the checkpoint could not be read.
    #[error("could not read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The configuration of the tokenizer is not as it should be.
    #[error("{}: {problem}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A metadata entry of the GGUF file has another type.
    #[error("the GGUF file holds no usable chat template: {0}")]
    Gguf(#[from] GgufError),
    /// The template is not Jinja.
    #[error("line {line} of the chat template: {problem}")]
    Syntax {
        /// Which line, counted from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// The template failed, or refused the conversation.
    #[error("line {line} of the chat template: {problem}")]
    Render {
        /// Which line, counted from 1; 0 where it is not known.
        line: usize,
        /// What the template says, or why it failed.
        problem: String,
    },
    /// A message holds an image.
    #[error("message {index} holds an image, which a text model cannot read; use a vision model or leave it out")]
    Image {
        /// Which message, counted from 0.
        index: usize,
    },
    /// There is no assistant's message to continue.
    #[error("only an assistant's message can be continued, but the last message is {found}")]
    ContinueLast {
        /// The role of the last message, or that there is none.
        found: &'static str,
    },
    /// The conversation uses up the characters by which text is told from control tokens.
    #[error("the conversation holds nearly all private characters of Unicode, of which some are needed to render it")]
    Marks,
}

impl ChatTemplateError {
    pub(super) fn syntax(error: minijinja::Error) -> Self {
        Self::Syntax { line: error.line().unwrap_or_default(), problem: describe(&error) }
    }

    pub(super) fn render(error: minijinja::Error) -> Self {
        Self::Render { line: error.line().unwrap_or_default(), problem: describe(&error) }
    }
}

/// The message without the place, which is told apart.
fn describe(error: &minijinja::Error) -> String {
    error.detail().map_or_else(|| error.kind().to_string(), str::to_owned)
}
