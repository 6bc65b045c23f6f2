//! Writers that keep the answers to their appends.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
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
const LARGE_APPENDS: usize = 8;
/// After so long the writer sends the same append again, to any host, even while a frozen host still has it.
const REQUEST_TIMEOUT: Duration = Duration::from_millis(700);
/// So many appends make the next pause a millisecond longer: in a run of hours, replays must not take longer and longer.
const APPENDS_PER_MILLISECOND: u64 = 50;

/// An event that was answered as appended.
pub(super) struct Written {
    pub(super) id: String,
    pub(super) stream: String,
    pub(super) event_type: String,
    pub(super) data: Value,
    pub(super) version: u64,
    pub(super) position: u64,
    /// The step of the run in which it was answered, and when.
    pub(super) step: usize,
    pub(super) at: Instant,
}

/// What one writer has for itself: its streams, and what it has appended to them.
pub(super) struct Account {
    client: Client,
    addresses: Arc<Addresses>,
    versions: HashMap<String, u64>,
    pub(super) written: Vec<Written>,
}

impl Account {
    pub(super) fn new(addresses: Arc<Addresses>) -> Self {
        Self { client: client(), addresses, versions: HashMap::new(), written: Vec::new() }
    }

    /// The version of a stream as far as the writer knows.
    fn version(&self, stream: &str) -> u64 {
        self.versions.get(stream).copied().unwrap_or_default()
    }

    /// Appends events, again and again until there is an answer. `url` picks the host for each try.
    pub(super) async fn append(
        &mut self,
        stream: &str,
        events: Vec<Value>,
        mut url: impl FnMut() -> String,
    ) -> Result<(), String> {
        let (known, count) = (self.version(stream), events.len() as u64);
        let body = json!({"expected_version": known, "events": events});
        let answer = loop {
            let request = self.client.post(format!("{}/v1/streams/{stream}/events", url())).json(&body);
            let Ok(response) = request.timeout(REQUEST_TIMEOUT).send().await else {
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            };
            let status = response.status();
            let Ok(answer) = response.json::<Value>().await else { continue };
            match status {
                StatusCode::CREATED | StatusCode::OK => break answer,
                StatusCode::SERVICE_UNAVAILABLE => tokio::time::sleep(Duration::from_millis(5)).await,
                _ => {
                    return Err(format!("an append to {stream} after version {known} was answered {status}: {answer}"));
                }
            }
        };
        let number = |name: &str| answer[name].as_u64().unwrap_or_default();
        let (version, position) = (number("first_version"), number("first_position"));
        if version != known + 1 || number("last_version") != known + count {
            return Err(format!("{count} events after version {known} of {stream}: {answer}"));
        }
        let (step, at) = (self.addresses.step(), Instant::now());
        for (event, offset) in events.into_iter().zip(0..) {
            self.written.push(Written {
                id: event["id"].as_str().unwrap().to_owned(),
                stream: stream.to_owned(),
                event_type: event["type"].as_str().unwrap().to_owned(),
                data: event["data"].clone(),
                version: version + offset,
                position: position + offset,
                step,
                at,
            });
        }
        self.versions.insert(stream.to_owned(), known + count);
        Ok(())
    }
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
        let mut account = Account::new(Arc::clone(&self.addresses));
        let mut appends = 0;
        while !self.stop.load(Ordering::Relaxed) {
            let count = if appends < LARGE_APPENDS { 200 } else { self.random.random_range(1..=3) };
            let stream = self.stream(appends);
            let known = account.version(&stream);
            let events: Vec<Value> = (1..=count).map(|next| event(&mut self.random, &stream, known + next)).collect();
            let Self { random, addresses, .. } = &mut self;
            account.append(&stream, events, || addresses.target(random.random_range(0..usize::MAX)).url).await?;
            appends += 1;
            let longest = 20 + appends as u64 / APPENDS_PER_MILLISECOND;
            tokio::time::sleep(Duration::from_millis(self.random.random_range(0..longest))).await;
        }
        Ok(account.written)
    }

    fn stream(&mut self, appends: usize) -> String {
        let tells = self.random.random_bool(0.2) && appends >= LARGE_APPENDS;
        let category = match self.random.random_bool(0.5) {
            _ if tells => "told",
            true => "count",
            false => "account",
        };
        format!("{category}-{}-{}", self.number, self.random.random_range(0..STREAMS))
    }
}

/// An event for a stream, of which this will be the version.
pub(super) fn event(random: &mut StdRng, stream: &str, version: u64) -> Value {
    let id = Uuid::from_u128(random.random()).to_string();
    let amount = random.random_range(1..100);
    if stream.starts_with("count-") {
        // In one stream only, so that there are enough left which are not parked.
        let poison = stream.ends_with("-0") && random.random_ratio(1, 100);
        // An upcaster makes one of the other, if it is active.
        let event_type = if random.random_ratio(1, 10) { "Added" } else { "Counted" };
        return json!({"id": id, "type": event_type, "data": {"n": amount, "poison": poison}});
    }
    if stream.starts_with("told-") {
        // By the clock of the test, since schedules count from it, and those of hosts jump.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros();
        let now = gnomon_values::Instant(i64::try_from(now).unwrap()).to_string();
        return json!({"type": "Told", "time": now, "data": orders(random, stream, &id), "id": id});
    }
    let (event_type, data) = match version {
        1 => ("AccountOpened", json!({"owner": stream, "currency": "EUR"})),
        _ if random.random_bool(0.7) => ("MoneyDeposited", json!({"amount": amount, "currency": "EUR"})),
        _ => ("MoneyWithdrawn", json!({"amount": amount, "currency": "EUR"})),
    };
    json!({"id": id, "type": event_type, "data": data})
}

/// What a reactor is to do: some, all or none of what it can.
fn orders(random: &mut StdRng, stream: &str, id: &str) -> Value {
    let after = random.random_range(0..1_500);
    let all = [
        (0.5, json!({"append": {"stream": stream.replacen("told", "note", 1)}})),
        (0.4, json!({"publish": "told"})),
        (0.2, json!({"call": id})),
        (0.2, json!({"schedule": {"name": id, "after": after}})),
    ];
    all.into_iter().filter_map(|(share, order)| random.random_bool(share).then_some(order)).collect()
}
