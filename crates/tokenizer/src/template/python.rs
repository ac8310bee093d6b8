//! Jinja as the templates of checkpoints expect it: that of `transformers`, with Python's methods.

use std::{fmt, io};

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Kwargs;
use minijinja::{Environment, Error, ErrorKind, Output, State, Value, escape_formatter};
use serde::Serialize as _;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

/// Bytes that one value may have as text. A list that repeats itself takes no memory before it is written, and fuel
/// is charged for it only afterwards.
const LONGEST: usize = 16 << 20;
const TOO_LONG: &str = "a value has more than 16 MiB as text";

/// An environment without templates.
pub(super) fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    if let Ok(syntax) = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build() {
        environment.set_syntax(syntax);
    }
    environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    environment.add_function("raise_exception", raise_exception);
    environment.add_filter("tojson", to_json);
    environment.set_formatter(format);
    environment
}

fn raise_exception(message: String) -> Result<Value, Error> {
    Err(Error::new(ErrorKind::InvalidOperation, message))
}

/// Writes a value as always, unless it is too long.
fn format(output: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    if value.as_object().is_some() && fmt::write(&mut Bounded::default(), format_args!("{value}")).is_err() {
        return Err(Error::new(ErrorKind::InvalidOperation, TOO_LONG));
    }
    escape_formatter(output, state, value)
}

/// `tojson` of `transformers`: Python's `json.dumps` with `ensure_ascii=False`, and nothing escaped for HTML.
fn to_json(value: &Value, options: Kwargs) -> Result<Value, Error> {
    let indent: Option<usize> = options.get("indent")?;
    let ascii: Option<bool> = options.get("ensure_ascii")?;
    options.assert_all_used()?;
    if ascii == Some(true) {
        return Err(Error::new(ErrorKind::InvalidOperation, "`tojson` with `ensure_ascii` is not supported"));
    }
    let json = match indent {
        Some(indent) => write(value, PrettyFormatter::with_indent(" ".repeat(indent.min(64)).as_bytes())),
        None => write(value, OneLine),
    };
    json.map(Value::from).map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))
}

fn write(value: &Value, formatter: impl Formatter) -> Result<String, String> {
    let mut json = Bounded::default();
    value.serialize(&mut Serializer::with_formatter(&mut json, formatter)).map_err(|error| error.to_string())?;
    String::from_utf8(json.0).map_err(|error| error.to_string())
}

/// Text that must not grow beyond [`LONGEST`].
#[derive(Default)]
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() > LONGEST - self.0.len() {
            return Err(io::Error::other(TOO_LONG));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        io::Write::write_all(self, text.as_bytes()).map_err(|_| fmt::Error)
    }
}

/// One line, with a space behind each comma and colon, as Python writes it.
struct OneLine;

impl Formatter for OneLine {
    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}
