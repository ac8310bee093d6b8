//! Reading web pages.

use std::time::Duration;

use qianshou_agent::{Tool, ToolContext, ToolError, ToolOutput, ToolSpec};
use reqwest::{Method, Request};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::web::{self, HostError, Hosts, Web};

/// Gets a web page as text, or a text or JSON file.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct HttpGetArgs {
    /// The address, beginning with https://
    pub url: String,
}

/// Gets text over HTTP: pages as their text with the links below, JSON and other text as it is.
///
/// It talks to the hosts that it is given and to no other, also when a page leads elsewhere (five times
/// at most). Addresses outside the public internet are refused whatever name they hide behind: this
/// machine, the network around it, the services that clouds offer to their machines. It gives up after
/// 20 seconds and reads a mebibyte. Proxies are not used.
///
/// ```
/// use qianshou_tools::HttpGet;
///
/// let tool = HttpGet::new(["docs.rs", "*.rust-lang.org"])?;
/// # Ok::<(), qianshou_tools::HostError>(())
/// ```
#[derive(Clone, Debug)]
pub struct HttpGet {
    web: Web,
}

impl HttpGet {
    /// The tool for these hosts: `docs.rs` is that host alone, `*.rust-lang.org` all below that name,
    /// `*` any host. With an empty list every call is refused.
    ///
    /// # Errors
    /// When one of them is not a host.
    pub fn new<Host: AsRef<str>>(hosts: impl IntoIterator<Item = Host>) -> Result<Self, HostError> {
        Ok(Self { web: Web::new(Hosts::parse(hosts)?) })
    }

    /// Permits addresses outside the public internet, for services on your own machine or network (and
    /// for tests). With `*` as host, a model could then reach everything that this machine can.
    #[must_use]
    pub fn permit_private_addresses(self) -> Self {
        Self { web: self.web.permit_private_addresses() }
    }

    /// Sets how long a call may take, redirects and reading included; the default is 20 seconds.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { web: self.web.timeout(timeout) }
    }

    /// Sets how many bytes of an answer are read; the default is 1 MiB.
    #[must_use]
    pub fn max_bytes(self, bytes: usize) -> Self {
        Self { web: self.web.max_bytes(bytes) }
    }
}

impl Tool for HttpGet {
    type Args = HttpGetArgs;

    fn spec(&self) -> ToolSpec {
        let spec = ToolSpec::new::<HttpGetArgs>("http_get");
        let description = format!("{} Allowed hosts: {}.", spec.description, self.web.hosts());
        if self.web.hosts().is_empty() { spec } else { spec.description(description) }
    }

    async fn call(&self, args: HttpGetArgs, _: &ToolContext) -> Result<ToolOutput, ToolError> {
        if self.web.hosts().is_empty() {
            return Err(ToolError::new("no host is allowed in this program")
                .with_diagnostics("allow hosts where the tool is made: `HttpGet::new([\"docs.rs\"])`"));
        }
        let request = Request::new(Method::GET, web::url(&args.url)?);
        let answer = self.web.send(request).await?;
        Ok(answer.text().await?.into())
    }
}
