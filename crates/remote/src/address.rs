//! Where a server is.

use std::net::IpAddr;

use reqwest::Url;

use crate::{Flavour, RemoteError};

/// What the protocol adds to the URL of an API.
const CHAT_COMPLETIONS: &str = "/chat/completions";

/// A URL that has been checked.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    url: Url,
    host: String,
}

impl Address {
    pub(crate) fn parse(text: &str) -> Result<Self, RemoteError> {
        let wrong = |problem: &str| RemoteError::Url { url: text.to_owned(), problem: problem.to_owned() };
        let mut url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
        let Some(host) = url.host_str().map(str::to_owned) else {
            return Err(wrong("it has no host"));
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(RemoteError::Credentials { host });
        }
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong("it has to begin with http:// or https://"));
        }
        let path = match url.path().trim_end_matches('/') {
            "" => format!("/v1{CHAT_COMPLETIONS}"),
            whole if whole.ends_with(CHAT_COMPLETIONS) => whole.to_owned(),
            api => format!("{api}{CHAT_COMPLETIONS}"),
        };
        url.set_path(&path);
        url.set_fragment(None);
        Ok(Self { url, host })
    }

    /// The URL of the chat completions.
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Host and port, for people.
    pub(crate) fn name(&self) -> String {
        match self.url.port() {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.clone(),
        }
    }

    /// The flavour that the host is known for.
    pub(crate) fn flavour(&self) -> Flavour {
        Flavour::of_host(&self.host)
    }

    pub(crate) fn is_encrypted(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Whether the server is on this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        let host = self.host.trim_matches(['[', ']']);
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}
