//! Why a remote model cannot be set up.

/// What is wrong with a SPEC, an address, a key or a proxy. What goes wrong later, in a request, is a
/// [`ChatError`](qianshou_chat::ChatError).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RemoteError {
    /// A SPEC without a URL.
    #[error("`{0}` names no server; write NAME@URL, for example `qwen2.5-7b-instruct@http://localhost:8000/v1`")]
    NoUrl(String),
    /// A model without a name.
    #[error("the name of the model is missing; write NAME@URL with the name by which the server knows the model")]
    NoName,
    /// A text that is no URL, or one of another protocol.
    #[error("`{url}` is no address of a server: {problem}")]
    Url {
        /// The text.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A URL with a password in it, which is not repeated here.
    #[error("the URL of {host} holds a user name or password; give the key in an environment variable instead")]
    Credentials {
        /// The host.
        host: String,
    },
    /// An unknown name of a [`Flavour`](crate::Flavour).
    #[error(
        "`{0}` is no kind of server; known are generic, openai, vllm, dashscope, llama.cpp, llama-cpp-python and ollama"
    )]
    UnknownFlavour(String),
    /// A key was asked for, or is needed by this host, and is not there.
    #[error("{host} needs a key, and the environment variable {variable} is not set")]
    MissingKey {
        /// The host.
        host: String,
        /// Where the key is looked for.
        variable: String,
    },
    /// The environment variable holds something else than a key.
    #[error("the environment variable {variable} holds no key: a key is one line of visible ASCII characters")]
    InvalidKey {
        /// The variable.
        variable: String,
    },
    /// A key would go over the network for everyone to read.
    #[error("the key in {variable} would go to {host} unencrypted; use https, or leave the key out")]
    InsecureKey {
        /// The variable.
        variable: String,
        /// The host.
        host: String,
    },
    /// The proxy's URL, which is not repeated here since it may hold a password, is not usable.
    #[error("the proxy cannot be used: {problem}")]
    Proxy {
        /// What is wrong with it.
        problem: String,
    },
    /// The system refuses what an HTTP client needs.
    #[error("the HTTP client cannot be set up: {problem}")]
    Client {
        /// What the system says.
        problem: String,
    },
}
