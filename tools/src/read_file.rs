//! Reading text files of the workspace.

use std::io::Read as _;
use std::num::NonZeroUsize;
use std::path::Path;

use cap_std::fs::{Dir, File, OpenOptions};
use qianshou_agent::{Tool, ToolContext, ToolError, ToolOutput, ToolSpec};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::workspace::{fault, in_workspace, relative};

/// The largest file, in bytes.
const MAX_BYTES: u64 = 16 << 20;
/// The most characters of one reading: fewer than an agent shows by default, so that the end of what is
/// shown is at a line, with a note how to go on, and not in the middle.
const MAX_CHARACTERS: usize = 7000;

/// Reads a text file of the workspace.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct ReadFileArgs {
    /// The path in the workspace, for example data/sales.csv
    pub path: String,
    /// The first line to read, from 1
    pub first_line: Option<NonZeroUsize>,
    /// The last line to read
    pub last_line: Option<NonZeroUsize>,
}

/// Reads UTF-8 text, up to 16 MiB, of which it gives up to 7000 characters at a time and says how to go
/// on. It reads nothing outside the workspace of the run.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReadFile;

impl Tool for ReadFile {
    type Args = ReadFileArgs;

    fn spec(&self) -> ToolSpec {
        ToolSpec::new::<ReadFileArgs>("read_file")
    }

    async fn call(&self, args: ReadFileArgs, context: &ToolContext) -> Result<ToolOutput, ToolError> {
        in_workspace(context, move |root| {
            let path = relative(&args.path)?;
            let text = text(&args.path, bytes(root, path)?)?;
            window(&args.path, &text, args.first_line, args.last_line).map(Into::into)
        })
        .await
    }
}

fn bytes(root: &Dir, path: &Path) -> Result<Vec<u8>, ToolError> {
    let shown = path.display();
    let unreadable = |error| fault(root, path, error);
    let file = open(root, path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if metadata.is_dir() {
        return Err(ToolError::new(format!("`{shown}` is a folder; list_files shows what is in it")));
    }
    if !metadata.is_file() {
        return Err(ToolError::new(format!("`{shown}` is not a regular file")));
    }
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_BYTES {
        let length = metadata.len();
        return Err(ToolError::new(format!("`{shown}` has {length} bytes; up to {MAX_BYTES} can be read")));
    }
    Ok(bytes)
}

/// Opens without waiting for the other end of a pipe.
fn open(root: &Dir, path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use cap_std::fs::OpenOptionsExt as _;
        options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    }
    root.open_with(path, &options)
}

fn text(path: &str, bytes: Vec<u8>) -> Result<String, ToolError> {
    if let Some(kind) = binary_kind(&bytes) {
        return Err(ToolError::new(format!("`{path}` is {kind} of {} bytes, not text", bytes.len())));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let byte = error.as_bytes().get(at).copied().unwrap_or_default();
        ToolError::new(format!(
            "`{path}` is not UTF-8: byte {at} is 0x{byte:02X}; it may be text in another encoding, such as GBK"
        ))
    })?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// What a file is that is no text.
fn binary_kind(bytes: &[u8]) -> Option<&'static str> {
    const KINDS: [(&[u8], &str); 12] = [
        (b"\x89PNG", "a PNG image"),
        (b"\xff\xd8\xff", "a JPEG image"),
        (b"GIF8", "a GIF image"),
        (b"%PDF-", "a PDF document"),
        (b"PK\x03\x04", "a ZIP archive (or a document made of one, like .xlsx or .docx)"),
        (b"\x1f\x8b", "a gzip archive"),
        (b"SQLite format 3\0", "an SQLite database"),
        (b"PAR1", "a Parquet table"),
        (b"\x7fELF", "a program"),
        (b"\xff\xfe", "a text in UTF-16"),
        (b"\xfe\xff", "a text in UTF-16"),
        (b"GGUF", "a GGUF model"),
    ];
    let known = KINDS.iter().find(|(magic, _)| bytes.starts_with(magic)).map(|(_, kind)| *kind);
    known.or_else(|| bytes.contains(&0).then_some("a binary file"))
}

/// The lines from `first` to `last`, as many as fit, and a note about what is left out.
fn window(
    path: &str,
    text: &str,
    first: Option<NonZeroUsize>,
    last: Option<NonZeroUsize>,
) -> Result<String, ToolError> {
    let count = text.lines().count();
    if count == 0 {
        return Ok(format!("`{path}` is empty"));
    }
    let first = first.map_or(1, NonZeroUsize::get);
    let last = last.map_or(count, NonZeroUsize::get).min(count);
    if first > last {
        return Err(ToolError::invalid_arguments(format!(
            "there are no lines {first} to {last}: `{path}` has {count} lines"
        )));
    }
    let mut shown = String::new();
    let mut room = MAX_CHARACTERS;
    let mut next = first;
    for line in text.split_inclusive('\n').skip(first - 1).take(last - first + 1) {
        let length = line.chars().count();
        if length > room {
            break;
        }
        shown.push_str(line);
        room -= length;
        next += 1;
    }
    if next == first {
        let line = text.lines().nth(first - 1).unwrap_or_default();
        shown.extend(line.chars().take(MAX_CHARACTERS));
        let length = line.chars().count();
        shown.push_str(&format!("\n[line {first} of {count}, its first {MAX_CHARACTERS} of {length} characters]"));
    } else if next <= last {
        shown.push_str(&format!("[lines {first} to {} of {count}; go on with first_line {next}]", next - 1));
    } else if first > 1 || last < count {
        let separator = if shown.ends_with('\n') { "" } else { "\n" };
        shown.push_str(&format!("{separator}[lines {first} to {last} of {count}]"));
    }
    Ok(shown)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(text: &str, first: usize, last: usize) -> Result<String, String> {
        window("a.txt", text, NonZeroUsize::new(first), NonZeroUsize::new(last)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_window_says_what_it_leaves_out() {
        let text = "one\ntwo\nthree";
        assert_eq!(lines(text, 0, 0), Ok(text.to_owned()));
        assert_eq!(lines(text, 1, 3), Ok(text.to_owned()));
        assert_eq!(lines(text, 2, 2), Ok("two\n[lines 2 to 2 of 3]".to_owned()));
        assert_eq!(lines(text, 2, 99), Ok("two\nthree\n[lines 2 to 3 of 3]".to_owned()));
        assert_eq!(lines("", 0, 0), Ok("`a.txt` is empty".to_owned()));
        assert_eq!(lines(text, 4, 0), Err("there are no lines 4 to 3: `a.txt` has 3 lines".to_owned()));
        assert_eq!(lines(text, 3, 2), Err("there are no lines 3 to 2: `a.txt` has 3 lines".to_owned()));
    }

    #[test]
    fn a_long_line_is_cut() {
        let text = format!("short\n{}\n", "汉".repeat(MAX_CHARACTERS + 1));
        assert_eq!(lines(&text, 1, 0), Ok("short\n[lines 1 to 1 of 2; go on with first_line 2]".to_owned()));
        let expected = "汉".repeat(MAX_CHARACTERS) + "\n[line 2 of 2, its first 7000 of 7001 characters]";
        assert_eq!(lines(&text, 2, 0), Ok(expected));
    }

    #[test]
    fn what_is_no_text_is_named() {
        let told = |bytes: &[u8]| text("a", bytes.to_vec()).map_err(|error| error.to_string());
        assert_eq!(told(b"\x89PNG\r\n\x1a\n"), Err("`a` is a PNG image of 8 bytes, not text".to_owned()));
        assert_eq!(told(b"a\0b"), Err("`a` is a binary file of 3 bytes, not text".to_owned()));
        let latin = "`a` is not UTF-8: byte 3 is 0xE9; it may be text in another encoding, such as GBK";
        assert_eq!(told(b"caf\xe9"), Err(latin.to_owned()));
        assert_eq!(told("\u{feff}é".as_bytes()), Ok("é".to_owned()));
        assert_eq!(told(b""), Ok(String::new()));
    }

    proptest! {
        /// Following the notes gives every line once.
        #[test]
        fn going_on_reads_everything(lengths in prop::collection::vec(0_usize..3000, 1..20)) {
            let text: String = lengths.iter().map(|&length| "x".repeat(length) + "\n").collect();
            let (mut read, mut next) = (String::new(), 1);
            while next > 0 {
                let shown = lines(&text, next, 0).unwrap_or_default();
                prop_assert!(shown.chars().count() < MAX_CHARACTERS + 100);
                let (part, note) = shown.split_once('[').unwrap_or((&shown, ""));
                read.push_str(part);
                let following = note.rsplit(' ').next().and_then(|number| number.strip_suffix(']'));
                next = if note.contains("go on") { following.and_then(|it| it.parse().ok()).unwrap_or(0) } else { 0 };
            }
            prop_assert_eq!(read, text);
        }
    }
}
