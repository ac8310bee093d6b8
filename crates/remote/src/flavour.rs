//! What kinds of servers know beyond the common protocol.

use std::fmt;
use std::str::FromStr;

use qianshou_chat::Capabilities;

use crate::RemoteError;

/// The kind of a server, by which a request is written. All know text, images, native tools, temperature,
/// top-p, seed, `max_tokens` and stop strings; the rest:
///
/// | flavour | top-k | repetition penalty | `continue_last` | constraints |
/// |---|---|---|---|---|
/// | [`Generic`](Self::Generic) | no | no | no | no |
/// | [`OpenAi`](Self::OpenAi) | no | no | no | JSON schema |
/// | [`Vllm`](Self::Vllm) | yes | yes | yes | all |
/// | [`DashScope`](Self::DashScope) | yes | no | yes | no |
/// | [`LlamaCpp`](Self::LlamaCpp) | yes | yes | no | JSON schema |
/// | [`LlamaCppPython`](Self::LlamaCppPython) | yes | yes | no | JSON schema |
/// | [`Ollama`](Self::Ollama) | no | no | no | JSON schema |
///
/// What a flavour does not know is refused with
/// [`ChatErrorKind::Unsupported`](qianshou_chat::ChatErrorKind::Unsupported), because most servers would
/// pass over it without a word. Values that do nothing (a top-k of 0, a repetition penalty of 1) are left
/// out there. [`Capabilities::constraints`] is told only where all kinds of constraints are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Flavour {
    /// Any server; what most have in common.
    #[default]
    Generic,
    /// OpenAI's own.
    OpenAi,
    /// vLLM 0.11 or later (`structured_outputs`, `continue_final_message`); SGLang knows most of it too.
    Vllm,
    /// Alibaba Cloud Model Studio in its compatible mode (`partial` messages).
    DashScope,
    /// The server of llama.cpp.
    LlamaCpp,
    /// The server of llama-cpp-python. It cannot stream native calls, so a request with tools is answered in
    /// one piece.
    LlamaCppPython,
    /// Ollama.
    Ollama,
}

impl Flavour {
    const ALL: [Self; 7] =
        [Self::Generic, Self::OpenAi, Self::Vllm, Self::DashScope, Self::LlamaCpp, Self::LlamaCppPython, Self::Ollama];

    /// The name in a [`RemoteSpec`](crate::RemoteSpec).
    pub fn name(self) -> &'static str {
        match self {
            Self::Generic => "generic",
            Self::OpenAi => "openai",
            Self::Vllm => "vllm",
            Self::DashScope => "dashscope",
            Self::LlamaCpp => "llama.cpp",
            Self::LlamaCppPython => "llama-cpp-python",
            Self::Ollama => "ollama",
        }
    }

    /// The flavour that a host is known for. Only services that run on hosts of their own are.
    pub fn of_host(host: &str) -> Self {
        let is_dashscope = |name: &str| name == "dashscope" || name.starts_with("dashscope-");
        match host.strip_suffix(".aliyuncs.com") {
            Some(rest) if rest.split('.').any(is_dashscope) => Self::DashScope,
            _ if host == "api.openai.com" => Self::OpenAi,
            _ => Self::Generic,
        }
    }

    /// Where the key of a host of this flavour is by custom, if the host always needs one.
    pub(crate) fn key_variable(self) -> Option<&'static str> {
        match self {
            Self::OpenAi => Some("OPENAI_API_KEY"),
            Self::DashScope => Some("DASHSCOPE_API_KEY"),
            Self::Generic | Self::Vllm | Self::LlamaCpp | Self::LlamaCppPython | Self::Ollama => None,
        }
    }

    /// What a model behind such a server can do.
    pub(crate) fn capabilities(self) -> Capabilities {
        Capabilities {
            continue_last: matches!(self, Self::Vllm | Self::DashScope),
            constraints: self == Self::Vllm,
            native_tools: true,
            images: true,
        }
    }
}

impl fmt::Display for Flavour {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Flavour {
    type Err = RemoteError;

    fn from_str(name: &str) -> Result<Self, RemoteError> {
        let known = Self::ALL.into_iter().find(|flavour| flavour.name() == name);
        known.ok_or_else(|| RemoteError::UnknownFlavour(name.to_owned()))
    }
}
