//! Where the keys of an issuer come from.

use std::{
    error::Error,
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
    time::Duration,
};

use reqwest::{Certificate, Client, StatusCode, Url, header::ACCEPT, redirect::Policy};
use serde::Deserialize;
use tokio::{task::spawn_blocking, time::timeout};

use super::{
    issuer_url::{IssuerUrl, IssuerUrlError},
    key_set::{KeySet, KeySetError},
    settings::{JwtSettings, KeySource},
    start_error::StartIssuerError,
};

/// Bytes of an answer of an issuer, or of a file of keys, at most: a key takes about one KiB.
pub const MAX_ISSUER_ANSWER_BYTES: usize = 1024 * 1024;
/// How long an issuer may take to give its keys, what it says of where they are included.
pub const FETCH_TIMEOUT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Characters of what an issuer says that are shown.
const SHOWN: usize = 200;

/// Where the keys of an issuer come from.
#[derive(Debug)]
pub(super) enum Source {
    Discovery { client: Client, issuer: IssuerUrl },
    Url { client: Client, url: IssuerUrl },
    File(PathBuf),
}

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub(super) enum SourceError {
    #[error("{url} cannot be reached: {reason}")]
    Unreachable { url: Url, reason: String },
    #[error("{url} answered {status}; redirects are not followed")]
    Status { url: Url, status: StatusCode },
    #[error("it did not answer within {} s", FETCH_TIMEOUT.as_secs())]
    TooSlow,
    #[error("{place} has more than {MAX_ISSUER_ANSWER_BYTES} bytes")]
    TooLarge { place: String },
    #[error("{url} does not answer with what an issuer says of itself: {reason}")]
    NoDiscovery { url: Url, reason: String },
    #[error("{url} speaks for the issuer {found:?}, which is not the one of --jwt-issuer, to the letter")]
    OtherIssuer { url: Url, found: String },
    #[error("the URL of its keys, {shown:?} (`jwks_uri`), is not one that hosts ask: {error}")]
    KeysUrl { shown: String, error: IssuerUrlError },
    #[error("{place} has no set of keys: {error}")]
    Keys { place: String, error: KeySetError },
    #[error("the file {} cannot be read: {error}", path.display())]
    File { path: PathBuf, error: io::Error },
}

/// What an issuer says of itself, as far as it matters here.
#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

impl Source {
    /// The source that the settings name.
    pub(super) fn of(settings: &JwtSettings) -> Result<Self, StartIssuerError> {
        let client = |asked: &IssuerUrl| client(asked, settings.ca_file.as_deref());
        Ok(match &settings.keys {
            KeySource::Discovery => {
                Self::Discovery { client: client(&settings.issuer)?, issuer: settings.issuer.clone() }
            }
            KeySource::Url(url) => Self::Url { client: client(url)?, url: url.clone() },
            KeySource::File(path) => Self::File(path.clone()),
        })
    }

    /// The keys as they are now.
    pub(super) async fn read(&self) -> Result<KeySet, SourceError> {
        timeout(FETCH_TIMEOUT, self.read_in_any_time()).await.unwrap_or(Err(SourceError::TooSlow))
    }

    async fn read_in_any_time(&self) -> Result<KeySet, SourceError> {
        match self {
            Self::Discovery { client, issuer } => {
                let url = keys_url(client, issuer).await?;
                keys_at(client, url.url()).await
            }
            Self::Url { client, url } => keys_at(client, url.url()).await,
            Self::File(path) => {
                let path = path.clone();
                let read = spawn_blocking(move || keys_in(&path)).await;
                read.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
            }
        }
    }
}

/// The keys of a file. It blocks.
pub(super) fn keys_in(path: &Path) -> Result<KeySet, SourceError> {
    let place = || format!("the file {}", path.display());
    let mut json = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_ISSUER_ANSWER_BYTES as u64 + 1).read_to_end(&mut json));
    read.map_err(|error| SourceError::File { path: path.to_owned(), error })?;
    if json.len() > MAX_ISSUER_ANSWER_BYTES {
        return Err(SourceError::TooLarge { place: place() });
    }
    KeySet::read(&json).map_err(|error| SourceError::Keys { place: place(), error })
}

async fn keys_url(client: &Client, issuer: &IssuerUrl) -> Result<IssuerUrl, SourceError> {
    let url = issuer.discovery();
    let body = get(client, &url).await?;
    let said: Discovery = serde_json::from_slice(&body)
        .map_err(|error| SourceError::NoDiscovery { url: url.clone(), reason: error.to_string() })?;
    if said.issuer != issuer.as_str() {
        return Err(SourceError::OtherIssuer { url, found: shown(&said.issuer) });
    }
    IssuerUrl::new(&said.jwks_uri).map_err(|error| SourceError::KeysUrl { shown: shown(&said.jwks_uri), error })
}

async fn keys_at(client: &Client, url: &Url) -> Result<KeySet, SourceError> {
    let body = get(client, url).await?;
    KeySet::read(&body).map_err(|error| SourceError::Keys { place: url.to_string(), error })
}

/// The body of an answer.
async fn get(client: &Client, url: &Url) -> Result<Vec<u8>, SourceError> {
    let broken =
        |error: reqwest::Error| SourceError::Unreachable { url: url.clone(), reason: causes(&error.without_url()) };
    let mut answer = client.get(url.clone()).header(ACCEPT, "application/json").send().await.map_err(broken)?;
    if answer.status() != StatusCode::OK {
        return Err(SourceError::Status { url: url.clone(), status: answer.status() });
    }
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(broken)? {
        if body.len() + piece.len() > MAX_ISSUER_ANSWER_BYTES {
            return Err(SourceError::TooLarge { place: url.to_string() });
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

/// A client that asks an issuer. It follows no redirects: the other place was not configured.
fn client(asked: &IssuerUrl, ca_file: Option<&Path>) -> Result<Client, StartIssuerError> {
    // Does nothing where the program has done it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder()
        .user_agent(concat!("gnomon/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(Policy::none());
    if asked.is_local() {
        // A proxy would look for the issuer on its own machine.
        builder = builder.no_proxy();
    }
    if let Some(path) = ca_file {
        builder = builder.tls_certs_merge(authorities(path)?);
    }
    builder.build().map_err(|error| StartIssuerError::Client(causes(&error)))
}

fn authorities(path: &Path) -> Result<Vec<Certificate>, StartIssuerError> {
    let refuse = |reason: String| StartIssuerError::Authorities { path: path.to_owned(), reason };
    let pem = fs::read(path).map_err(|error| refuse(error.to_string()))?;
    let certificates = Certificate::from_pem_bundle(&pem).map_err(|error| refuse(causes(&error)))?;
    if certificates.is_empty() { Err(refuse("there are none".to_owned())) } else { Ok(certificates) }
}

/// The beginning of what an issuer says.
fn shown(text: &str) -> String {
    text.chars().take(SHOWN).collect()
}

/// The error with all its causes: reqwest's own message says only that a request failed.
fn causes(error: &reqwest::Error) -> String {
    let mut causes = vec![error.to_string()];
    let mut source = error.source();
    while let Some(cause) = source {
        causes.push(cause.to_string());
        source = cause.source();
    }
    causes.join(": ")
}
