//! `gnomon bench append`

use std::time::{Duration, Instant};

use clap::Args;
use reqwest::Method;
use serde::Serialize;
use serde_json::json;

use crate::{
    cli::{client::Client, figures, output},
    config::ClientOptions,
};

/// Measure appends of single events by many clients at once.
///
/// Each client appends one event after the other, each in a request of its own, to one stream after the other. This program also uses
/// CPU; on the machine of the host, it slows the host down.
#[derive(Args, Debug)]
pub(super) struct Append {
    /// Clients that append at the same time
    #[arg(long, value_name = "NUMBER", default_value = "16", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    clients: u32,

    /// For how many seconds
    #[arg(long, value_name = "NUMBER", default_value = "8", value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,

    /// How many streams get events
    #[arg(long, value_name = "NUMBER", default_value = "20000", value_parser = clap::value_parser!(u64).range(1..))]
    streams: u64,

    /// Print the figures as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    client: ClientOptions,
}

/// The results of a measurement.
#[derive(Serialize)]
struct Figures {
    clients: u32,
    appends: usize,
    appends_per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
}

impl Append {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let began = Instant::now();
        let end = began + Duration::from_secs(self.seconds);
        let mut clients = Vec::new();
        for number in 0..self.clients {
            let client = Client::new(&self.client)?;
            clients.push(tokio::spawn(append(client, u64::from(number), u64::from(self.clients), self.streams, end)));
        }
        let mut times = Vec::new();
        for client in clients {
            times.extend(client.await??);
        }
        let took = began.elapsed();
        times.sort_unstable();
        let at = |share: usize| times.get(times.len() * share / 100).copied().unwrap_or_default().as_secs_f64() * 1e3;
        let appends_per_second = figures::per_second(times.len() as u64, took);
        let (p50_ms, p99_ms) = (at(50), at(99));
        let figures = Figures { clients: self.clients, appends: times.len(), appends_per_second, p50_ms, p99_ms };
        if self.json {
            output::json(&figures)?;
        } else {
            output::data(format_args!(
                "{} clients: {} appends/s, {p50_ms:.2} ms at the median, {p99_ms:.2} ms at the 99th percentile",
                figures.clients,
                figures::rate(appends_per_second),
            ))?;
        }
        Ok(())
    }
}

/// Appends until `end`; returns how long each append took.
async fn append(client: Client, first: u64, step: u64, streams: u64, end: Instant) -> anyhow::Result<Vec<Duration>> {
    let mut times = Vec::new();
    let mut number = first;
    while Instant::now() < end {
        let stream = format!("account-{}", number % streams);
        let data = json!({"amount": number % 1000 + 1, "currency": "EUR", "reference": "ref-0123456789abcdef", "channel": "mobile"});
        let body = json!({"events": [{"type": "MoneyDeposited", "data": data}]});
        let began = Instant::now();
        client.text(client.request(Method::POST, &["v1", "streams", &stream, "events"]).json(&body)).await?;
        times.push(began.elapsed());
        number += step;
    }
    Ok(times)
}
