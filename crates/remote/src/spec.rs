//! How people name a remote model.

use std::fmt;
use std::str::FromStr;

use crate::address::Address;
use crate::{Flavour, RemoteBuilder, RemoteError, RemoteModel};

/// A remote model in one line: `NAME@URL`, with more URLs behind commas where several servers have the
/// model, and `#FLAVOUR` at the end where it cannot be told from the host.
///
/// A URL without a path stands for `/v1`, where most servers have their API.
///
/// ```
/// use qianshou_remote::{Flavour, RemoteSpec};
///
/// let spec: RemoteSpec = "qwen2.5-7b-instruct@http://localhost:8000#vllm".parse()?;
/// assert_eq!((spec.name(), spec.flavour()), ("qwen2.5-7b-instruct", Some(Flavour::Vllm)));
/// assert_eq!(spec.to_string(), "qwen2.5-7b-instruct@http://localhost:8000#vllm");
/// assert!("qwen2.5-7b-instruct".parse::<RemoteSpec>().unwrap_err().to_string().contains("names no server"));
/// # Ok::<(), qianshou_remote::RemoteError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteSpec {
    name: String,
    urls: Vec<String>,
    flavour: Option<Flavour>,
}

impl RemoteSpec {
    /// The name by which the server knows the model.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the API is; each is a URL that has been checked.
    pub fn urls(&self) -> &[String] {
        &self.urls
    }

    /// The kind of the server, if it is told.
    pub fn flavour(&self) -> Option<Flavour> {
        self.flavour
    }

    /// A builder for this model.
    pub fn builder(&self) -> RemoteBuilder {
        let builder = self.urls.iter().fold(RemoteModel::builder(&self.name), RemoteBuilder::endpoint);
        match self.flavour {
            Some(flavour) => builder.flavour(flavour),
            None => builder,
        }
    }
}

impl fmt::Display for RemoteSpec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}@{}", self.name, self.urls.join(","))?;
        self.flavour.map_or(Ok(()), |flavour| write!(formatter, "#{flavour}"))
    }
}

impl FromStr for RemoteSpec {
    type Err = RemoteError;

    fn from_str(text: &str) -> Result<Self, RemoteError> {
        // Names may hold `@` and `/`, so the name ends where the first URL begins.
        let border = ["@http://", "@https://"].into_iter().filter_map(|scheme| text.find(scheme)).min();
        let Some((name, rest)) = border.and_then(|at| text.split_at_checked(at)) else {
            return Err(RemoteError::NoUrl(text.to_owned()));
        };
        if name.is_empty() {
            return Err(RemoteError::NoName);
        }
        let (urls, flavour) = match rest[1..].split_once('#') {
            Some((urls, flavour)) => (urls, Some(flavour.parse()?)),
            None => (&rest[1..], None),
        };
        let urls: Vec<_> = urls.split(',').map(str::to_owned).collect();
        for url in &urls {
            Address::parse(url)?;
        }
        Ok(Self { name: name.to_owned(), urls, flavour })
    }
}
