//! Text to token ids and back, for models with BPE vocabularies, and conversations on top.
//!
//! A [`Tokenizer`] is read from a `tokenizer.json`, from a `qwen.tiktoken`, or from the vocabulary inside
//! a GGUF file; vocabularies are byte-level ones, or those of SentencePiece with bytes to fall back on.
//! Splitting and merging are done by the `tokenizers` crate; two things are decided here instead:
//!
//! - **Text is text.** A control token is recognised only where the [call](Tokenizer::encode) allows it
//!   ([`Specials`]). The `tokenizers` parts know no added token at all, so what a user or a web page
//!   wrote can never become one, whatever it looks like.
//! - **Ids are bytes.** Decoding goes through a table from ids to bytes: a token need not end where a
//!   character does.
//!
//! [`ChatMl`] encodes conversations in Qwen's own format, and a [`ChatTemplate`] in that of any checkpoint
//! which brings a template. What a model generated keeps its ids.
//!
//! ```
//! use qianshou_tokenizer::{Specials, Tokenizer};
//!
//! let json = r#"{
//!     "added_tokens": [{"id": 3, "content": "<|end|>", "special": true}],
//!     "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true},
//!     "model": {"type": "BPE", "vocab": {"h": 0, "i": 1, "hi": 2}, "merges": ["h i"]}
//! }"#;
//! let tokenizer = Tokenizer::from_json(json)?;
//! assert_eq!(tokenizer.encode("hi<|end|>", Specials::All), [2, 3]);
//! assert_eq!(tokenizer.decode(&[2, 1, 3]), "hii<|end|>");
//! # Ok::<(), qianshou_tokenizer::TokenizerError>(())
//! ```

#![forbid(unsafe_code)]

mod alphabet;
mod chatml;
mod error;
mod gguf;
mod json;
mod prepare;
mod ranks;
mod sentencepiece;
mod spelling;
mod template;
mod tiktoken;
mod tokenizer;
mod vocabulary;

pub use chatml::{ChatMl, ChatMlError};
pub use error::TokenizerError;
pub use template::{ChatTemplate, ChatTemplateError};
pub use tokenizer::{Specials, Tokenizer};
