//! Readers that check that positions never go back, and keep what they read.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use reqwest::{StatusCode, header::HeaderMap};
use serde_json::Value;

use super::{addresses::Addresses, expected::Projection};
use crate::support::client;

/// Longer than a host is frozen.
pub(super) const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// What was read at a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) projection: Projection,
    /// The build that was read.
    pub(super) build: u64,
    pub(super) position: u64,
    /// The sum over all rows.
    pub(super) total: i64,
}

/// Reads until it is stopped.
pub(super) async fn read(addresses: Arc<Addresses>, stop: Arc<AtomicBool>) -> Result<Vec<Seen>, String> {
    let client = client();
    let mut all: Vec<Seen> = Vec::new();
    let mut last: [Option<Seen>; Projection::READ.len()] = Default::default();
    for turn in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let index = turn % Projection::READ.len();
        let projection = Projection::READ[index];
        let target = addresses.target(turn / Projection::READ.len());
        let url = format!("{}/v1/read-models/{}?select={}", target.url, projection.table(), projection.column());
        let answer = async {
            let response =
                client.get(url).timeout(REQUEST_TIMEOUT).send().await.map_err(|error| format!("{error:?}"))?;
            let (status, headers) = (response.status(), response.headers().clone());
            let body = response.text().await.map_err(|error| format!("{error:?}"))?;
            match (number(&headers, "gnomon-position"), number(&headers, "gnomon-build")) {
                (Some(position), Some(build)) if status == StatusCode::OK => Ok((position, build, body)),
                _ => Err(format!("{status}: {body}")),
            }
        };
        let (position, build, body) = match answer.await {
            Ok(answer) => answer,
            Err(error) if addresses.had_no_fault(&target) => {
                return Err(format!(
                    "{projection:?} could not be read at step {} although nothing was broken: {error}",
                    addresses.step()
                ));
            }
            Err(_) => {
                tokio::time::sleep(Duration::from_millis(5)).await;
                continue;
            }
        };
        let rows: Vec<Value> = serde_json::from_str(&body).map_err(|error| format!("{error}: {body}"))?;
        let total = rows.iter().map(|row| row[projection.column()].as_i64().unwrap_or(i64::MIN)).sum();
        let seen = Seen { projection, build, position, total };
        if let Some(earlier) = last[index].filter(|earlier| earlier.position > position) {
            return Err(format!(
                "positions went back at step {}: {earlier:?}, and after that {seen:?}",
                addresses.step()
            ));
        }
        if last[index].replace(seen) != Some(seen) {
            all.push(seen);
        }
    }
    Ok(all)
}

pub(super) fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}
