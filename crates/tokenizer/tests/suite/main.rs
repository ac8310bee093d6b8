//! Tests of the tokenizer. They are one program, because the libraries below take long to link.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod chatml;
mod gguf;
mod goldens;
mod json;
mod properties;
mod qwen;
mod sentencepiece;
mod support;
mod template;
mod tiktoken;
