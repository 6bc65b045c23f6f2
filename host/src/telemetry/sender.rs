//! Sends spans and log records to a collector.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use reqwest::redirect::Policy;
use tokio::runtime::Handle;
use tracing::{info, warn};

use super::signal::Signal;

/// Bytes of an answer that are read: a collector says how many items it refuses.
const MAX_ANSWER: usize = 64 * 1024;

/// Sends on the runtime of the host what a thread of the SDK gives it, and logs when a collector goes away and comes back.
#[derive(Clone, Debug)]
pub(super) struct Sender {
    signal: Signal,
    http: reqwest::Client,
    runtime: Handle,
    is_away: Arc<AtomicBool>,
}

impl Sender {
    /// # Errors
    /// There is no client, such as where certificates cannot be read.
    pub(super) fn new(signal: Signal, runtime: Handle, timeout: Duration) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .user_agent(concat!("gnomon/", env!("CARGO_PKG_VERSION")))
            .timeout(timeout)
            .redirect(Policy::none())
            .build()?;
        Ok(Self { signal, http, runtime, is_away: Arc::default() })
    }

    fn note(&self, outcome: Result<(), &dyn std::fmt::Display>) {
        let (signal, items) = (self.signal.word(), self.signal.items());
        match outcome {
            Ok(()) if self.is_away.swap(false, Ordering::Relaxed) => info!("{signal} are sent again"),
            Err(error) if !self.is_away.swap(true, Ordering::Relaxed) => {
                warn!(%error, "{signal} cannot be sent; {items} are lost until they can");
            }
            _ => {}
        }
    }
}

#[async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let http = self.http.clone();
        // The thread of the SDK has no runtime of its own.
        let sent = self.runtime.spawn(async move { send(&http, request).await }).await.map_err(HttpError::from);
        let sent = sent.and_then(|sent| sent);
        match &sent {
            Ok(answer) if answer.status().is_success() => self.note(Ok(())),
            Ok(answer) => self.note(Err(&answer.status())),
            Err(error) => self.note(Err(error)),
        }
        sent
    }
}

async fn send(http: &reqwest::Client, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let mut answer = http.execute(reqwest::Request::try_from(request)?).await?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await? {
        if body.len() + piece.len() > MAX_ANSWER {
            break;
        }
        body.extend_from_slice(&piece);
    }
    let mut read = Response::new(Bytes::from(body));
    (*read.status_mut(), *read.headers_mut()) = (status, headers);
    Ok(read)
}
