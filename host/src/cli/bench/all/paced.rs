//! Requests at a fixed rate, of which none may fail.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

use super::{bank::Bank, connection::Connection, place::Place, queries::one_account};

/// Requests in a second.
const PER_SECOND: u32 = 1_000;
/// Connections of a load.
const CONNECTIONS: u32 = 16;

/// A load that lasts until it is stopped. The clients end when this is dropped.
pub(super) struct PacedLoad {
    stop: Arc<AtomicBool>,
    requests: Paced,
    began: Instant,
}

/// Requests of one kind.
struct Paced {
    clients: JoinSet<anyhow::Result<Duration>>,
    count: Arc<Count>,
}

#[derive(Default)]
struct Count {
    answered: AtomicU64,
    failed: AtomicU64,
    /// Why the first failed of those that did.
    why: OnceLock<String>,
}

/// What requests of one kind were answered.
pub(super) struct Answers {
    pub(super) per_second: f64,
    pub(super) longest: Duration,
    pub(super) failed: u64,
    /// Why the first failed of those that did.
    pub(super) why: Option<String>,
}

/// What is asked 1,000 times in a second.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Query,
    Append,
}

impl PacedLoad {
    /// Starts 1,000 requests of a kind in a second.
    pub(super) async fn start(place: &Place, kind: Kind) -> anyhow::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let requests = Paced::start(place, kind, &stop).await?;
        Ok(Self { stop, requests, began: Instant::now() })
    }

    /// Waits for the answers to what was sent, and stops.
    pub(super) async fn stop(self) -> anyhow::Result<Answers> {
        self.stop.store(true, Ordering::Relaxed);
        self.requests.end(self.began.elapsed()).await
    }
}

impl Paced {
    async fn start(place: &Place, kind: Kind, stop: &Arc<AtomicBool>) -> anyhow::Result<Self> {
        let count = Arc::new(Count::default());
        let mut clients = JoinSet::new();
        for first in 0..u64::from(CONNECTIONS) {
            let client = Client {
                connection: place.connection().await?,
                bank: place.bank,
                kind,
                count: Arc::clone(&count),
                stop: Arc::clone(stop),
            };
            clients.spawn(client.ask_until_stopped(first));
        }
        Ok(Self { clients, count })
    }

    async fn end(mut self, took: Duration) -> anyhow::Result<Answers> {
        let mut longest = Duration::ZERO;
        while let Some(client) = self.clients.join_next().await {
            longest = longest.max(client??);
        }
        let answered = self.count.answered.load(Ordering::Relaxed);
        Ok(Answers {
            per_second: answered as f64 / took.as_secs_f64(),
            longest,
            failed: self.count.failed.load(Ordering::Relaxed),
            why: self.count.why.get().cloned(),
        })
    }
}

struct Client {
    connection: Connection,
    bank: Bank,
    kind: Kind,
    count: Arc<Count>,
    stop: Arc<AtomicBool>,
}

impl Client {
    /// Asks at its times; returns the longest that an answer, or an error, took.
    async fn ask_until_stopped(mut self, first: u64) -> anyhow::Result<Duration> {
        let mut ticks = interval(Duration::from_secs(1) * CONNECTIONS / PER_SECOND);
        // What could not be sent in time is left out, and shows in the rate.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let (mut longest, mut number) = (Duration::ZERO, first);
        while !self.stop.load(Ordering::Relaxed) {
            ticks.tick().await;
            let began = Instant::now();
            let asked = self.ask(number).await;
            longest = longest.max(began.elapsed());
            number += u64::from(CONNECTIONS);
            match asked {
                Ok(()) => self.count.answered.fetch_add(1, Ordering::Relaxed),
                Err(error) => {
                    // Only the first is kept.
                    let _ = self.count.why.set(format!("{error:#}"));
                    self.connection = self.connection.again().await?;
                    self.count.failed.fetch_add(1, Ordering::Relaxed)
                }
            };
        }
        Ok(longest)
    }

    async fn ask(&mut self, number: u64) -> anyhow::Result<()> {
        match self.kind {
            Kind::Query => self.connection.get(&one_account(self.bank, number)).await?,
            Kind::Append => {
                let event = self.bank.movement(number);
                let body = format!(r#"{{"events":[{}]}}"#, event.to_append());
                self.connection.post(&format!("/v1/streams/{}/events", event.stream()), body).await?
            }
        };
        Ok(())
    }
}
