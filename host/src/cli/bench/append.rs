//! `gnomon bench append`

use std::time::{Duration, Instant};

use anyhow::ensure;
use clap::Args;
use reqwest::Method;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    api::{Appended, EventsPage},
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

    /// How many tags each event has; each tag has about as many values as there are streams
    #[arg(long, value_name = "NUMBER", default_value = "0", value_parser = clap::value_parser!(u32).range(0..=1000))]
    tags: u32,

    /// Append each event only if no other with one of its first two tags is newer than what its client has seen. That holds as long as
    /// no other program appends such events
    #[arg(long)]
    condition: bool,

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
    tags: u32,
    condition: bool,
    appends: usize,
    appends_per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
}

/// What clients append.
#[derive(Clone, Copy, Debug)]
struct Workload {
    streams: u64,
    tags: u32,
    /// Values of each tag. It is a multiple of the number of clients: a client that counts in steps of that number has values of its own,
    /// so no condition of it fails because of another client.
    tag_values: u64,
    condition: bool,
}

impl Append {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        ensure!(!self.condition || self.tags >= 2, "--condition is about two tags of each event; add --tags 2");
        let workload = self.workload();
        let began = Instant::now();
        let end = began + Duration::from_secs(self.seconds);
        let mut clients = Vec::new();
        for number in 0..self.clients {
            let client = Client::new(&self.client)?;
            clients.push(tokio::spawn(append(client, u64::from(number), u64::from(self.clients), workload, end)));
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
        let Self { clients, tags, condition, .. } = self;
        let figures = Figures { clients, tags, condition, appends: times.len(), appends_per_second, p50_ms, p99_ms };
        if self.json {
            output::json(&figures)?;
        } else {
            output::data(format_args!(
                "{clients} clients{}{}: {} appends/s, {p50_ms:.2} ms at the median, {p99_ms:.2} ms at the 99th percentile",
                if tags > 0 { format!(", {}", figures::counted(tags.into(), "tag")) } else { String::new() },
                if condition { ", with a condition" } else { "" },
                figures::rate(appends_per_second),
            ))?;
        }
        Ok(())
    }

    fn workload(&self) -> Workload {
        let clients = u64::from(self.clients);
        let tag_values = (self.streams / clients).max(1) * clients;
        Workload { streams: self.streams, tags: self.tags, tag_values, condition: self.condition }
    }
}

impl Workload {
    /// The stream of a client's append, and its body. `seen` is the newest position that the client knows of.
    fn request(&self, number: u64, seen: u64) -> (String, Value) {
        let stream = format!("account-{}", number % self.streams);
        let data = json!({"amount": number % 1000 + 1, "currency": "EUR", "reference": "ref-0123456789abcdef", "channel": "mobile"});
        let mut event = json!({"type": "MoneyDeposited", "data": data});
        let value = number % self.tag_values;
        let tags: Vec<String> = (1..=self.tags).map(|tag| format!("tag{tag}:{value}")).collect();
        if !tags.is_empty() {
            event["tags"] = json!(tags);
        }
        let mut body = json!({"events": [event]});
        if self.condition {
            let items: Vec<Value> = tags.iter().take(2).map(|tag| json!({"tags": [tag]})).collect();
            body["condition"] = json!({"fail_if_events_match": {"items": items}, "after": seen});
        }
        (stream, body)
    }
}

/// Appends until `end`; returns how long each append took.
async fn append(
    client: Client,
    first: u64,
    step: u64,
    workload: Workload,
    end: Instant,
) -> anyhow::Result<Vec<Duration>> {
    let mut times = Vec::new();
    let mut number = first;
    let mut seen = if workload.condition { head(&client).await? } else { 0 };
    while Instant::now() < end {
        let (stream, body) = workload.request(number, seen);
        let began = Instant::now();
        let request = client.request(Method::POST, &["v1", "streams", &stream, "events"]).json(&body);
        let appended: Appended = client.json(request).await?;
        times.push(began.elapsed());
        seen = appended.last_position;
        number += step;
    }
    Ok(times)
}

/// The position of the newest event.
pub(super) async fn head(client: &Client) -> anyhow::Result<u64> {
    let newest = client.get(&["v1", "events"]).query(&[("limit", "1"), ("direction", "backward")]);
    let page: EventsPage = client.json(newest).await?;
    Ok(page.head)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        append: Append,
    }

    fn workload(arguments: &[&str]) -> Workload {
        Program::parse_from([&["bench"], arguments].concat()).append.workload()
    }

    #[test]
    fn events_have_tags_and_conditions_if_they_are_wanted() {
        let (stream, body) = workload(&["--streams", "10"]).request(12, 7);
        assert_eq!(stream, "account-2");
        assert_eq!((&body["events"][0]["tags"], &body["condition"]), (&Value::Null, &Value::Null));

        let (_, body) = workload(&["--clients", "4", "--streams", "8", "--tags", "3", "--condition"]).request(9, 7);
        assert_eq!(body["events"][0]["tags"], json!(["tag1:1", "tag2:1", "tag3:1"]));
        let query = json!({"items": [{"tags": ["tag1:1"]}, {"tags": ["tag2:1"]}]});
        assert_eq!(body["condition"], json!({"fail_if_events_match": query, "after": 7}));
    }

    #[test]
    fn clients_share_no_tags() {
        for streams in ["1", "3", "10"] {
            let workload = workload(&["--clients", "3", "--streams", streams, "--tags", "2"]);
            let tags_of = |client: u64| -> HashSet<String> {
                (0..20)
                    .map(|append| workload.request(client + 3 * append, 0).1["events"][0]["tags"].to_string())
                    .collect()
            };
            let (one, other) = (tags_of(1), tags_of(2));
            assert!(one.is_disjoint(&other), "{streams} streams: {one:?}, {other:?}");
        }
    }

    #[tokio::test]
    async fn a_condition_needs_two_tags() {
        let program = Program::parse_from(["bench", "--condition", "--tags", "1"]);
        let error = program.append.run().await.unwrap_err().to_string();
        assert_eq!(error, "--condition is about two tags of each event; add --tags 2");
    }
}
