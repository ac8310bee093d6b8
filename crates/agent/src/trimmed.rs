//! Text that is shown without white space at its ends, while it comes.

/// A text that is shown without white space at its ends.
#[derive(Debug, Default)]
pub(crate) struct Trimmed {
    /// What was shown.
    pub(crate) shown: String,
    /// White space that is shown when more follows it.
    held: String,
}

impl Trimmed {
    /// Takes more text and returns what can be shown.
    pub(crate) fn push(&mut self, text: &str) -> Option<String> {
        let text = if self.shown.is_empty() { text.trim_start() } else { text };
        let end = text.trim_end().len();
        let new = if end == 0 { String::new() } else { std::mem::take(&mut self.held) + &text[..end] };
        self.held.push_str(&text[end..]);
        self.shown.push_str(&new);
        (!new.is_empty()).then_some(new)
    }
}
