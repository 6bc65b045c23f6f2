//! A follower of the log, which begins again where it was cut off and must see each event once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::StreamExt;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use super::addresses::Addresses;
use crate::support::client;

/// A host that sends nothing for so long is left for another one.
const SILENCE: Duration = Duration::from_secs(3);

/// Follows until it has seen the last event; `end` is larger than any position as long as that is not known. Returns the events' ids in their order.
pub(super) async fn follow(addresses: Arc<Addresses>, end: Arc<AtomicU64>) -> Result<Vec<String>, String> {
    let client = client();
    let mut ids = Vec::new();
    for turn in 0.. {
        let target = addresses.target(turn);
        let read = read(&client, &target.url, &mut ids, &end);
        if let Err(problem) = read.await {
            return Err(format!("a follower at step {}: {problem}", addresses.step()));
        }
        if end.load(Ordering::SeqCst) == ids.len() as u64 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(ids)
}

/// Reads until the connection ends, or falls silent.
async fn read(client: &Client, url: &str, ids: &mut Vec<String>, end: &AtomicU64) -> Result<(), String> {
    let request = client.get(format!("{url}/v1/events")).header("accept", "text/event-stream");
    let request = request.header("last-event-id", ids.len());
    let Ok(Ok(response)) = tokio::time::timeout(SILENCE, request.send()).await else { return Ok(()) };
    match response.status() {
        StatusCode::OK => {}
        StatusCode::SERVICE_UNAVAILABLE => return Ok(()),
        status => return Err(format!("{status}: {}", response.text().await.unwrap_or_default())),
    }
    let mut chunks = response.bytes_stream();
    let mut rest = Vec::new();
    while end.load(Ordering::SeqCst) != ids.len() as u64 {
        let Ok(Some(Ok(chunk))) = tokio::time::timeout(SILENCE, chunks.next()).await else { break };
        rest.extend_from_slice(&chunk);
        while let Some(length) = rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = rest.drain(..=length).collect();
            let Some(data) = line.strip_prefix(b"data: ") else { continue };
            let event: Value = serde_json::from_slice(data).map_err(|error| error.to_string())?;
            if event["position"].is_null() {
                // A problem: the host cannot continue.
                return Ok(());
            }
            if event["position"] != json!(ids.len() + 1) {
                return Err(format!("after position {} came {event}", ids.len()));
            }
            ids.push(event["id"].as_str().unwrap_or_default().to_owned());
        }
    }
    Ok(())
}
