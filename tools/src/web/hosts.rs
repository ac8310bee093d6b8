//! Lists of hosts that a tool may talk to.

use std::fmt;

use reqwest::Url;

/// Hosts by name (`docs.rs`), with all below a name (`*.rust-lang.org`), or any (`*`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hosts(Vec<Pattern>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    Any,
    Below(String),
    Exactly(String),
}

/// What stands in a list of hosts and is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{written}` is not a host; write a name alone, such as `docs.rs`, `*.docs.rs` for all below it, or `*`")]
pub struct HostError {
    written: String,
}

impl Hosts {
    pub(crate) fn parse<Item: AsRef<str>>(hosts: impl IntoIterator<Item = Item>) -> Result<Self, HostError> {
        hosts.into_iter().map(|host| Pattern::parse(host.as_ref())).collect::<Result<_, _>>().map(Self)
    }

    /// The host of this address alone.
    pub(crate) fn of(url: &Url) -> Self {
        Self(name(url).map(Pattern::Exactly).into_iter().collect())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the host of `url` is one of them.
    pub(crate) fn contain(&self, url: &Url) -> bool {
        let Some(host) = name(url) else {
            return false;
        };
        self.0.iter().any(|pattern| match pattern {
            Pattern::Any => true,
            Pattern::Below(parent) => host.strip_suffix(parent).is_some_and(|rest| rest.ends_with('.')),
            Pattern::Exactly(name) => host == *name,
        })
    }
}

impl fmt::Display for Hosts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, pattern) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            match pattern {
                Pattern::Any => write!(formatter, "{separator}all"),
                Pattern::Below(parent) => write!(formatter, "{separator}*.{parent}"),
                Pattern::Exactly(name) => write!(formatter, "{separator}{name}"),
            }?;
        }
        Ok(())
    }
}

impl Pattern {
    fn parse(written: &str) -> Result<Self, HostError> {
        if written == "*" {
            return Ok(Self::Any);
        }
        let host = |name: &str| {
            let url = Url::parse(&format!("http://{name}/")).ok()?;
            // Nothing but a host: no port, path, or name of a user.
            let alone = url.as_str() == format!("http://{}/", url.host_str()?);
            self::name(&url).filter(|name| alone && !name.contains('*'))
        };
        let pattern = match written.strip_prefix("*.") {
            Some(parent) => host(parent).map(Self::Below),
            None => host(written).map(Self::Exactly),
        };
        pattern.ok_or_else(|| HostError { written: written.to_owned() })
    }
}

/// The host of an address as it is compared: in lower case and ASCII, without the dot at the end that a
/// complete name may have.
fn name(url: &Url) -> Option<String> {
    url.host_str().map(|host| host.strip_suffix('.').unwrap_or(host).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contain(hosts: &[&str], url: &str) -> bool {
        let hosts = Hosts::parse(hosts);
        Url::parse(url).is_ok_and(|url| hosts.is_ok_and(|hosts| hosts.contain(&url)))
    }

    #[test]
    fn names_and_all_below_them() {
        for url in ["https://docs.rs/a", "http://DOCS.rs:8080", "https://docs.rs./", "https://user@docs.rs"] {
            assert!(contain(&["Docs.RS"], url), "{url}");
        }
        for url in
            ["https://a.docs.rs", "https://docs.rs.evil.org", "https://evil.org/docs.rs", "https://docs.rs@evil.org"]
        {
            assert!(!contain(&["docs.rs"], url), "{url}");
        }
        assert!(contain(&["*.docs.rs"], "https://a.b.docs.rs"));
        assert!(!contain(&["*.docs.rs"], "https://docs.rs"));
        assert!(!contain(&["*.docs.rs"], "https://evildocs.rs"));
        assert!(contain(&["bücher.example"], "https://xn--bcher-kva.example/"));
        assert!(contain(&["127.0.0.1"], "http://0x7f.1/"));
        assert!(contain(&["*"], "https://any.example"));
        assert!(!contain(&[], "https://docs.rs"));
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for written in ["", "https://docs.rs", "docs.rs/a", "docs.rs:8080", "a@docs.rs", "docs.rs?q", "a b", "*.", "**"]
        {
            assert!(Hosts::parse([written]).is_err(), "{written}");
        }
    }
}
