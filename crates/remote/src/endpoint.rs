//! One server: where it is, and how it is asked.

use std::time::{Duration, SystemTime};

use qianshou_chat::ChatErrorKind;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Proxy, Response, StatusCode};

use crate::address::Address;
use crate::builder::{ProxyChoice, Timeouts};
use crate::failure::{Fault, root_cause};
use crate::key::{Key, KeySource};
use crate::{Flavour, RemoteError, retry, server_message};

/// How much of an error's body is read.
const ERROR_BODY: usize = 64 * 1024;

/// A server that has the model.
#[derive(Debug)]
pub(crate) struct Endpoint {
    address: Address,
    /// Host and port.
    name: String,
    key: Option<Key>,
    /// What helps where the server refuses the key.
    key_hint: String,
    client: Client,
}

impl Endpoint {
    pub(crate) fn new(
        url: &str,
        key: &KeySource,
        proxy: &ProxyChoice,
        timeouts: &Timeouts,
    ) -> Result<Self, RemoteError> {
        let address = Address::parse(url)?;
        let found = key.key(&address)?;
        let key_hint = match (&found, key.variables(&address).first()) {
            (Some(key), _) => format!("check the key in the environment variable {}", key.variable()),
            (None, Some(variable)) => format!("put a key into the environment variable {variable}"),
            (None, None) => "the model is set up to be asked without a key".to_owned(),
        };
        let client = client(&address, proxy, timeouts)?;
        Ok(Self { name: address.name(), key: found, key_hint, client, address })
    }

    /// Host and port.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn flavour(&self) -> Flavour {
        self.address.flavour()
    }

    /// Asks for a reply, of which the head has come.
    pub(crate) async fn post(&self, body: Vec<u8>) -> Result<Response, Fault> {
        let mut request = self
            .client
            .post(self.address.url().clone())
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "text/event-stream")
            .body(body);
        if let Some(header) = self.key.as_ref().and_then(Key::header) {
            request = request.header(AUTHORIZATION, header);
        }
        let response = request.send().await.map_err(|error| unsent(&error))?;
        match response.status() {
            status if status.is_redirection() => Err(redirected(status, &response)),
            status if !status.is_success() => Err(self.refused(status, response).await),
            _ => Ok(response),
        }
    }

    /// What is said in the body of an error.
    async fn message(&self, mut response: Response) -> server_message::ServerMessage {
        let mut body = Vec::new();
        while body.len() < ERROR_BODY {
            match response.chunk().await {
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                // What has come says more than how it ended.
                Ok(None) | Err(_) => break,
            }
        }
        body.truncate(ERROR_BODY);
        server_message::of_body(&body, self.key.as_ref())
    }

    /// What the server says in place of a piece of a reply.
    pub(crate) fn said(&self, event: &str) -> server_message::ServerMessage {
        server_message::of_body(event.as_bytes(), self.key.as_ref())
    }

    /// What the server wrote, as it is shown.
    pub(crate) fn shown(&self, text: &str) -> String {
        server_message::shown(text, self.key.as_ref())
    }

    async fn refused(&self, status: StatusCode, response: Response) -> Fault {
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = retry_after.and_then(|value| retry::retry_after(value, SystemTime::now()));
        let message = self.message(response).await;
        let mut fault = message.fault(Some(status.as_u16()));
        fault.message = format!("answered {status}: {}", message.text);
        fault.retry_after = retry_after;
        if fault.kind == ChatErrorKind::Denied {
            fault.hint.get_or_insert_with(|| self.key_hint.clone());
        }
        fault
    }
}

fn client(address: &Address, proxy: &ProxyChoice, timeouts: &Timeouts) -> Result<Client, RemoteError> {
    // rustls takes its cryptography from a process-wide setting. Whoever came first keeps it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut client = builder(address, proxy, timeouts)?.build();
    if client.is_err() && !address.is_encrypted() {
        // The machine may have no certificates, which nothing but a proxy behind TLS would need here.
        client = builder(address, proxy, timeouts)?.tls_certs_only([]).build();
    }
    client.map_err(|error| RemoteError::Client { problem: root_cause(&error.without_url()) })
}

fn builder(address: &Address, proxy: &ProxyChoice, timeouts: &Timeouts) -> Result<ClientBuilder, RemoteError> {
    // A redirection could lead the key and the conversation to another host.
    let mut builder =
        Client::builder().redirect(Policy::none()).user_agent(concat!("qianshou/", env!("CARGO_PKG_VERSION")));
    for (timeout, set) in [
        (timeouts.connect, ClientBuilder::connect_timeout as fn(_, Duration) -> _),
        (timeouts.read, ClientBuilder::read_timeout),
        (timeouts.total, ClientBuilder::timeout),
    ] {
        if let Some(timeout) = timeout {
            builder = set(builder, timeout);
        }
    }
    if address.is_loopback() && !address.is_encrypted() {
        // Reading the platform's certificates takes time.
        builder = builder.tls_certs_only([]);
    }
    Ok(match proxy {
        // The loopback of a proxy is another machine's.
        _ if address.is_loopback() => builder.no_proxy(),
        ProxyChoice::Environment => builder,
        ProxyChoice::None => builder.no_proxy(),
        ProxyChoice::Url(url) => {
            let unusable = |error: reqwest::Error| RemoteError::Proxy { problem: root_cause(&error.without_url()) };
            builder.proxy(Proxy::all(url).map_err(unusable)?)
        }
    })
}

/// A request that was not answered.
fn unsent(error: &reqwest::Error) -> Fault {
    let cause = root_cause(error);
    if error.is_timeout() {
        return Fault::timeout(error.is_connect());
    }
    if error.is_builder() {
        return Fault::new(ChatErrorKind::InvalidRequest, format!("cannot be asked: {cause}"));
    }
    let fault = Fault::new(ChatErrorKind::Unavailable, format!("cannot be reached: {cause}"));
    fault.retryable().with_hint("check that the server is running, and its URL")
}

fn redirected(status: StatusCode, response: &Response) -> Fault {
    let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let target = location.and_then(|location| response.url().join(location).ok());
    let target = target.map_or_else(|| "elsewhere".to_owned(), |url| url.origin().ascii_serialization());
    let message = format!("answered {status} and sends the request on to {target}, which is not followed");
    Fault { status: Some(status.as_u16()), ..Fault::new(ChatErrorKind::InvalidRequest, message) }
        .with_hint("name the server by its final URL")
}
