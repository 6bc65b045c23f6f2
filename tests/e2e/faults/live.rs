//! A follower of a live query, which makes a copy of the rows by the events that it gets, and goes on at any host where it was cut off.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::StreamExt;
use reqwest::{Client, StatusCode};
use serde_json::Value;

use super::{addresses::Addresses, expected::Projection, readers::Seen};
use crate::support::client;

/// A host that sends nothing for so long, while events are appended all the time, is left for another one.
const SILENCE: Duration = Duration::from_secs(5);

/// The copy that a follower makes.
struct Copy {
    projection: Projection,
    rows: HashMap<String, i64>,
    last_id: Option<String>,
    /// What it had at each position.
    seen: Vec<Seen>,
    snapshots: usize,
    resumed: usize,
}

/// Follows until it is stopped. Returns what the copy had at each position.
pub(super) async fn follow_rows(
    addresses: Arc<Addresses>,
    projection: Projection,
    stop: Arc<AtomicBool>,
) -> Result<Vec<Seen>, String> {
    let client = client();
    let (rows, seen) = (HashMap::new(), Vec::new());
    let mut copy = Copy { projection, rows, last_id: None, seen, snapshots: 0, resumed: 0 };
    for turn in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let target = addresses.target(turn);
        if let Err(problem) = copy.read(&client, &target.url, &stop).await {
            return Err(format!("a live query of {projection:?} at step {}: {problem}", addresses.step()));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let Copy { seen, snapshots, resumed, .. } = copy;
    println!(
        "a live query of {projection:?}: {} positions, {snapshots} snapshots, went on {resumed} times",
        seen.len()
    );
    Ok(seen)
}

impl Copy {
    /// Reads until the connection ends, or falls silent.
    async fn read(&mut self, client: &Client, url: &str, stop: &AtomicBool) -> Result<(), String> {
        let (table, column) = (self.projection.table(), self.projection.column());
        let url = format!("{url}/v1/read-models/{table}?select={column}");
        let mut request = client.get(url).header("accept", "text/event-stream");
        if let Some(id) = &self.last_id {
            request = request.header("last-event-id", id);
        }
        let Ok(Ok(response)) = tokio::time::timeout(SILENCE, request.send()).await else { return Ok(()) };
        match response.status() {
            StatusCode::OK => {}
            // The projection may be rebuilt, or the host cut off from Postgres.
            status if status.is_server_error() || status == StatusCode::CONFLICT => return Ok(()),
            status => return Err(format!("{status}: {}", response.text().await.unwrap_or_default())),
        }
        let mut chunks = response.bytes_stream();
        let (mut rest, mut event, mut is_first) = (Vec::new(), HashMap::new(), true);
        while !stop.load(Ordering::Relaxed) {
            let Ok(Some(Ok(chunk))) = tokio::time::timeout(SILENCE, chunks.next()).await else { break };
            rest.extend_from_slice(&chunk);
            while let Some(length) = rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = rest.drain(..=length).collect();
                let line = String::from_utf8(line).map_err(|error| error.to_string())?;
                match line.trim_end().split_once(": ") {
                    Some((name, value)) if !name.is_empty() => _ = event.insert(name.to_owned(), value.to_owned()),
                    _ if line.trim_end().is_empty() && !event.is_empty() => {
                        let is_snapshot = event.get("event").is_some_and(|name| name == "snapshot");
                        self.resumed += usize::from(std::mem::take(&mut is_first) && !is_snapshot);
                        self.hear(&std::mem::take(&mut event))?;
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn hear(&mut self, event: &HashMap<String, String>) -> Result<(), String> {
        let data: Value = serde_json::from_str(event.get("data").map_or("null", String::as_str))
            .map_err(|error| format!("{error}: {event:?}"))?;
        let key = data["key"].to_string();
        match event.get("event").map_or("", String::as_str) {
            "snapshot" => {
                self.rows.clear();
                self.snapshots += 1;
            }
            "insert" | "update" => {
                let n = data["row"][self.projection.column()].as_i64().ok_or_else(|| format!("{event:?}"))?;
                self.rows.insert(key, n);
            }
            "delete" => _ = self.rows.remove(&key),
            "position" => {
                let (Some(build), Some(position)) = (data["build"].as_u64(), data["position"].as_u64()) else {
                    return Err(format!("{event:?}"));
                };
                let seen = Seen { projection: self.projection, build, position, total: self.rows.values().sum() };
                if let Some(earlier) = self.seen.last().filter(|earlier| earlier.position > position) {
                    return Err(format!("positions went back: {earlier:?}, and after that {seen:?}"));
                }
                self.seen.push(seen);
            }
            // It ends, or cannot go on; another connection is made.
            _ => {}
        }
        if let Some(id) = event.get("id") {
            self.last_id = Some(id.clone());
        }
        Ok(())
    }
}
