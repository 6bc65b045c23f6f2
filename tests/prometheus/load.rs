//! A little of all that a host does.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::json;
use test_support::{HostClient, HostLog, component, guest};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::program::HostProcess;

/// Events, a projection that is read, and one that halts before it has caught up.
pub(crate) async fn prepare(host: &HostProcess) {
    host.append_one("account-7", "AccountOpened", json!({"owner": "Ada", "currency": "EUR"})).await;
    host.append_one("count-1", "Counted", json!({"n": 1, "poison": true})).await;
    let bank = host.deploy("bank", component("bank"), "").await;
    host.until_state("bank", bank, "active").await;
    let tally = host.deploy("tally", guest("tally"), "").await;
    host.until_state("tally", tally, "halted").await;
}

/// Clients, until they are stopped.
pub(crate) struct Load {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Load {
    pub(crate) fn start(host: &HostProcess) -> Self {
        let (stop, client) = (CancellationToken::new(), HostClient::new(host.url().to_owned(), HostLog::default()));
        let stopped = stop.clone();
        let task = tokio::spawn(async move {
            while !stopped.is_cancelled() {
                round(&client).await;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        });
        Self { stop, task }
    }

    /// Panics if one of them got what it did not expect, and ended.
    pub(crate) fn check(&self) {
        assert!(!self.task.is_finished(), "the load has ended");
    }

    /// Stops them. Panics if one got what it did not expect.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

async fn round(host: &HostClient) {
    let position = host.append_one("account-7", "MoneyDeposited", json!({"amount": 1, "currency": "EUR"})).await;
    let conflict = json!({"expected_version": "no_stream", "events": [{"type": "AccountOpened", "data": {}}]});
    assert_eq!(host.append("account-7", &conflict).await.status, StatusCode::CONFLICT);
    assert_eq!(host.rows_at("bank/accounts?limit=1", position).await.len(), 1);
    assert_eq!(host.get("/v1/nowhere").await.status, StatusCode::NOT_FOUND);
    // It has never caught up.
    let not_ready = host.send(host.request(Method::GET, "/v1/read-models/tally/tallies")).await;
    assert_eq!(not_ready.status, StatusCode::SERVICE_UNAVAILABLE, "{not_ready:?}");
}
