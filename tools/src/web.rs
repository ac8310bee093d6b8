//! Requests over HTTP that a model may cause: to allowed hosts, on the public internet unless the
//! program says otherwise, for a limited time and up to a limited size.
//!
//! Proxies from the environment are not used: a proxy resolves names by itself, so that nobody could
//! check where a request ends.

mod address;
mod content;
mod hosts;
mod rules;

use std::error::Error;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use qianshou_agent::ToolError;
use reqwest::redirect::{Action, Attempt, Policy};
use reqwest::{Client, Request, Response, Url, header};

use crate::blocking::blocking;
pub use hosts::HostError;
pub(crate) use hosts::Hosts;
use rules::{Refusal, Resolver, Rules};

/// How often a request is led elsewhere.
const MAX_REDIRECTS: usize = 5;
/// How many characters of the body of an error are told.
const ERROR_CHARACTERS: usize = 500;

/// A way into the web, with its rules and limits.
#[derive(Clone, Debug)]
pub(crate) struct Web {
    rules: Rules,
    timeout: Duration,
    max_bytes: usize,
    /// Made for the first request, because that may fail and reads the system's certificates.
    client: OnceLock<Client>,
}

/// What a server sent.
pub(crate) struct Answer {
    pub(crate) body: Vec<u8>,
    content_type: Option<String>,
    /// Whether there is more than the limit.
    cut: bool,
}

impl Web {
    pub(crate) fn new(hosts: Hosts) -> Self {
        Self {
            rules: Rules { hosts, private_addresses: false },
            timeout: Duration::from_secs(20),
            max_bytes: 1 << 20,
            client: OnceLock::new(),
        }
    }

    pub(crate) fn hosts(&self) -> &Hosts {
        &self.rules.hosts
    }

    pub(crate) fn permit_private_addresses(self) -> Self {
        Self { rules: Rules { private_addresses: true, ..self.rules }, client: OnceLock::new(), ..self }
    }

    pub(crate) fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, client: OnceLock::new(), ..self }
    }

    pub(crate) fn max_bytes(self, max_bytes: usize) -> Self {
        Self { max_bytes, ..self }
    }

    /// Sends the request and reads a successful answer, the beginning of it if it is long.
    pub(crate) async fn send(&self, request: Request) -> Result<Answer, ToolError> {
        let host = request.url().host_str().unwrap_or_default().to_owned();
        self.rules.check(request.url()).map_err(|refusal| ToolError::new(refusal.to_string()))?;
        let response = self.client()?.execute(request).await.map_err(|error| self.fault(&host, error))?;
        let status = response.status();
        let answer = self.read(response).await.map_err(|error| self.fault(&host, error))?;
        if status.is_success() {
            return Ok(answer);
        }
        let mut told = format!("`{host}` answers {status}");
        // Services say in the body what they miss.
        if let Ok(text) = answer.text().await
            && !text.trim().is_empty()
        {
            told.push_str(": ");
            told.extend(text.trim().chars().take(ERROR_CHARACTERS));
        }
        Err(ToolError::new(told))
    }

    async fn read(&self, mut response: Response) -> reqwest::Result<Answer> {
        let content_type = response.headers().get(header::CONTENT_TYPE);
        let content_type = content_type.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let mut body = Vec::new();
        while body.len() <= self.max_bytes
            && let Some(chunk) = response.chunk().await?
        {
            body.extend_from_slice(&chunk);
        }
        let cut = body.len() > self.max_bytes;
        body.truncate(self.max_bytes);
        Ok(Answer { body, content_type, cut })
    }

    fn client(&self) -> Result<&Client, ToolError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        // rustls takes its cryptography from a process-wide setting. Whoever came first keeps it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let rules = Arc::new(self.rules.clone());
        let client = Client::builder()
            .user_agent(concat!("qianshou/", env!("CARGO_PKG_VERSION")))
            .timeout(self.timeout)
            .no_proxy()
            .dns_resolver(Resolver(Arc::clone(&rules)))
            .redirect(Policy::custom(move |attempt| redirect(&rules, attempt)))
            .build()
            .map_err(|error| ToolError::new("HTTP cannot be used on this machine").with_source(error))?;
        Ok(self.client.get_or_init(|| client))
    }

    /// What to tell about a request that failed. The address stays out of it, since it may hold a key.
    fn fault(&self, host: &str, error: reqwest::Error) -> ToolError {
        let error = error.without_url();
        let mut cause: Option<&(dyn Error + 'static)> = Some(&error);
        while let Some(inner) = cause {
            if let Some(refusal) = inner.downcast_ref::<Refusal>() {
                return ToolError::new(match refusal {
                    refusal @ Refusal::Address { host: refused } if refused == host => refusal.to_string(),
                    refusal => format!("`{host}` leads elsewhere: {refusal}"),
                });
            }
            cause = inner.source();
        }
        let told = if error.is_timeout() {
            format!("`{host}` did not answer within {} s", self.timeout.as_secs_f64())
        } else if error.is_connect() {
            format!("`{host}` cannot be reached")
        } else {
            format!("the answer of `{host}` cannot be read")
        };
        ToolError::new(told).with_source(error)
    }
}

fn redirect(rules: &Rules, attempt: Attempt<'_>) -> Action {
    let Some(from) = attempt.previous().last().filter(|_| attempt.previous().len() <= MAX_REDIRECTS) else {
        return attempt.error(Refusal::Redirects { limit: MAX_REDIRECTS });
    };
    match rules.check_redirect(from, attempt.url()) {
        Ok(()) => attempt.follow(),
        Err(refusal) => attempt.error(refusal),
    }
}

impl Answer {
    /// What the model reads.
    pub(crate) async fn text(self) -> Result<String, ToolError> {
        let Self { body, content_type, cut } = self;
        // Long pages take a moment.
        blocking(move || {
            let mut text = content::text(content_type.as_deref(), &body)?;
            if cut {
                text.push_str(&format!("\n[this is the text of the first {} bytes; there are more]", body.len()));
            }
            Ok(text)
        })
        .await
    }
}

/// The address that a model wrote.
pub(crate) fn url(written: &str) -> Result<Url, ToolError> {
    Url::parse(written.trim()).map_err(|error| {
        ToolError::invalid_arguments(format!(
            "`{written}` is not an address ({error}); write it whole, such as https://example.org/page"
        ))
    })
}
