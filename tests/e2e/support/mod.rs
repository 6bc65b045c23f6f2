//! The real program, as its own process on a real Postgres, and what tests say to it over HTTP.

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

/// Waits until something is so. A test that waits in vain is ended here, with words, and not by whoever runs it.
pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let patience = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(240), patience).await.is_ok(), "in vain: {what}");
}
