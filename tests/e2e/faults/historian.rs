//! A reader of the past: at any position that was seen, a read model is what the events up to it make.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rand::{RngExt, rngs::StdRng};
use reqwest::{Client, StatusCode};
use serde_json::Value;

use super::{
    addresses::Addresses,
    expected::Projection,
    readers::{REQUEST_TIMEOUT, Seen, number},
};
use crate::support::client;

/// Past builds are numbered on their own: this keeps their numbers apart from those of other builds.
const PAST: u64 = 1_000_000;
/// The pause before the next moment is asked for.
const PAUSE: Duration = Duration::from_millis(700);

/// Asks for random moments until it is stopped.
pub(super) async fn look_back(
    addresses: Arc<Addresses>,
    mut random: StdRng,
    stop: Arc<AtomicBool>,
) -> Result<Vec<Seen>, String> {
    let client = client();
    let mut all = Vec::new();
    for turn in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let projection = Projection::READ[turn % Projection::READ.len()];
        let target = addresses.target(turn / Projection::READ.len());
        let (table, column) = (projection.table(), projection.column());
        let seen = async {
            let present = answer(&client, &format!("{}/v1/read-models/{table}?limit=0", target.url)).await?;
            let (_, position, _, _) = present.ok_or("the present is not there")?;
            let moment = random.random_range(0..=position);
            let url = format!("{}/v1/read-models/{table}?select={column}&as_of={moment}", target.url);
            let Some((rows, position, past_build, session)) = answer(&client, &url).await? else { return Ok(None) };
            if position != moment || session {
                return Err(format!("as of {moment}: position {position}, a session: {session}"));
            }
            let total = rows.iter().map(|row| row[column].as_i64().unwrap_or(i64::MIN)).sum();
            Ok(Some(Seen { projection, build: PAST + past_build, position, total }))
        };
        match seen.await {
            Ok(seen) => all.extend(seen),
            Err(error) if addresses.had_no_fault(&target) => {
                return Err(format!("the past of {projection:?} at step {}: {error}", addresses.step()));
            }
            Err(_) => {}
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(all)
}

/// The rows of an answer, its position, the past build that they are of, and whether there is a session; `None` if the past is not made yet, or
/// if all past builds are in use.
async fn answer(client: &Client, url: &str) -> Result<Option<(Vec<Value>, u64, u64, bool)>, String> {
    let request = client.get(url).header("prefer", "wait=5").timeout(REQUEST_TIMEOUT);
    let response = request.send().await.map_err(|error| format!("{error:?}"))?;
    let (status, headers) = (response.status(), response.headers().clone());
    let body = response.text().await.map_err(|error| format!("{error:?}"))?;
    if status == StatusCode::ACCEPTED || body.contains("\"too_many_past_builds\"") {
        return Ok(None);
    }
    let position = number(&headers, "gnomon-position");
    match (status, position, serde_json::from_str(&body)) {
        (StatusCode::OK, Some(position), Ok(rows)) => {
            let past_build = number(&headers, "gnomon-past-build").unwrap_or_default();
            let session = past_build > 0 && headers.contains_key("gnomon-session");
            Ok(Some((rows, position, past_build, session)))
        }
        _ => Err(format!("{status}: {body}")),
    }
}
