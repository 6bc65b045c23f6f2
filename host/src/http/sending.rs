//! The memory of answers that are being sent.
//!
//! An answer is in memory until its client has read it. Answers that end and those that follow have budgets of their own, so that followers
//! who read nothing keep nobody from reading a page.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::header,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    problem::{Code, Problem},
    server_error::internal,
    settings::HttpSettings,
};
use crate::queries::{ByteBudget, ReadLimits, Reserved};

/// How long a page waits until others are sent.
const WAIT: Duration = Duration::from_secs(2);
/// Bytes of an event beside its content, about, and of what stands around the events of a page.
const OVERHEAD: usize = 8 * 1024;

/// The memory of answers that are being sent. Clones are handles on one.
#[derive(Clone, Debug)]
pub struct Sending {
    /// What queries on read models may cost. Its budget is that of all answers that end.
    pub(super) reads: ReadLimits,
    followers: ByteBudget,
}

impl Sending {
    /// The memory that the settings allow.
    #[must_use]
    pub fn new(settings: &HttpSettings) -> Self {
        let half = settings.max_sending_bytes / 2;
        let reads = ReadLimits {
            max_rows: settings.max_rows,
            max_bytes: settings.max_answer_bytes,
            aggregates: settings.aggregates,
            timeout: settings.query_timeout,
            export_timeout: settings.export_timeout,
            budget: ByteBudget::new(half),
        };
        Self { reads, followers: ByteBudget::new(half) }
    }

    /// Waits for the memory of a page of events: as they are read, and once more as they are sent.
    pub(super) async fn reserve_page(
        &self,
        max_page_bytes: usize,
        events: usize,
        max_event_bytes: usize,
    ) -> Result<Reserved, Problem> {
        let most = events.saturating_mul(max_event_bytes.saturating_add(OVERHEAD));
        let bytes = most.min(max_page_bytes).saturating_mul(2);
        tokio::time::timeout(WAIT, self.reads.budget.reserve(bytes)).await.map_err(|_| too_much_to_send())
    }

    /// Waits for the memory of an answer that is in memory, as it is written as JSON.
    pub(super) async fn reserve_answer(&self, bytes: usize) -> Result<Reserved, Problem> {
        tokio::time::timeout(WAIT, self.reads.budget.reserve(bytes)).await.map_err(|_| too_much_to_send())
    }

    /// The memory of one follower.
    pub(super) fn follower(&self) -> Follower {
        Follower { budget: self.followers.clone(), unread: Arc::new(Semaphore::new(1)) }
    }

    /// The bytes of answers that follow.
    #[cfg(test)]
    pub(super) fn followers_in_use(&self) -> usize {
        self.followers.in_use()
    }
}

/// The memory of one follower: of one page, until the client has read it.
#[derive(Clone, Debug)]
pub(super) struct Follower {
    budget: ByteBudget,
    unread: Arc<Semaphore>,
}

/// The memory of one page of a follower.
#[derive(Debug)]
pub(super) struct Room {
    reserved: Reserved,
    _unread: Option<OwnedSemaphorePermit>,
}

impl Follower {
    /// Waits until the client has read what it was sent, and until there is memory for so many bytes.
    pub(super) async fn reserve(self, bytes: usize) -> Room {
        // Never an error: it is never closed.
        let unread = self.unread.acquire_owned().await.ok();
        Room { reserved: self.budget.reserve(bytes).await, _unread: unread }
    }
}

impl Room {
    /// A text that takes this memory until it is sent.
    pub(super) fn hold(mut self, text: String) -> Bytes {
        self.reserved.shrink(text.len());
        Bytes::from_owner(Held { text, _room: self })
    }
}

struct Held {
    text: String,
    _room: Room,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

/// Answers with JSON that takes the memory that was reserved until it is sent.
pub(super) fn json(content: &impl Serialize, mut reserved: Reserved) -> Result<Response, Problem> {
    let text = serde_json::to_vec(content).map_err(|error| internal(&error))?;
    reserved.shrink(text.len());
    Ok(([(header::CONTENT_TYPE, "application/json")], Body::from(reserved.hold(text))).into_response())
}

/// The problem of an answer for which there is no memory.
pub(super) fn too_much_to_send() -> Problem {
    let detail = "the answers that this host is sending take all the memory that they may have (max_sending_bytes)";
    Problem::new(Code::TooMuchToSend, detail)
}
