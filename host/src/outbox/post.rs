//! Requests to sinks, and what is read of their answers.

use std::{error::Error, time::Duration};

use bytes::Bytes;
use reqwest::{
    Client, StatusCode, Url,
    header::{HeaderMap, RETRY_AFTER},
    redirect::Policy,
};

use super::outcome::Failure;

/// How long the connection to a sink may take to be opened.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Characters of a refusal that are kept as its reason.
const SHOWN: usize = 300;
/// Bytes of an answer whose body does not matter that are read, so that its connection can be used again …
const DRAINED_BYTES: usize = 16 * 1024;
/// … and how long that may take: the sink has answered.
const DRAIN_TIMEOUT: Duration = Duration::from_millis(200);

/// The client of a host, for all its sinks. It follows no redirects: the other place was not configured.
pub(super) fn client() -> Result<Client, reqwest::Error> {
    // Does nothing where the program has done it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .user_agent(concat!("gnomon/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(Policy::none())
        .build()
}

/// The head of an answer.
pub(super) struct Answered {
    response: reqwest::Response,
}

/// A body that could not be read.
pub(super) enum BodyError {
    /// It is longer than the limit.
    TooLarge,
    /// The connection broke.
    Broken(Failure),
}

/// Sends a request, and returns when the head of its answer is there. The caller limits how long that may take.
pub(super) async fn post(client: &Client, url: &Url, headers: HeaderMap, body: Bytes) -> Result<Answered, Failure> {
    let sent = client.post(url.clone()).headers(headers).body(body).send().await;
    sent.map(|response| Answered { response }).map_err(|error| broken(&error))
}

impl Answered {
    pub(super) fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// How long the sink wants to be left alone, if it says so in seconds.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        let seconds = self.response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
        Some(Duration::from_secs(seconds))
    }

    /// The whole body, of at most `max` bytes.
    pub(super) async fn body(mut self, max: usize) -> Result<Vec<u8>, BodyError> {
        let mut body = Vec::new();
        while let Some(piece) = self.response.chunk().await.map_err(|error| BodyError::Broken(broken(&error)))? {
            if body.len() + piece.len() > max {
                return Err(BodyError::TooLarge);
            }
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }

    /// Reads a little of a body that does not matter.
    pub(super) async fn drain(self) {
        let _ = tokio::time::timeout(DRAIN_TIMEOUT, self.body(DRAINED_BYTES)).await;
    }

    /// The failure that the answer means, with the begin of what it says.
    pub(super) async fn failure(mut self) -> Failure {
        let status = self.status();
        let mut text = Vec::new();
        let read = async {
            while text.len() < 4 * SHOWN
                && let Ok(Some(piece)) = self.response.chunk().await
            {
                text.extend_from_slice(&piece[..piece.len().min(4 * SHOWN)]);
            }
        };
        let _ = tokio::time::timeout(DRAIN_TIMEOUT, read).await;
        let text: String = String::from_utf8_lossy(&text).trim().chars().take(SHOWN).collect();
        let mut reason = format!("it answered {status}");
        if status.is_redirection() {
            reason.push_str(", a redirect, which is not followed; change the sink's URL");
        }
        if !text.is_empty() {
            reason.push_str(&format!(": {}", text.escape_debug()));
        }
        Failure { status: Some(status.as_u16()), reason }
    }
}

/// What broke, with its causes, and without the URL.
fn broken(error: &reqwest::Error) -> Failure {
    let what = if error.is_connect() {
        "it cannot be connected to"
    } else if error.is_body() || error.is_decode() {
        "its answer broke off"
    } else {
        "the request broke off"
    };
    let mut reason = what.to_owned();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let text = inner.to_string();
        if !reason.contains(&text) {
            reason = format!("{reason}: {text}");
        }
        cause = inner.source();
    }
    Failure::of(reason)
}
