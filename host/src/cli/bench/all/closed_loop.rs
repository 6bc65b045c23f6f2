//! Clients that ask one thing after the other until a time is over.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::figure::{Figure, milliseconds};

/// A client of a host or of Postgres.
pub(super) trait Asks: Send + 'static {
    /// Asks once. No two clients of a load are given the same number.
    fn ask(&mut self, number: u64) -> impl Future<Output = anyhow::Result<()>> + Send;
}

/// What clients were answered.
pub(super) struct Load {
    clients: usize,
    took: Duration,
    /// How long each answer took, the shortest first.
    times: Vec<Duration>,
}

/// Lets clients ask for some time, all at once. Each has asked once before it is measured.
///
/// # Errors
/// The first error of a client.
pub(super) async fn ask_for(time: Duration, mut clients: Vec<impl Asks>) -> anyhow::Result<Load> {
    let step = clients.len() as u64;
    for (client, number) in clients.iter_mut().zip(0..) {
        client.ask(number).await?;
    }
    let began = Instant::now();
    let mut asking = JoinSet::new();
    for (client, number) in clients.into_iter().zip(0..) {
        asking.spawn(ask_until(began + time, client, number, step));
    }
    let mut times = Vec::new();
    while let Some(asked) = asking.join_next().await {
        times.extend(asked??);
    }
    let took = began.elapsed();
    Ok(Load::of(step as usize, took, times))
}

async fn ask_until(end: Instant, mut client: impl Asks, first: u64, step: u64) -> anyhow::Result<Vec<Duration>> {
    let mut times = Vec::new();
    let mut number = first;
    // Once at least, however short the time is.
    while times.is_empty() || Instant::now() < end {
        number += step;
        let began = Instant::now();
        client.ask(number).await?;
        times.push(began.elapsed());
    }
    Ok(times)
}

impl Load {
    /// Of clients that were answered in these times, in whatever order.
    pub(super) fn of(clients: usize, took: Duration, mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self { clients, took, times }
    }

    /// Answers in a second, each counted as so many.
    pub(super) fn rate(&self, counted_as: u64) -> Figure {
        let answers = self.times.len() as u64 * counted_as;
        self.with_details(answers as f64 / self.took.as_secs_f64())
    }

    /// Milliseconds of the median answer.
    pub(super) fn latency(&self) -> Figure {
        self.with_details(milliseconds(self.at(0.5)))
    }

    fn with_details(&self, value: f64) -> Figure {
        Figure::of(value)
            .with("connections", self.clients as f64)
            .with("p50_ms", milliseconds(self.at(0.5)))
            .with("p99_ms", milliseconds(self.at(0.99)))
    }

    /// The time within which this part of the answers came.
    fn at(&self, part: f64) -> Duration {
        let index = (self.times.len() as f64 * part) as usize;
        self.times.get(index.min(self.times.len().saturating_sub(1))).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    struct Counter(Arc<Mutex<Vec<u64>>>);

    impl Asks for Counter {
        async fn ask(&mut self, number: u64) -> anyhow::Result<()> {
            self.0.lock().unwrap().push(number);
            tokio::task::yield_now().await;
            Ok(())
        }
    }

    #[tokio::test]
    async fn clients_ask_at_least_once_and_share_no_number() {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let clients = (0..3).map(|_| Counter(Arc::clone(&asked))).collect();
        let load = ask_for(Duration::ZERO, clients).await.unwrap();
        assert_eq!((load.clients, load.times.len()), (3, 3));
        let mut asked = asked.lock().unwrap().clone();
        asked.sort_unstable();
        assert_eq!(asked, [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn percentiles_are_picked_from_what_is_sorted() {
        let times = (1..=200).map(Duration::from_millis).collect();
        let load = Load { clients: 2, took: Duration::from_secs(2), times };
        let rate = load.rate(100);
        assert_eq!((rate.value, rate.detail("p50_ms"), rate.detail("p99_ms")), (10_000.0, Some(101.0), Some(199.0)));
        assert_eq!(load.latency().value, 101.0);
    }
}
