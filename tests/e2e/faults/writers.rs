//! Writers that keep the answers to their appends.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rand::{RngExt, rngs::StdRng};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::addresses::Addresses;
use crate::support::client;

/// Streams of each kind that a writer has for itself.
const STREAMS: usize = 3;
/// The first appends are large, so that a replay takes its time.
const LARGE_APPENDS: usize = 16;
/// After so long the writer sends the same append again, to any host, even while a frozen host still has it.
const REQUEST_TIMEOUT: Duration = Duration::from_millis(700);

/// An event that was answered as appended.
pub(super) struct Written {
    pub(super) id: String,
    pub(super) stream: String,
    pub(super) event_type: String,
    pub(super) data: Value,
    pub(super) version: u64,
    pub(super) position: u64,
}

pub(super) struct Writer {
    pub(super) addresses: Arc<Addresses>,
    pub(super) number: u64,
    pub(super) random: StdRng,
    pub(super) stop: Arc<AtomicBool>,
}

impl Writer {
    /// Appends until it is stopped; an append that was begun is answered first.
    pub(super) async fn write(mut self) -> Result<Vec<Written>, String> {
        let client = client();
        let mut account = Vec::new();
        let mut versions: HashMap<String, u64> = HashMap::new();
        let mut appends = 0;
        while !self.stop.load(Ordering::Relaxed) {
            let count = if appends < LARGE_APPENDS { 200 } else { self.random.random_range(1..=3) };
            let stream = self.stream();
            let known = versions.entry(stream.clone()).or_default();
            let events: Vec<Value> = (1..=count).map(|next| self.event(&stream, *known + next)).collect();
            let answer = self.append(&client, &stream, *known, &events).await?;
            let number = |name: &str| answer[name].as_u64().unwrap_or_default();
            let (version, position) = (number("first_version"), number("first_position"));
            if version != *known + 1 || number("last_version") != *known + count {
                return Err(format!("{count} events after version {known} of {stream}: {answer}"));
            }
            for (event, offset) in events.into_iter().zip(0..) {
                account.push(Written {
                    id: event["id"].as_str().unwrap().to_owned(),
                    stream: stream.clone(),
                    event_type: event["type"].as_str().unwrap().to_owned(),
                    data: event["data"].clone(),
                    version: version + offset,
                    position: position + offset,
                });
            }
            *known += count;
            appends += 1;
            tokio::time::sleep(Duration::from_millis(self.random.random_range(0..20))).await;
        }
        Ok(account)
    }

    fn stream(&mut self) -> String {
        let category = if self.random.random_bool(0.5) { "count" } else { "account" };
        format!("{category}-{}-{}", self.number, self.random.random_range(0..STREAMS))
    }

    fn event(&mut self, stream: &str, version: u64) -> Value {
        let id = Uuid::from_u128(self.random.random()).to_string();
        let amount = self.random.random_range(1..100);
        if stream.starts_with("count-") {
            // In one stream only, so that there are enough left which are not parked.
            let poison = stream.ends_with("-0") && self.random.random_ratio(1, 100);
            return json!({"id": id, "type": "Counted", "data": {"n": amount, "poison": poison}});
        }
        let (event_type, data) = match version {
            1 => ("AccountOpened", json!({"owner": stream, "currency": "EUR"})),
            _ if self.random.random_bool(0.7) => ("MoneyDeposited", json!({"amount": amount, "currency": "EUR"})),
            _ => ("MoneyWithdrawn", json!({"amount": amount, "currency": "EUR"})),
        };
        json!({"id": id, "type": event_type, "data": data})
    }

    /// Appends after the version that the stream is known to be at, again and again until there is an answer.
    async fn append(&mut self, client: &Client, stream: &str, known: u64, events: &[Value]) -> Result<Value, String> {
        let body = json!({"expected_version": known, "events": events});
        loop {
            let target = self.addresses.target(self.random.random_range(0..usize::MAX));
            let url = format!("{}/v1/streams/{stream}/events", target.url);
            let Ok(response) = client.post(url).json(&body).timeout(REQUEST_TIMEOUT).send().await else {
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            };
            let status = response.status();
            let Ok(answer) = response.json::<Value>().await else { continue };
            match status {
                StatusCode::CREATED | StatusCode::OK => return Ok(answer),
                StatusCode::SERVICE_UNAVAILABLE => {}
                _ => {
                    return Err(format!("an append to {stream} after version {known} was answered {status}: {answer}"));
                }
            }
        }
    }
}
