//! Clients that ask for as much as they can.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::StreamExt;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::{
    limits::{Kind, clients_of},
    outcomes::Outcomes,
    sockets::{SlowClient, open},
};
use crate::support::client;

/// Longer than a host that is overloaded takes for any answer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// Of the health of a host one hears within this time, whatever else it does.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(10);

/// What all clients have in common.
#[derive(Clone)]
pub(super) struct Load {
    pub(super) url: String,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) outcomes: Arc<Outcomes>,
    /// A position that the log has, and the read model perhaps not yet.
    pub(super) newest: Arc<AtomicU64>,
    pub(super) component: Vec<u8>,
}

/// The clients.
pub(super) struct Clients(Vec<JoinHandle<()>>);

impl Clients {
    pub(super) fn start(load: &Load) -> Self {
        let mut tasks = Vec::new();
        let mut start = |kind: Kind| {
            let client = client();
            for number in 0..clients_of(kind) {
                let (load, client) = (load.clone(), client.clone());
                tasks.push(tokio::spawn(async move {
                    while !load.stop.load(Ordering::SeqCst) {
                        load.ask(kind, number, &client).await;
                    }
                }));
            }
        };
        for kind in [Kind::Append, Kind::Query, Kind::Wait, Kind::Upload, Kind::Follow, Kind::Health] {
            start(kind);
        }
        // Of those that follow, some never read.
        let load = load.clone();
        tasks.push(tokio::spawn(async move {
            while !load.stop.load(Ordering::SeqCst) {
                let opened = open(&load.url, SlowClient::UnreadFollower, clients_of(Kind::Follow) / 10).await;
                tokio::time::sleep(Duration::from_secs(1)).await;
                drop(opened);
            }
        }));
        Self(tasks)
    }

    /// Waits until they have stopped.
    pub(super) async fn end(self) {
        for task in self.0 {
            task.await.unwrap();
        }
    }
}

impl Load {
    async fn ask(&self, kind: Kind, number: usize, client: &Client) {
        let Self { url, outcomes, .. } = self;
        match kind {
            Kind::Append => {
                let event = json!({"type": "Counted", "data": {"n": 1, "pad": "x".repeat(2_000)}});
                let request = client.post(format!("{url}/v1/streams/count-{number}/events"));
                let request = request.json(&json!({"events": vec![event; 50]}));
                let Some(response) = self.send(kind, request).await else { return };
                let answer: Value = response.json().await.unwrap_or_default();
                self.newest.fetch_max(answer["last_position"].as_u64().unwrap_or_default(), Ordering::SeqCst);
            }
            Kind::Query => {
                let path = "v1/read-models/tally/tallies?sum=gte.1&order=sum.desc,stream";
                self.read_all(kind, client.get(format!("{url}/{path}"))).await;
            }
            Kind::Wait => {
                let request = client.get(format!("{url}/v1/read-models/tally/tallies?limit=1"));
                let request = request.header("gnomon-min-position", self.newest.load(Ordering::SeqCst));
                self.read_all(kind, request.header("prefer", "wait=5")).await;
            }
            Kind::Upload => {
                // Other bytes are another version, which is compiled.
                let component = with_note(&self.component, &uuid::Uuid::new_v4().to_string());
                let request = client.put(format!("{url}/v1/modules/upload_{number}?deploy=false"));
                self.read_all(kind, request.header("content-type", "application/wasm").body(component)).await;
            }
            Kind::Follow => {
                let request = client.get(format!("{url}/v1/events")).header("accept", "text/event-stream");
                let Some(response) = self.send(kind, request).await else { return };
                let mut chunks = response.bytes_stream();
                while !self.stop.load(Ordering::SeqCst) {
                    let next = tokio::time::timeout(Duration::from_secs(1), chunks.next()).await;
                    if matches!(next, Ok(None | Some(Err(_)))) {
                        return;
                    }
                }
            }
            Kind::Health => {
                for path in ["live", "ready"] {
                    let request = client.get(format!("{url}/health/{path}")).timeout(HEALTH_TIMEOUT);
                    let answer = request.send().await;
                    if path == "live" && !answer.as_ref().is_ok_and(|answer| answer.status().is_success()) {
                        outcomes.wrong(format!("/health/live: {answer:?}"));
                    }
                    outcomes.add(kind, answer).await;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }

    async fn send(&self, kind: Kind, request: RequestBuilder) -> Option<reqwest::Response> {
        let answer = tokio::time::timeout(REQUEST_TIMEOUT, request.send()).await;
        let Ok(answer) = answer else {
            self.outcomes.wrong(format!("{kind:?} was not answered within {REQUEST_TIMEOUT:?}"));
            return None;
        };
        let answered = self.outcomes.add(kind, answer).await;
        if answered.is_none() {
            // As one who heeds `Retry-After`, but sooner.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        answered
    }

    async fn read_all(&self, kind: Kind, request: RequestBuilder) {
        if let Some(response) = self.send(kind, request).await
            && let Err(error) = response.bytes().await
        {
            self.outcomes.wrong(format!("the answer to {kind:?} broke off: {error:?}"));
        }
    }
}

/// A component with a custom section, which means nothing.
fn with_note(component: &[u8], note: &str) -> Vec<u8> {
    let mut section = vec![4];
    section.extend_from_slice(b"note");
    section.extend_from_slice(note.as_bytes());
    // Lengths below 128 are one byte.
    let length = u8::try_from(section.len()).ok().filter(|length| *length < 128).unwrap();
    [component, &[0, length], &section].concat()
}
