//! The real program, as its own process on a real Postgres, and an HTTP client for it.

mod flights;
mod host;
mod load;
mod postgres;

use std::time::Duration;

pub(crate) use self::{
    flights::{FLIGHT_TABLES, deploy_flights, deploy_upcaster, fingerprint_of, week, week_ndjson},
    host::{Host, client, gnomon},
    load::Load,
    postgres::Postgres,
};

/// Waits until a condition holds, and fails the test after a timeout, with the condition's name.
pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(240), wait).await.is_ok(), "timeout: {what}");
}
