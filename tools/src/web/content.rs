//! From what a server sends to what a model reads.

use std::io::{ErrorKind, Read};
use std::time::{Duration, Instant};

use encoding_rs::{Encoding, UTF_8};
use html2text::Handle;
use qianshou_agent::ToolError;

/// How wide pages are set, and how narrow what is indented may become, in columns.
const WIDTH: usize = 120;
const MIN_WIDTH: usize = 20;
/// How deep the elements of a page may be nested.
const MAX_DEPTH: usize = 256;
/// How long a page may be parsed.
const PATIENCE: Duration = Duration::from_secs(10);
/// In how many bytes at its beginning a page declares its encoding.
const DECLARATION: usize = 1024;

/// The text of a body: pages as their text with links below, other text as it is.
///
/// # Errors
/// When the body is no text.
pub(crate) fn text(content_type: Option<&str>, body: &[u8]) -> Result<String, ToolError> {
    let (kind, charset) = match content_type {
        Some(content_type) => (media_type(content_type), parameter(content_type, "charset")),
        None => (guessed(body)?, None),
    };
    match kind.as_str() {
        "text/html" | "application/xhtml+xml" => page(&decoded(charset.or_else(|| declared(body)), body)),
        kind if is_text(kind) => Ok(decoded(charset, body)),
        kind => Err(ToolError::new(format!("the answer is `{kind}` of {} bytes, not text", body.len()))),
    }
}

fn media_type(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn is_text(kind: &str) -> bool {
    const TEXTS: [&str; 8] = ["json", "xml", "yaml", "x-yaml", "toml", "javascript", "x-ndjson", "jsonl"];
    let of_application = kind.strip_prefix("application/");
    kind.starts_with("text/")
        || of_application.is_some_and(|kind| TEXTS.contains(&kind) || kind.ends_with("+json") || kind.ends_with("+xml"))
}

/// The type of a body that comes without one.
fn guessed(body: &[u8]) -> Result<String, ToolError> {
    match std::str::from_utf8(body) {
        Ok(text) if text.trim_start().starts_with("<!") || text.trim_start().starts_with("<html") => {
            Ok("text/html".to_owned())
        }
        Ok(_) => Ok("text/plain".to_owned()),
        Err(_) => Err(ToolError::new(format!("the answer is of no type, {} bytes, and not text", body.len()))),
    }
}

fn parameter(content_type: &str, name: &str) -> Option<String> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (key, value) = parameter.split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"').to_owned())
    })
}

/// The encoding that a page declares in a `meta` element, in either of the two ways.
fn declared(body: &[u8]) -> Option<String> {
    let beginning = String::from_utf8_lossy(body.get(..DECLARATION).unwrap_or(body)).to_ascii_lowercase();
    let (_, after) = beginning.split_once("charset=")?;
    let label = after.trim_start_matches(['"', '\'']);
    Some(label.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_').next()?.to_owned())
}

/// A byte order mark counts more than what is declared; what is declared and unknown counts as UTF-8.
fn decoded(charset: Option<String>, body: &[u8]) -> String {
    let encoding = charset.and_then(|label| Encoding::for_label(label.as_bytes())).unwrap_or(UTF_8);
    encoding.decode(body).0.into_owned()
}

fn page(html: &str) -> Result<String, ToolError> {
    let failed = |error| ToolError::new("the page cannot be turned into text").with_source(error);
    let config = html2text::config::plain().link_footnotes(true).no_table_borders().min_wrap_width(MIN_WIDTH);
    let page = Patient { rest: html.as_bytes(), deadline: Instant::now() + PATIENCE };
    let tree = config.parse_html(page).map_err(failed)?;
    if is_deep(&tree.document) {
        return Err(ToolError::new(format!("the page is nested more than {MAX_DEPTH} levels deep")));
    }
    let rendered = config.dom_to_render_tree(&tree).and_then(|tree| config.render_to_string(tree, WIDTH));
    rendered.map_err(failed)
}

/// Whether there are elements below more than [`MAX_DEPTH`] others.
fn is_deep(document: &Handle) -> bool {
    let mut level = vec![document.clone()];
    for _ in 0..=MAX_DEPTH {
        level = level.iter().flat_map(|node| node.children.borrow().clone()).collect();
    }
    !level.is_empty()
}

/// A page that is read for a limited time, because the parser takes the square of it for some.
struct Patient<'a> {
    rest: &'a [u8],
    deadline: Instant,
}

impl Read for Patient<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if Instant::now() < self.deadline { self.rest.read(buffer) } else { Err(ErrorKind::TimedOut.into()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(content_type: &str, body: &[u8]) -> String {
        text(Some(content_type).filter(|it| !it.is_empty()), body).unwrap_or_else(|error| format!("error: {error}"))
    }

    #[test]
    fn pages_become_text() {
        let html = b"<!doctype html><title>T</title><style>p{}</style><script>x()</script><h1>Head</h1>
            <p>See <a href=\"/a\">there</a>.</p><table><tr><td>1<td>2<tr><td>3<td>4</table>";
        let expected = "# Head\n\nSee [there][1].\n\n1 2\n3 4\n\n[1]: /a\n";
        assert_eq!(told("text/html; charset=utf-8", html), expected);
        assert_eq!(told("application/xhtml+xml", html), expected);
        assert_eq!(told("", html), expected);
    }

    #[test]
    fn other_text_stays_as_it_is() {
        let json = br#"{"a": "<b>1</b>"}"#;
        for kind in ["application/json", "application/problem+json", "Text/Plain", "text/csv; header=present", ""] {
            assert_eq!(told(kind, json), r#"{"a": "<b>1</b>"}"#, "{kind}");
        }
    }

    #[test]
    fn encodings_are_those_of_header_mark_or_page() {
        assert_eq!(told("text/plain; charset=gbk", b"\xc4\xe3\xba\xc3"), "你好");
        assert_eq!(told("text/html", b"<meta charset=\"GB2312\"><p>\xc4\xe3\xba\xc3"), "你好\n");
        let older = b"<meta http-equiv=content-type content='text/html; charset=iso-8859-1'><p>\xe9";
        assert_eq!(told("text/html", older), "é\n");
        assert_eq!(told("text/plain; charset=latin1", b"\xef\xbb\xbf\xc3\xa9"), "é");
        assert_eq!(told("text/plain; charset=klingon", "é".as_bytes()), "é");
        assert_eq!(told("text/plain", b"a\xff"), "a\u{fffd}");
    }

    #[test]
    fn what_is_no_text_is_named() {
        assert_eq!(told("image/png", b"12345"), "error: the answer is `image/png` of 5 bytes, not text");
        assert_eq!(told("", b"\xff\xfe\0"), "error: the answer is of no type, 3 bytes, and not text");
    }

    /// Deeper pages cost time that grows with the square of their depth.
    #[test]
    fn deep_and_narrow_pages_are_refused() {
        let deep = told("text/html", "<div>".repeat(1000).as_bytes());
        assert_eq!(deep, "error: the page is nested more than 256 levels deep");
        let narrow = told("text/html", ("<blockquote>".repeat(100) + "text").as_bytes());
        assert_eq!(narrow, "error: the page cannot be turned into text");
        let lists = told("text/html", ("<ul><li>".repeat(20) + "text").as_bytes());
        assert!(lists.ends_with("* text\n"), "{lists}");
    }

    #[test]
    fn a_page_that_takes_too_long_is_given_up() {
        let mut page = Patient { rest: b"<p>", deadline: Instant::now() };
        assert_eq!(page.read(&mut [0; 9]).map_err(|error| error.kind()), Err(ErrorKind::TimedOut));
        page.deadline += Duration::from_secs(60);
        assert_eq!(page.read(&mut [0; 9]).ok(), Some(3));
    }
}
