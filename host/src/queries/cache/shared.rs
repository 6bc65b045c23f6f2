//! The answers in a Redis that hosts share.

use std::{sync::Arc, time::Duration};

use tokio::sync::Semaphore;

use super::{
    kept::KeptAnswer,
    link::{Link, Open},
    stored::{MAX_VALUE_BYTES, StoredKey},
    url::CacheUrl,
};
use crate::metrics;

/// How long an answer is stored, at most. So what nobody can ask for any more goes away also where Redis itself has no limit.
const EXPIRY: Duration = Duration::from_secs(3600);
/// Answers that are being stored, at most. Beyond that, none is stored.
const MAX_STORING: usize = 32;

/// The answers in a Redis that hosts share.
#[derive(Debug)]
pub(super) struct SharedCache {
    link: Link,
    storing: Arc<Semaphore>,
}

/// The same, while it can be asked.
pub(super) struct OpenCache {
    open: Open,
    storing: Arc<Semaphore>,
}

impl SharedCache {
    pub(super) fn new(url: &CacheUrl) -> Self {
        Self { link: Link::new(url), storing: Arc::new(Semaphore::new(MAX_STORING)) }
    }

    /// `None` while Redis is left alone.
    pub(super) fn open(&self) -> Option<OpenCache> {
        let open = self.link.open()?;
        Some(OpenCache { open, storing: Arc::clone(&self.storing) })
    }
}

impl OpenCache {
    /// The answer of a key.
    pub(super) async fn get(&mut self, key: &StoredKey<'_>) -> Option<KeptAnswer> {
        let mut command = redis::cmd("GETRANGE");
        // One byte more than a value has, so that a longer one is not taken for the begin of it. Without a value, there are no bytes.
        command.arg(key.name()).arg(0).arg(MAX_VALUE_BYTES);
        let value: Vec<u8> = self.open.ask(&command).await?;
        if value.is_empty() {
            return None;
        }
        let answer = key.open(value);
        if answer.is_none() {
            metrics::of_host().queries.redis_failed();
        }
        answer
    }

    /// Stores an answer. Nobody waits for it.
    pub(super) fn store(mut self, key: &StoredKey<'_>, answer: &KeptAnswer) {
        let Ok(permit) = Arc::clone(&self.storing).try_acquire_owned() else { return };
        let mut command = redis::cmd("SET");
        command.arg(key.name()).arg(key.seal(answer)).arg("EX").arg(EXPIRY.as_secs());
        tokio::spawn(async move {
            let _: Option<()> = self.open.ask(&command).await;
            drop(permit);
        });
    }
}
