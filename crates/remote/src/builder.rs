//! Setting up a remote model.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use qianshou_chat::ModelInfo;

use crate::endpoint::Endpoint;
use crate::key::KeySource;
use crate::model::Settings;
use crate::pool::Pool;
use crate::{Flavour, RemoteError, RemoteModel, Retries};

/// How long a server may take. `None` is as long as it likes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Until the connection stands; 10 seconds.
    pub connect: Option<Duration>,
    /// Without a byte, also before the first one; 5 minutes, since a long prompt may take that.
    pub read: Option<Duration>,
    /// From the connection to the end of the reply; 30 minutes.
    pub total: Option<Duration>,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Some(Duration::from_secs(10)),
            read: Some(Duration::from_secs(5 * 60)),
            total: Some(Duration::from_secs(30 * 60)),
        }
    }
}

/// Which proxy is used.
#[derive(Clone, Default)]
pub(crate) enum ProxyChoice {
    /// What `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` say.
    #[default]
    Environment,
    None,
    Url(String),
}

impl fmt::Debug for ProxyChoice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Environment => "Environment",
            Self::None => "None",
            // It may hold a password.
            Self::Url(_) => "Url(…)",
        })
    }
}

/// Sets up a [`RemoteModel`].
///
/// ```
/// use std::time::Duration;
///
/// use qianshou_chat::ChatModel as _;
/// use qianshou_remote::{Flavour, RemoteModel, Retries, Timeouts};
///
/// let model = RemoteModel::builder("Qwen/Qwen2.5-7B-Instruct")
///     .endpoint("http://localhost:8000/v1")
///     .endpoint("http://localhost:8001/v1")
///     .flavour(Flavour::Vllm)
///     .context_window(32_768)
///     .timeouts(Timeouts { read: Some(Duration::from_secs(60)), ..Timeouts::default() })
///     .retries(Retries { attempts: 3, ..Retries::default() })
///     .build()?;
/// assert!(model.info().capabilities.continue_last);
/// # Ok::<(), qianshou_remote::RemoteError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct RemoteBuilder {
    name: String,
    urls: Vec<String>,
    flavour: Option<Flavour>,
    context_window: Option<usize>,
    key: KeySource,
    proxy: ProxyChoice,
    timeouts: Timeouts,
    retries: Retries,
    image_bytes: usize,
    reply_bytes: usize,
}

impl RemoteBuilder {
    pub(crate) fn new(name: String) -> Self {
        Self {
            name,
            urls: Vec::new(),
            flavour: None,
            context_window: None,
            key: KeySource::default(),
            proxy: ProxyChoice::default(),
            timeouts: Timeouts::default(),
            retries: Retries::default(),
            image_bytes: 20 * 1024 * 1024,
            reply_bytes: 64 * 1024 * 1024,
        }
    }

    /// Adds a server that has the model: the URL of its API, to which `/chat/completions` is added. A URL
    /// without a path stands for `/v1`.
    ///
    /// Of several servers each request goes to the one with the fewest requests of this model in flight.
    /// One that fails is set aside for 30 seconds, then for twice as long each time, at most 5 minutes, and
    /// comes back with one request.
    pub fn endpoint(mut self, url: impl AsRef<str>) -> Self {
        self.urls.push(url.as_ref().to_owned());
        self
    }

    /// The kind of the servers. Without it, it is the one that the host of the first server is known for.
    pub fn flavour(mut self, flavour: Flavour) -> Self {
        self.flavour = Some(flavour);
        self
    }

    /// The longest prompt plus reply, in tokens, which servers do not tell.
    pub fn context_window(mut self, tokens: usize) -> Self {
        self.context_window = Some(tokens);
        self
    }

    /// Takes the key from this environment variable, which has to be set. Without it, the key is in
    /// `QIANSHOU_API_KEY`, or else in the variable that is custom for the host (`OPENAI_API_KEY` for
    /// OpenAI, `DASHSCOPE_API_KEY` for DashScope). A variable that is empty counts as not set.
    pub fn key_variable(mut self, variable: impl Into<String>) -> Self {
        self.key = KeySource::Variable(variable.into());
        self
    }

    /// Sends no key, whatever the environment holds.
    pub fn no_key(mut self) -> Self {
        self.key = KeySource::None;
        self
    }

    /// Goes through this HTTP proxy instead of the environment's. A server on this machine's loopback is
    /// always asked directly.
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = ProxyChoice::Url(url.into());
        self
    }

    /// Goes through no proxy, whatever the environment says.
    pub fn no_proxy(mut self) -> Self {
        self.proxy = ProxyChoice::None;
        self
    }

    /// How long a server may take.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// How often a request is tried again.
    pub fn retries(mut self, retries: Retries) -> Self {
        self.retries = retries;
        self
    }

    /// How many bytes all images of a request may have together; 20 MiB.
    pub fn image_bytes(mut self, limit: usize) -> Self {
        self.image_bytes = limit;
        self
    }

    /// How many bytes a reply may have on the wire, where a token has some 200; 64 MiB.
    pub fn reply_bytes(mut self, limit: usize) -> Self {
        self.reply_bytes = limit;
        self
    }

    /// The model. Nothing is sent yet.
    ///
    /// # Errors
    /// When the name or the URL is missing or malformed, the key is missing or would go unencrypted to
    /// another machine, or the proxy cannot be used.
    pub fn build(self) -> Result<RemoteModel, RemoteError> {
        if self.name.is_empty() {
            return Err(RemoteError::NoName);
        }
        let new = |url: &String| Endpoint::new(url, &self.key, &self.proxy, &self.timeouts);
        let endpoints = self.urls.iter().map(new).collect::<Result<Vec<_>, _>>()?;
        let Some(first) = endpoints.first() else {
            return Err(RemoteError::NoUrl(self.name));
        };
        let flavour = self.flavour.unwrap_or_else(|| first.flavour());
        let info =
            ModelInfo { name: self.name, context_window: self.context_window, capabilities: flavour.capabilities() };
        let Self { retries, image_bytes, reply_bytes, .. } = self;
        let settings = Settings { info, flavour, retries, image_bytes, reply_bytes };
        Ok(RemoteModel::new(settings, Arc::new(Pool::new(endpoints))))
    }
}
