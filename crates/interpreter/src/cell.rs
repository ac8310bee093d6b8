//! What came of a cell.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use qianshou_interpreter_protocol::{Bundle, CellError, Completion, NewFile, State, Status};

use crate::text::clean;

/// What came of a cell. Everything in it but the figures of the supervisor (status, state, duration,
/// memory) is the cell's own content, as hostile as its code: text without control characters, images
/// of which at most the header was looked at, HTML and SVG that a page must not show unsandboxed.
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
    /// The images of displays and value, decoded; without PNGs that are none, or too large to unpack.
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

/// Pixels of an image that anybody should be made to unpack, at most.
const MOST_PIXELS: u64 = 64 << 20;

impl Cell {
    pub(crate) fn new(completion: Completion, displays: Vec<Bundle>) -> Self {
        let (images, left_out): (Vec<Image>, Vec<Image>) =
            displays.iter().chain(&completion.value).flat_map(images).partition(Image::is_plausible);
        let mut notes: Vec<String> = completion.notes.iter().map(|note| clean(note)).collect();
        if !left_out.is_empty() {
            notes.push(format!("{} images were left out: not a PNG, or too large", left_out.len()));
        }
        Self {
            status: completion.status,
            state: completion.state,
            stdout: clean(&completion.stdout.text),
            stderr: clean(&completion.stderr.text),
            value: completion.value.map(clean_bundle),
            displays: displays.into_iter().map(clean_bundle).collect(),
            images,
            files: completion.files,
            error: completion.error.map(|error| CellError {
                name: clean(&error.name),
                message: clean(&error.message),
                traceback: clean(&error.traceback),
                hint: error.hint.as_deref().map(clean),
            }),
            notes,
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

impl Image {
    /// Whether a PNG is one by its header and not too large to unpack. Of other kinds nothing is known here.
    fn is_plausible(&self) -> bool {
        if self.mime != "image/png" {
            return true;
        }
        let size = self.bytes.strip_prefix(b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".as_slice());
        let side = |bytes: [u8; 4]| u64::from(u32::from_be_bytes(bytes));
        match size {
            Some([a, b, c, d, e, f, g, h, ..]) => {
                let pixels = side([*a, *b, *c, *d]) * side([*e, *f, *g, *h]);
                (1..=MOST_PIXELS).contains(&pixels)
            }
            _ => false,
        }
    }
}

fn clean_bundle(bundle: Bundle) -> Bundle {
    let cleaned = bundle
        .into_iter()
        .map(|(mime, text)| if mime.starts_with("text/") { (mime, clean(&text)) } else { (mime, text) });
    cleaned.collect()
}

fn images(bundle: &Bundle) -> impl Iterator<Item = Image> {
    bundle
        .iter()
        .filter(|(mime, _)| mime.starts_with("image/") && *mime != "image/svg+xml")
        .filter_map(|(mime, text)| Some(Image { mime: mime.clone(), bytes: STANDARD.decode(text).ok()? }))
}
