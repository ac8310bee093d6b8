//! Every text that Qianshou says to a model, as files that can be read and replaced.
//!
//! A prompt is never a string in code: it is a file of this folder, embedded when the crate is built.
//! [`Prompts::embedded`] gives those; [`Prompts::with_folder`] lets a folder on disk replace any of them
//! at run time, by the same relative name. [`Prompt`] lists them all.
//!
//! One final newline is removed from each file. A placeholder is a name in braces, `{question}`, of the
//! names that the prompt knows; all are filled in a single pass, so a value that itself looks like a
//! placeholder stays as it is.
//!
//! ```
//! use qianshou_prompts::{Prompt, Prompts};
//!
//! let prompts = Prompts::embedded();
//! let text = prompts.fill(Prompt::ToolFailed, &[("name", "{error}"), ("error", "the disk is full")]);
//! assert_eq!(text, "The tool {error} failed: the disk is full");
//! ```

#![forbid(unsafe_code)]

mod prompt;
mod prompts;
mod template;

pub use prompt::Prompt;
pub use prompts::{PromptError, Prompts};
