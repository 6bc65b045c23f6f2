//! Readers that check that positions never go back, and keep what they read.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use reqwest::StatusCode;
use serde_json::Value;

use super::{addresses::Addresses, expected::Projection};
use crate::support::client;

/// Longer than a host is frozen.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// What was read at a position.
pub(super) struct Seen {
    pub(super) projection: Projection,
    pub(super) position: u64,
    /// The sum over all rows.
    pub(super) total: i64,
}

/// Reads until it is stopped.
pub(super) async fn read(addresses: Arc<Addresses>, stop: Arc<AtomicBool>) -> Result<Vec<Seen>, String> {
    let client = client();
    let mut seen: Vec<Seen> = Vec::new();
    let mut last = [0; Projection::ALL.len()];
    for turn in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let index = turn % Projection::ALL.len();
        let projection = Projection::ALL[index];
        let target = addresses.target(turn / Projection::ALL.len());
        let url = format!("{}/v1/read-models/{}?select={}", target.url, projection.table(), projection.column());
        let answer = async {
            let response =
                client.get(url).timeout(REQUEST_TIMEOUT).send().await.map_err(|error| format!("{error:?}"))?;
            let status = response.status();
            let position = response.headers().get("gnomon-position").and_then(|text| text.to_str().ok()?.parse().ok());
            let body = response.text().await.map_err(|error| format!("{error:?}"))?;
            match position {
                Some(position) if status == StatusCode::OK => Ok((position, body)),
                _ if status == StatusCode::SERVICE_UNAVAILABLE => Err(body),
                _ => Err(format!("{status}: {body}")),
            }
        };
        let (position, body) = match answer.await {
            Ok(answer) => answer,
            Err(error) if addresses.had_no_fault(&target) => {
                return Err(format!("{projection:?} could not be read although nothing was broken: {error}"));
            }
            Err(_) => {
                tokio::time::sleep(Duration::from_millis(5)).await;
                continue;
            }
        };
        if position < last[index] {
            return Err(format!("{projection:?} was read at position {}, and after that at {position}", last[index]));
        }
        last[index] = position;
        let rows: Vec<Value> = serde_json::from_str(&body).map_err(|error| format!("{error}: {body}"))?;
        let total = rows.iter().map(|row| row[projection.column()].as_i64().unwrap_or(i64::MIN)).sum();
        seen.push(Seen { projection, position, total });
    }
    Ok(seen)
}
