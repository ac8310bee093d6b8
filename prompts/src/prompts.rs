//! The prompts in force: the embedded ones, with those of a folder in their place.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::Prompt;
use crate::template::{Piece, pieces};

/// Why a folder of prompts cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PromptError {
    /// The folder, or a file in it, cannot be read as UTF-8 text.
    #[error("the prompt {} cannot be read", path.display())]
    Unreadable {
        /// Folder or file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A text file has the name of no prompt, so that it would silently do nothing.
    #[error("{} replaces no prompt; the names are: {}", path.display(), names())]
    UnknownFile {
        /// The file.
        path: PathBuf,
    },
    /// A text uses a placeholder that nothing will fill.
    #[error(
        "the prompt {} has the unknown placeholder {{{name}}}; {}",
        path.display(),
        known(*prompt)
    )]
    UnknownPlaceholder {
        /// The file.
        path: PathBuf,
        /// Which prompt it replaces.
        prompt: Prompt,
        /// The name between the braces.
        name: String,
    },
}

fn names() -> String {
    Prompt::ALL.iter().map(|prompt| prompt.path()).collect::<Vec<_>>().join(", ")
}

fn known(prompt: Prompt) -> String {
    if prompt.placeholders().is_empty() {
        return "it may use none".to_owned();
    }
    let known: Vec<_> = prompt.placeholders().iter().map(|name| format!("{{{name}}}")).collect();
    format!("it may use {}", known.join(", "))
}

/// A complete set of prompts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompts {
    texts: BTreeMap<Prompt, Cow<'static, str>>,
}

impl Default for Prompts {
    fn default() -> Self {
        Self::embedded()
    }
}

impl Prompts {
    /// The prompts that were built in.
    pub fn embedded() -> Self {
        let embed = |&prompt: &Prompt| (prompt, Cow::Borrowed(without_final_newline(prompt.source().text)));
        Self { texts: Prompt::ALL.iter().map(embed).collect() }
    }

    /// The prompts that were built in, except those for which `folder` holds a file of the same
    /// [relative name](Prompt::path). Files that do not end in `.txt` are left alone.
    ///
    /// # Errors
    /// When folder or file cannot be read, a `.txt` file has the name of no prompt, or a text uses an
    /// unknown placeholder.
    pub fn with_folder(folder: impl AsRef<Path>) -> Result<Self, PromptError> {
        let folder = folder.as_ref();
        let mut prompts = Self::embedded();
        for path in text_files(folder)? {
            let relative = path.strip_prefix(folder).unwrap_or(&path);
            let Some(&prompt) = Prompt::ALL.iter().find(|prompt| Path::new(prompt.path()) == relative) else {
                return Err(PromptError::UnknownFile { path });
            };
            let text = fs::read_to_string(&path)
                .map_err(|source| PromptError::Unreadable { path: path.clone(), source })?
                .replace("\r\n", "\n");
            if let Some(name) = unknown_placeholder(prompt, &text) {
                return Err(PromptError::UnknownPlaceholder { name: name.to_owned(), path, prompt });
            }
            prompts.texts.insert(prompt, Cow::Owned(without_final_newline(&text).to_owned()));
        }
        Ok(prompts)
    }

    /// The same prompts with another text for one of them.
    #[must_use]
    pub fn with(mut self, prompt: Prompt, text: impl Into<String>) -> Self {
        self.texts.insert(prompt, Cow::Owned(text.into()));
        self
    }

    /// The text of a prompt, placeholders unfilled.
    pub fn text(&self, prompt: Prompt) -> &str {
        self.texts.get(&prompt).map_or("", AsRef::as_ref)
    }

    /// The text of a prompt with its placeholders filled in a single pass. A placeholder without a
    /// value stays as it is.
    pub fn fill(&self, prompt: Prompt, values: &[(&str, &str)]) -> String {
        let value = |wanted: &str| values.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value);
        let mut filled = String::new();
        for piece in pieces(self.text(prompt)) {
            match piece {
                Piece::Text(text) => filled.push_str(text),
                Piece::Placeholder(name) => match value(name) {
                    Some(value) => filled.push_str(value),
                    None => filled.extend(["{", name, "}"]),
                },
            }
        }
        filled
    }
}

fn without_final_newline(text: &str) -> &str {
    text.strip_suffix('\n').unwrap_or(text)
}

fn unknown_placeholder(prompt: Prompt, text: &str) -> Option<&str> {
    pieces(text).find_map(|piece| match piece {
        Piece::Placeholder(name) if !prompt.placeholders().contains(&name) => Some(name),
        _ => None,
    })
}

/// All `.txt` files below a folder, sorted.
fn text_files(folder: &Path) -> Result<Vec<PathBuf>, PromptError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |source| PromptError::Unreadable { path, source }
    };
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(unreadable(&folder))? {
            let path = entry.map_err(unreadable(&folder))?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "txt") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
