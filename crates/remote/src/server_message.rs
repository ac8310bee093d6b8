//! What servers say when they refuse, in the forms that are in use.

use qianshou_chat::ChatErrorKind;
use serde_json::Value;

use crate::failure::Fault;
use crate::key::Key;

/// How many characters of it are shown.
const SHOWN: usize = 300;

/// The message of a server.
#[derive(Debug)]
pub(crate) struct ServerMessage {
    /// One line, without the key.
    pub(crate) text: String,
    /// Its name for the error, such as `context_length_exceeded`.
    code: Option<String>,
    /// The status that stands in the body; an error in the middle of a reply has no other.
    status: Option<u16>,
}

/// The message in the body of an error, or the body itself where it has another form.
pub(crate) fn of_body(body: &[u8], key: Option<&Key>) -> ServerMessage {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    // `{"error": {"message": …}}` of OpenAI, `{"message": …}` of older vLLM and of gateways, `{"detail": …}`
    // of FastAPI, `{"error": "…"}` of Ollama.
    let error = value.get("error").filter(|error| error.is_object()).unwrap_or(&value);
    // JSON of another form is written anew: the key would be missed in another spelling (`\/`).
    let whole = Some(&value).filter(|value| !value.is_null());
    let text = match ["message", "detail", "error"].iter().find_map(|field| error.get(*field)).or(whole) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::from_utf8_lossy(body).into_owned(),
    };
    let name = |field: &str| error.get(field).and_then(Value::as_str);
    let status = error.get("code").and_then(Value::as_u64).and_then(|code| code.try_into().ok());
    ServerMessage { text: shown(&text, key), code: name("code").or_else(|| name("type")).map(str::to_owned), status }
}

/// A text that a server wrote, or that repeats what it wrote: one line, without the key.
pub(crate) fn shown(text: &str, key: Option<&Key>) -> String {
    match key {
        Some(key) => one_line(&key.redact(text)),
        None => one_line(text),
    }
}

impl ServerMessage {
    /// What it means for the request.
    pub(crate) fn fault(&self, status: Option<u16>) -> Fault {
        let status = status.or(self.status);
        let fault = |kind| Fault { status, ..Fault::new(kind, self.text.clone()) };
        let code = self.code.as_deref().unwrap_or_default();
        match status {
            Some(400 | 413 | 422) | None if self.is_about_context(code) => {
                fault(ChatErrorKind::ContextExceeded).with_hint("shorten the question or use fewer tools")
            }
            Some(429) if code == "insufficient_quota" => {
                fault(ChatErrorKind::Denied).with_hint("the quota of the account is used up")
            }
            Some(401..=403) => fault(ChatErrorKind::Denied),
            Some(404) => fault(ChatErrorKind::InvalidRequest)
                .with_hint("check the name of the model, and the path of the URL, which often ends in /v1"),
            Some(408 | 425 | 429) => fault(ChatErrorKind::Unavailable).retryable().with_hint("try again later"),
            Some(501 | 505) => fault(ChatErrorKind::Failed),
            Some(500..) => fault(ChatErrorKind::Unavailable).retryable().with_hint("try again later"),
            Some(_) => fault(ChatErrorKind::InvalidRequest),
            None => fault(ChatErrorKind::Failed).retryable(),
        }
    }

    fn is_about_context(&self, code: &str) -> bool {
        let text = self.text.to_lowercase();
        let words = ["context length", "context window", "context size", "input length should be"];
        code.contains("context_length")
            || code.contains("context_size")
            || words.iter().any(|words| text.contains(words))
    }
}

/// A text in one line, cut to what is shown.
fn one_line(text: &str) -> String {
    let line = text.split(|character: char| character.is_whitespace() || character.is_control());
    let line = line.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None if line.is_empty() => "nothing is said about it".to_owned(),
        None => line,
    }
}
