//! What a request may reach, checked before it is sent, on each redirect, and after a name is resolved.

use std::net::IpAddr;
use std::sync::Arc;

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::is_public;
use super::hosts::Hosts;

/// Hosts, and whether their addresses may be outside the public internet.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) hosts: Hosts,
    pub(crate) private_addresses: bool,
}

/// Why a request is not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("`{scheme}` addresses cannot be used, only http and https")]
    Scheme { scheme: String },
    #[error("the host `{host}` is not allowed; allowed are {hosts}")]
    Host { host: String, hosts: Hosts },
    #[error("`{host}` is not on the public internet")]
    Address { host: String },
    #[error("from https to http")]
    Unencrypted,
    #[error("there are more than {limit} redirects")]
    Redirects { limit: usize },
}

impl Rules {
    /// Checks what an address tells by itself. A name is [resolved](Resolver) later.
    pub(crate) fn check(&self, url: &Url) -> Result<(), Refusal> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Refusal::Scheme { scheme: url.scheme().to_owned() });
        }
        let host = url.host_str().unwrap_or_default();
        if !self.hosts.contain(url) {
            return Err(Refusal::Host { host: host.to_owned(), hosts: self.hosts.clone() });
        }
        // An address that is written as a number is not resolved.
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        match bare.parse::<IpAddr>() {
            Ok(address) if !self.permit(address) => Err(Refusal::Address { host: host.to_owned() }),
            _ => Ok(()),
        }
    }

    /// Checks where a redirect leads. It must not lay open what was encrypted so far.
    pub(crate) fn check_redirect(&self, from: &Url, to: &Url) -> Result<(), Refusal> {
        if from.scheme() == "https" && to.scheme() == "http" {
            return Err(Refusal::Unencrypted);
        }
        self.check(to)
    }

    fn permit(&self, address: IpAddr) -> bool {
        self.private_addresses || is_public(address)
    }
}

/// Resolves names to permitted addresses only. The connection is made to what this gives, so that no
/// second answer of a name server can lead elsewhere.
pub(crate) struct Resolver(pub(crate) Arc<Rules>);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let rules = Arc::clone(&self.0);
        Box::pin(async move {
            let host = name.as_str();
            let found = tokio::net::lookup_host((host, 0)).await?;
            let permitted: Vec<_> = found.filter(|address| rules.permit(address.ip())).collect();
            if permitted.is_empty() {
                return Err(Refusal::Address { host: host.to_owned() }.into());
            }
            Ok(Box::new(permitted.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redirected(from: &str, to: &str) -> Option<String> {
        let rules = Rules { hosts: Hosts::parse(["docs.rs", "*.docs.rs", "10.0.0.1"]).ok()?, private_addresses: false };
        let (from, to) = (Url::parse(from).ok()?, Url::parse(to).ok()?);
        Some(rules.check_redirect(&from, &to).err().map_or_else(String::new, |refusal| refusal.to_string()))
    }

    #[test]
    fn redirects_are_checked_like_requests_and_stay_encrypted() {
        let cases = [
            ("http://docs.rs", "https://docs.rs/a", ""),
            ("https://docs.rs", "https://a.docs.rs/", ""),
            ("https://docs.rs", "http://docs.rs/", "from https to http"),
            (
                "https://docs.rs",
                "https://evil.org/",
                "the host `evil.org` is not allowed; allowed are docs.rs, *.docs.rs, 10.0.0.1",
            ),
            ("http://docs.rs", "file:///etc/passwd", "`file` addresses cannot be used, only http and https"),
            ("http://docs.rs", "http://10.0.0.1/", "`10.0.0.1` is not on the public internet"),
        ];
        for (from, to, expected) in cases {
            assert_eq!(redirected(from, to).as_deref(), Some(expected), "{from} {to}");
        }
    }
}
