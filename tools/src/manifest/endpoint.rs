//! From a call to a request.

use std::collections::BTreeMap;

use qianshou_agent::ToolError;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Request, Url};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::ManifestFault;
use super::template::Template;

/// An endpoint as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with a `url`")]
pub(super) struct EndpointFields {
    #[serde(default)]
    method: Verb,
    url: String,
    send: Option<Send>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) allow_private_addresses: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Verb {
    #[default]
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

/// How the arguments go that have no place in the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Send {
    Query,
    Json,
}

/// How a service is called.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    method: Method,
    template: Template,
    send: Send,
    headers: HeaderMap,
}

impl Endpoint {
    /// The endpoint of a tool whose arguments have this JSON schema.
    pub(super) fn new(fields: EndpointFields, schema: &Value) -> Result<Self, ManifestFault> {
        let of_url = |problem: String| ManifestFault::of("endpoint.url", problem);
        let template = Template::parse(&fields.url).map_err(of_url)?;
        for name in template.names() {
            let required = schema.get("required").and_then(Value::as_array);
            if !required.is_some_and(|required| required.iter().any(|required| required == name)) {
                return Err(of_url(format!("`{{{name}}}` is not the name of a required parameter")));
            }
        }
        let (method, usual) = match fields.method {
            Verb::Get => (Method::GET, Send::Query),
            Verb::Delete => (Method::DELETE, Send::Query),
            Verb::Post => (Method::POST, Send::Json),
            Verb::Put => (Method::PUT, Send::Json),
            Verb::Patch => (Method::PATCH, Send::Json),
        };
        let send = fields.send.unwrap_or(usual);
        if fields.method == Verb::Get && send == Send::Json {
            return Err(ManifestFault::of("endpoint.send", "a GET has no body; its arguments go as `query`"));
        }
        let mut headers = HeaderMap::new();
        for (name, value) in &fields.headers {
            let (name, value) = header(name, value)
                .map_err(|problem| ManifestFault::of(format!("endpoint.headers.{name}"), problem))?;
            headers.insert(name, value);
        }
        Ok(Self { method, template, send, headers })
    }

    /// An address of the service.
    pub(super) fn address(&self) -> &Url {
        self.template.example()
    }

    /// The request of a call.
    pub(super) fn request(&self, mut arguments: Map<String, Value>) -> Result<Request, ToolError> {
        let url = self.template.fill(|name| arguments.get(name).and_then(plain));
        let mut url = url.ok_or_else(|| {
            let names: Vec<_> = self.template.names().map(|name| format!("`{name}`")).collect();
            ToolError::invalid_arguments(format!("{} cannot be a part of an address", names.join(" or ")))
        })?;
        arguments.retain(|name, _| !self.template.names().any(|placed| placed == name));
        let mut headers = self.headers.clone();
        let mut body = None;
        match self.send {
            Send::Query if arguments.values().all(Value::is_null) => {}
            Send::Query => {
                let values = |(name, value): (&String, &Value)| {
                    let each = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice).iter();
                    each.filter_map(plain).map(|value| (name.clone(), value)).collect::<Vec<_>>()
                };
                url.query_pairs_mut().extend_pairs(arguments.iter().flat_map(values));
            }
            Send::Json => {
                headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
                body = Some(Value::Object(arguments).to_string());
            }
        }
        let mut request = Request::new(self.method.clone(), url);
        *request.headers_mut() = headers;
        *request.body_mut() = body.map(Into::into);
        Ok(request)
    }
}

/// A value as it stands in an address; nothing for one that is left out.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// A header with the environment's variables filled in.
fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), String> {
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| "this is not the name of a header".to_owned())?;
    let mut filled = String::new();
    let mut rest = value;
    while let Some((text, after)) = rest.split_once("${") {
        let (variable, after) = after.split_once('}').ok_or("a `${` is never closed")?;
        let content = std::env::var(variable);
        filled.push_str(text);
        filled.push_str(&content.map_err(|_| format!("the environment variable {variable} is not set"))?);
        rest = after;
    }
    filled.push_str(rest);
    let mut value = HeaderValue::from_str(&filled).map_err(|_| "this cannot be the value of a header".to_owned())?;
    // It may hold a key, which has no place in logs.
    value.set_sensitive(true);
    Ok((name, value))
}
