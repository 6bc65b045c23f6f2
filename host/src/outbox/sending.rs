//! What a host sends messages with.

use super::{
    nats::Connections,
    outcome::Failure,
    post,
    secret::{Secret, SecretRef, Secrets},
};

/// There is no client for requests, such as where the system's certificates cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("requests to sinks cannot be made: {0}")]
pub struct StartOutboxError(String);

/// What a host sends messages with.
#[derive(Debug)]
pub(super) struct Sending {
    pub(super) http: reqwest::Client,
    /// Connections of sinks to NATS.
    pub(super) nats: Connections,
    pub(super) secrets: Secrets,
    /// Bytes that an answer to a call may have.
    pub(super) max_call_answer_bytes: usize,
}

impl Sending {
    pub(super) fn new(secrets: Secrets, max_call_answer_bytes: usize) -> Result<Self, StartOutboxError> {
        let http = post::client().map_err(|error| StartOutboxError(error.to_string()))?;
        Ok(Self { http, nats: Connections::default(), secrets, max_call_answer_bytes })
    }

    /// Reads a secret.
    pub(super) async fn read(&self, reference: &SecretRef) -> Result<Secret, Failure> {
        self.secrets.read(reference).await.map_err(Failure::of)
    }
}
