//! Why a vocabulary cannot be used.

use std::path::PathBuf;

use qianshou_gguf::GgufError;

/// Why a tokenizer could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenizerError {
    /// The file could not be read.
    #[error("could not read the tokenizer file {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A folder holds no tokenizer.
    #[error("{} holds neither a `tokenizer.json` nor a `qwen.tiktoken`; is it the folder of a checkpoint?", folder.display())]
    Missing {
        /// The folder.
        folder: PathBuf,
    },
    /// A line of a `qwen.tiktoken` is not as it should be.
    #[error("line {line} of the `qwen.tiktoken`: {problem}")]
    Line {
        /// Which line, counted from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// The text is not a `tokenizer.json`.
    #[error("not a `tokenizer.json` that can be read: {0}")]
    Json(#[from] serde_json::Error),
    /// A metadata entry of the GGUF file is missing or has another type.
    #[error("the GGUF file holds no usable vocabulary: {0}")]
    Gguf(#[from] GgufError),
    /// The tokenizer is of a kind that is not supported.
    #[error("`{field}` of the tokenizer is {found}; supported: {supported}")]
    Unsupported {
        /// Which setting it is.
        field: &'static str,
        /// What it is set to.
        found: String,
        /// What is supported there.
        supported: &'static str,
    },
    /// Two lists of the GGUF file belong together but differ in length.
    #[error("the GGUF file has {tokens} tokens but {types} token types or scores; it is damaged, so fetch it again")]
    Lengths {
        /// Length of the list of tokens.
        tokens: usize,
        /// Length of the list of token types, or of their scores.
        types: usize,
    },
    /// A token contradicts the rest of the vocabulary.
    #[error("token {id} `{text}`: {problem}")]
    Token {
        /// Its id.
        id: u32,
        /// Its text.
        text: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A merge cannot be carried out with this vocabulary.
    #[error("merge {index} (`{merge}`): {problem}")]
    Merge {
        /// Its place in the list.
        index: usize,
        /// The merge as written.
        merge: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The `tokenizers` crate refused a part that had passed all checks.
    #[error("the tokenizer could not be built: {0}")]
    Build(String),
}
