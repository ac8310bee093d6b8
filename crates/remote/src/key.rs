//! Keys, which come from the environment and go into one header.

use std::env;
use std::fmt;

use reqwest::header::HeaderValue;

use crate::RemoteError;
use crate::address::Address;

/// The variable that is asked first, whatever the server.
const OWN_VARIABLE: &str = "QIANSHOU_API_KEY";

/// Where the key is.
#[derive(Clone, Debug, Default)]
pub(crate) enum KeySource {
    /// `QIANSHOU_API_KEY`, or else the variable that is custom for the host.
    #[default]
    Usual,
    /// In this variable.
    Variable(String),
    /// Nowhere.
    None,
}

/// A key and where it came from.
#[derive(Clone)]
pub(crate) struct Key {
    variable: String,
    secret: String,
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Key").field("variable", &self.variable).finish_non_exhaustive()
    }
}

impl KeySource {
    /// The variables in which the key for a host may be.
    pub(crate) fn variables(&self, address: &Address) -> Vec<String> {
        match self {
            Self::Usual => {
                let custom = address.flavour().key_variable().map(str::to_owned);
                [OWN_VARIABLE.to_owned()].into_iter().chain(custom).collect()
            }
            Self::Variable(variable) => vec![variable.clone()],
            Self::None => Vec::new(),
        }
    }

    /// The key for a host.
    pub(crate) fn key(&self, address: &Address) -> Result<Option<Key>, RemoteError> {
        for variable in self.variables(address) {
            let Some(value) = env::var_os(&variable) else { continue };
            let secret = value.to_str().map(str::trim);
            let Some(secret) = secret.filter(|secret| secret.bytes().all(|byte| byte.is_ascii_graphic())) else {
                return Err(RemoteError::InvalidKey { variable });
            };
            if secret.is_empty() {
                continue;
            }
            if !address.is_encrypted() && !address.is_loopback() {
                return Err(RemoteError::InsecureKey { variable, host: address.host().to_owned() });
            }
            return Ok(Some(Key { variable, secret: secret.to_owned() }));
        }
        let needed = match self {
            Self::Usual => address.flavour().key_variable().map(str::to_owned),
            Self::Variable(variable) => Some(variable.clone()),
            Self::None => None,
        };
        match needed {
            Some(variable) => Err(RemoteError::MissingKey { host: address.host().to_owned(), variable }),
            None => Ok(None),
        }
    }
}

impl Key {
    /// Where it came from.
    pub(crate) fn variable(&self) -> &str {
        &self.variable
    }

    /// The value of the `Authorization` header.
    pub(crate) fn header(&self) -> Option<HeaderValue> {
        let mut header = HeaderValue::try_from(format!("Bearer {}", self.secret)).ok()?;
        header.set_sensitive(true);
        Some(header)
    }

    /// The text without the key, which a server may repeat in what it says.
    pub(crate) fn redact(&self, text: &str) -> String {
        text.replace(&self.secret, "[key]")
    }
}
