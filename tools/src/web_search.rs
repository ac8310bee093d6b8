//! Searching the web.

use qianshou_agent::{Artifact, Tool, ToolContext, ToolError, ToolOutput, ToolSpec};
use reqwest::{Method, Request, Url};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::web::{Hosts, Web};

/// Where the address of the search service stands when the program does not give one.
const VARIABLE: &str = "QIANSHOU_SEARCH_URL";
/// How many results are shown when nothing else is said.
const RESULTS: usize = 5;
/// How many characters of a result's text are shown.
const SNIPPET_CHARACTERS: usize = 300;

/// Searches the web.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct WebSearchArgs {
    /// What to search for
    pub query: String,
}

/// Asks a search service that answers as SearXNG does (`/search?format=json`), and gives the first
/// results with title, address and text.
///
/// The service is the one of [`WebSearch::at`], else that in the environment variable
/// `QIANSHOU_SEARCH_URL`. It is yours, so that it may be on your own machine. SearXNG answers in JSON only
/// if `json` is among the `formats` of the section `search` of its settings.
#[derive(Clone, Debug, Default)]
pub struct WebSearch {
    service: Option<String>,
    results: Option<usize>,
}

impl WebSearch {
    /// The tool with the service at this address, for example `http://localhost:8888`.
    pub fn at(service: impl Into<String>) -> Self {
        Self { service: Some(service.into()), results: None }
    }

    /// Sets how many results are shown; the default is 5.
    #[must_use]
    pub fn results(self, results: usize) -> Self {
        Self { results: Some(results), ..self }
    }

    /// The address of a search.
    fn search(&self, query: &str) -> Result<Url, ToolError> {
        let missing = || {
            ToolError::new("no search service is set up in this program")
                .with_diagnostics(format!("set {VARIABLE} to the address of a SearXNG service"))
        };
        let service = self.service.clone().or_else(|| std::env::var(VARIABLE).ok()).ok_or_else(missing)?;
        let wrong = |problem: String| {
            ToolError::new("the search service is not set up right")
                .with_diagnostics(format!("`{service}` is not the address of one: {problem}"))
        };
        let mut url = Url::parse(&service).map_err(|error| wrong(error.to_string()))?;
        if !url.has_host() {
            return Err(wrong("it has no host".to_owned()));
        }
        let path = url.path().trim_end_matches('/');
        let path = if path.ends_with("/search") { path.to_owned() } else { format!("{path}/search") };
        url.set_path(&path);
        url.query_pairs_mut().append_pair("q", query).append_pair("format", "json");
        Ok(url)
    }
}

impl Tool for WebSearch {
    type Args = WebSearchArgs;

    fn spec(&self) -> ToolSpec {
        ToolSpec::new::<WebSearchArgs>("web_search")
    }

    async fn call(&self, args: WebSearchArgs, _: &ToolContext) -> Result<ToolOutput, ToolError> {
        let url = self.search(&args.query)?;
        let web = Web::new(Hosts::of(&url)).permit_private_addresses();
        let answer = web.send(Request::new(Method::GET, url)).await?;
        let found: Found = serde_json::from_slice(&answer.body).map_err(|error| {
            ToolError::new("the search service answers in a form that is not known")
                .with_diagnostics("SearXNG needs `json` in `search.formats` of its settings")
                .with_source(error)
        })?;
        let results: Vec<_> = found.results.into_iter().take(self.results.unwrap_or(RESULTS)).collect();
        if results.is_empty() {
            return Ok(format!("nothing was found for \"{}\"", args.query).into());
        }
        let shown: Vec<_> = results.iter().enumerate().map(|(index, result)| result.shown(index + 1)).collect();
        let structured = results.into_iter().map(Hit::into_json).collect();
        Ok(ToolOutput::from(shown.join("\n\n")).with_artifact(Artifact::Json(structured)))
    }
}

/// All that we read of an answer.
#[derive(Deserialize)]
struct Found {
    results: Vec<Hit>,
}

#[derive(Deserialize)]
struct Hit {
    url: String,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    content: Option<String>,
}

impl Hit {
    fn shown(&self, number: usize) -> String {
        let title = one_line(self.title.as_deref().unwrap_or(&self.url));
        let mut shown = format!("{number}. {title}\n{}", self.url);
        let content = one_line(self.content.as_deref().unwrap_or_default());
        if !content.is_empty() {
            let more = if content.chars().count() > SNIPPET_CHARACTERS { "…" } else { "" };
            let snippet: String = content.chars().take(SNIPPET_CHARACTERS).collect();
            shown.push_str(&format!("\n{snippet}{more}"));
        }
        shown
    }

    fn into_json(self) -> Value {
        serde_json::json!({"title": self.title, "url": self.url, "content": self.content})
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
