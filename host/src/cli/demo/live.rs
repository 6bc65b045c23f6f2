//! A live query that is followed during the swaps.

use std::{
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::bail;
use reqwest::RequestBuilder;
use tokio_util::sync::CancellationToken;

use crate::cli::{
    client::Client,
    figures,
    sse::{Listener, Message, listen},
};

/// How long the follower may take to hear of something.
const DEADLINE: Duration = Duration::from_secs(30);

/// A live query, followed until this is dropped.
pub(super) struct LiveQuery {
    heard: Arc<Heard>,
    stop: CancellationToken,
}

/// What the follower was told.
#[derive(Debug, Default)]
struct Heard {
    /// It has the rows that it begins with.
    has_begun: AtomicBool,
    rows: AtomicU64,
    changes: AtomicU64,
    swaps: AtomicU64,
}

struct Follower {
    path: [&'static str; 4],
    query: &'static [(&'static str, &'static str)],
    heard: Arc<Heard>,
    /// Another build is read, and what differs in it comes.
    is_swapping: bool,
}

impl LiveQuery {
    /// Begins to follow.
    pub(super) async fn begin(
        client: &Client,
        path: [&'static str; 4],
        query: &'static [(&'static str, &'static str)],
    ) -> anyhow::Result<Self> {
        let live = Self { heard: Arc::default(), stop: CancellationToken::new() };
        let mut follower = Follower { path, query, heard: Arc::clone(&live.heard), is_swapping: false };
        let (client, stop) = (client.clone(), live.stop.clone());
        tokio::spawn(stop.run_until_cancelled_owned(async move { listen(&client, &mut follower).await }));
        live.until("the rows that it begins with", |heard| heard.has_begun.load(Ordering::Relaxed)).await?;
        Ok(live)
    }

    /// Waits until it has heard of so many swaps.
    pub(super) async fn until_swapped(&self, swaps: u64) -> anyhow::Result<()> {
        self.until("a swap", |heard| heard.swaps.load(Ordering::Relaxed) >= swaps).await
    }

    async fn until(&self, what: &str, has: impl Fn(&Heard) -> bool) -> anyhow::Result<()> {
        let begun = Instant::now();
        while !has(&self.heard) {
            if begun.elapsed() > DEADLINE {
                bail!("a live query was not told of {what} within {} s", DEADLINE.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    /// What it was told, as a sentence.
    pub(super) fn describe(&self) -> String {
        let number = |count: &AtomicU64| count.load(Ordering::Relaxed);
        format!(
            "a live query of {} was told of {}",
            figures::counted(number(&self.heard.rows), "row"),
            figures::counted(number(&self.heard.changes), "change")
        )
    }
}

impl Drop for LiveQuery {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Listener for Follower {
    fn request(&self, client: &Client) -> RequestBuilder {
        client.get(&self.path).query(self.query)
    }

    fn hear(&mut self, message: Message) -> anyhow::Result<ControlFlow<()>> {
        let has_begun = self.heard.has_begun.load(Ordering::Relaxed);
        match message.event.as_deref() {
            Some("insert" | "update" | "delete") if has_begun => _ = self.heard.changes.fetch_add(1, Ordering::Relaxed),
            Some("insert") => _ = self.heard.rows.fetch_add(1, Ordering::Relaxed),
            Some("swap") => self.is_swapping = true,
            Some("position") => {
                self.heard.has_begun.store(true, Ordering::Relaxed);
                if std::mem::take(&mut self.is_swapping) {
                    self.heard.swaps.fetch_add(1, Ordering::Relaxed);
                }
            }
            _ => {}
        }
        Ok(ControlFlow::Continue(()))
    }
}
