//! Random appends.

use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use rand::{RngExt, rngs::StdRng};
use serde_json::{Value, json};
use uuid::Uuid;

use super::alphabet::{Facts, Query};

/// Streams that appends name; those of the tags come to them.
const STREAMS: usize = 8;
/// Positions that are far back.
const FAR: u64 = 2_000;
/// Further than the log gets.
const BEYOND: u64 = 1_000_000_000;

/// What the clients have learned of the log from answers.
#[derive(Default)]
pub(super) struct Known {
    head: AtomicU64,
    versions: Mutex<HashMap<String, u64>>,
}

impl Known {
    /// There is an event at this position.
    pub(super) fn see_position(&self, position: u64) {
        self.head.fetch_max(position, Ordering::SeqCst);
    }

    /// The stream is at this version, or was.
    pub(super) fn see_version(&self, stream: &str, version: u64) {
        let mut versions = self.versions.lock().unwrap();
        let known = versions.entry(stream.to_owned()).or_default();
        *known = version.max(*known);
    }

    pub(super) fn head(&self) -> u64 {
        self.head.load(Ordering::SeqCst)
    }

    /// Some position that clients know, and not one far back: what is far back takes long to replay.
    pub(super) fn some_position(&self, random: &mut StdRng) -> u64 {
        let head = self.head();
        random.random_range(head.saturating_sub(FAR)..=head)
    }

    fn version(&self, stream: &str) -> u64 {
        self.versions.lock().unwrap().get(stream).copied().unwrap_or_default()
    }
}

/// A condition.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    pub(super) query: Query,
    pub(super) after: Option<u64>,
}

impl Condition {
    fn random(random: &mut StdRng, known: &Known) -> Self {
        let head = known.head();
        let after = match random.random_range(0..100) {
            0..10 => None,
            10..30 => Some(known.some_position(random)),
            30..31 => Some(head + BEYOND),
            _ => Some(head),
        };
        Self { query: Query::random(random), after }
    }

    pub(super) fn json(&self) -> Value {
        let mut condition = json!({"fail_if_events_match": self.query.json()});
        if let Some(after) = self.after {
            condition["after"] = json!(after);
        }
        condition
    }
}

/// An event of an append.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) id: String,
    pub(super) stream: String,
    pub(super) facts: Facts,
}

impl Sent {
    fn random(random: &mut StdRng, stream: Option<&str>) -> Self {
        let facts = Facts::random(random, if stream.is_some() { 0..5 } else { 1..5 });
        // Without a stream, that of its first tag.
        let stream = stream.map_or_else(|| facts.tag_names()[0].replace(':', "-"), str::to_owned);
        Self { id: Uuid::from_u128(random.random()).to_string(), stream, facts }
    }

    fn json(&self) -> Value {
        let mut event = json!({"id": self.id, "type": self.facts.type_name(), "data": {}});
        if !self.facts.tags.is_empty() {
            event["tags"] = json!(self.facts.tag_names());
        }
        event
    }
}

/// An append to one stream or to several.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) path: String,
    pub(super) body: Value,
    /// In the order of the log.
    pub(super) events: Vec<Sent>,
    pub(super) condition: Option<Condition>,
    /// Streams with the versions that they must have had.
    pub(super) expected: Vec<(String, u64)>,
}

impl Request {
    pub(super) fn random(random: &mut StdRng, known: &Known) -> Self {
        let condition = random.random_bool(0.85).then(|| Condition::random(random, known));
        let mut request = Self {
            path: "/v1/events".to_owned(),
            body: json!({}),
            events: Vec::new(),
            condition,
            expected: Vec::new(),
        };
        let appends = if random.random_bool(0.5) { 1 } else { random.random_range(2..=3) };
        let mut appends: Vec<Value> = (0..appends).map(|_| request.add(random, known)).collect();
        // One append to a named stream has a path of its own.
        if appends.len() == 1
            && let Some(stream) = appends[0].as_object_mut().unwrap().remove("stream")
        {
            request.path = format!("/v1/streams/{}/events", stream.as_str().unwrap());
            request.body = appends.remove(0);
        } else {
            request.body["appends"] = json!(appends);
        }
        if let Some(condition) = &request.condition {
            request.body["condition"] = condition.json();
        }
        request
    }

    /// Adds one append.
    fn add(&mut self, random: &mut StdRng, known: &Known) -> Value {
        let stream = match random.random_range(0..10) {
            0..4 => None,
            4..6 => Some(format!("tag-{}", random.random_range(0..4))),
            _ => Some(format!("s-{}", random.random_range(0..STREAMS))),
        };
        let count = random.random_range(1..=3);
        let events: Vec<Sent> = (0..count).map(|_| Sent::random(random, stream.as_deref())).collect();
        let mut append = json!({"events": events.iter().map(Sent::json).collect::<Vec<_>>()});
        if let Some(stream) = stream {
            // Only where the stream occurs first can its version be expected.
            let is_first = self.events.iter().all(|event| event.stream != stream);
            if is_first && let Some(version) = expected_version(random, known.version(&stream)) {
                append["expected_version"] = if version == 0 { json!("no_stream") } else { json!(version) };
                self.expected.push((stream.clone(), version));
            }
            append["stream"] = json!(stream);
        }
        self.events.extend(events);
        append
    }

    /// The same events on a condition that cannot hold.
    pub(super) fn with_failing_condition(&self) -> Value {
        let mut body = self.body.clone();
        body["condition"] = Condition { query: Query::all(), after: None }.json();
        body
    }
}

/// What a writer takes the version to be that was known last: it may be right, too old, or of no interest.
fn expected_version(random: &mut StdRng, known: u64) -> Option<u64> {
    match random.random_range(0..20) {
        0..3 => Some(known),
        3 => Some(known.saturating_sub(1)),
        4 => Some(0),
        _ => None,
    }
}
