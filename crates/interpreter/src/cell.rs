//! What came of a cell.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use qianshou_interpreter_protocol::{Bundle, CellError, Completion, NewFile, State, Status};

use crate::text::clean;

/// What came of a cell. Everything in it but the figures of the supervisor (status, state, duration,
/// memory) is the cell's own content, as hostile as its code: text without control characters, images
/// that nobody has looked into, HTML and SVG that a page must not show unsandboxed.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Cell {
    /// How it ended.
    pub status: Status,
    /// What became of the session's variables.
    pub state: State,
    /// Standard output: head and tail, if it was long.
    pub stdout: String,
    /// Standard error, likewise.
    pub stderr: String,
    /// The value of the last expression: MIME type to text; `text/plain` is always in it.
    pub value: Option<Bundle>,
    /// What was shown, in order, images included.
    pub displays: Vec<Bundle>,
    /// The images of displays and value, decoded.
    pub images: Vec<Image>,
    /// Files of the workspace that it made or changed.
    pub files: Vec<NewFile>,
    /// The exception that ended it.
    pub error: Option<CellError>,
    /// What was cut or left out, a sentence each.
    pub notes: Vec<String>,
    /// Wall clock, as the supervisor measured it.
    pub duration: Duration,
    /// The most memory of the session's processes together that the supervisor saw, in bytes; what they
    /// share with the warm Python is in it.
    pub peak_memory: u64,
}

/// An image that a cell showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// For example `image/png`.
    pub mime: String,
    /// The file.
    pub bytes: Vec<u8>,
}

impl Cell {
    pub(crate) fn new(completion: Completion, displays: Vec<Bundle>) -> Self {
        let images = displays.iter().chain(&completion.value).flat_map(images).collect();
        Self {
            status: completion.status,
            state: completion.state,
            stdout: clean(&completion.stdout.text),
            stderr: clean(&completion.stderr.text),
            value: completion.value.map(|bundle| {
                bundle
                    .into_iter()
                    .map(|(mime, text)| if is_text(&mime) { (mime, clean(&text)) } else { (mime, text) })
                    .collect()
            }),
            displays,
            images,
            files: completion.files,
            error: completion.error.map(|error| CellError {
                name: clean(&error.name),
                message: clean(&error.message),
                traceback: clean(&error.traceback),
                hint: error.hint.as_deref().map(clean),
            }),
            notes: completion.notes.iter().map(|note| clean(note)).collect(),
            duration: Duration::from_micros(completion.microseconds),
            peak_memory: completion.peak_memory_bytes,
        }
    }

    /// The value of the last expression as text.
    #[must_use]
    pub fn value_text(&self) -> Option<&str> {
        self.value.as_ref()?.get("text/plain").map(String::as_str)
    }
}

fn is_text(mime: &str) -> bool {
    mime.starts_with("text/")
}

fn images(bundle: &Bundle) -> impl Iterator<Item = Image> {
    bundle
        .iter()
        .filter(|(mime, _)| mime.starts_with("image/") && *mime != "image/svg+xml")
        .filter_map(|(mime, text)| Some(Image { mime: mime.clone(), bytes: STANDARD.decode(text).ok()? }))
}
