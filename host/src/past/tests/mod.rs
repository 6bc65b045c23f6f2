//! The past of real streams, told by real modules, held against a plain model and against the rows that builds have.

mod random;
mod refused;
mod restored;
mod verify;
mod versions;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::{
    builds::{Activation, Build},
    event_log::{Direction, PageSize, RecordedEvent, StreamVersion, tests::stream as stream_name},
    modules::ModuleVersion,
    postgres::test_database::TestDatabase,
    read_model::Identifier,
    server::{ServerSettings, tests::TestHost},
};

fn name(text: &str) -> Identifier {
    Identifier::new(text).unwrap()
}

/// A host whose past has these settings.
async fn host(database: &TestDatabase, past: PastSettings) -> TestHost {
    TestHost::start_with(database, ServerSettings { past, ..ServerSettings::default() }).await
}

/// Settings by which a snapshot is taken each so many events, if their bytes allow it.
fn every(snapshot_every: usize) -> PastSettings {
    PastSettings { snapshot_every, ..PastSettings::default() }
}

/// A question about the past of a host.
#[derive(Clone, Copy)]
struct Asked<'a> {
    host: &'a TestHost,
    stream: &'a str,
    projection: &'a str,
    version: Option<u32>,
}

impl Asked<'_> {
    async fn state(self, at: At) -> Result<StreamState, PastError> {
        let (stream, projection) = (stream_name(self.stream), name(self.projection));
        let version = self.version.map(ModuleVersion);
        self.host.past.state(&self.host.log, &stream, &projection, version, at, usize::MAX).await
    }

    async fn at(self, version: u64) -> StreamState {
        self.state(At::Version(StreamVersion(version))).await.unwrap()
    }

    async fn history(self, after: Option<u64>, size: PageSize, direction: Direction) -> HistoryPage {
        let (stream, projection) = (stream_name(self.stream), name(self.projection));
        let (version, after) = (self.version.map(ModuleVersion), after.map(StreamVersion));
        let past = &self.host.past;
        past.history(&self.host.log, &stream, &projection, version, after, size, direction).await.unwrap()
    }

    async fn verify(self) -> StreamVerification {
        let (stream, projection) = (stream_name(self.stream), name(self.projection));
        let version = self.version.map(ModuleVersion);
        self.host.past.verify(&self.host.log, &stream, &projection, version).await.unwrap()
    }
}

/// The rows of each table.
fn tables(state: &StreamState) -> BTreeMap<String, Vec<Value>> {
    let rows = |table: &TableRows| table.rows.iter().map(|row| serde_json::from_str(row.get()).unwrap()).collect();
    state.tables.iter().map(|table| (table.table.to_string(), rows(table))).collect()
}

/// The events of a stream, as the log has them.
async fn events(host: &TestHost, stream: &str) -> Vec<RecordedEvent> {
    let page = host.log.read_stream(&stream_name(stream), None, 100_000, Direction::Forward).await.unwrap();
    page.unwrap().events
}

/// Waits until the snapshots that were taken are written.
async fn written(host: &TestHost) {
    test_support::until("the snapshots are written", async || host.past.snapshots.is_idle()).await;
}

/// The versions of the snapshots of a stream.
async fn snapshots(host: &TestHost, stream: &str) -> Vec<i64> {
    written(host).await;
    sqlx::query_scalar("SELECT version FROM gnomon.snapshots WHERE stream = $1 ORDER BY version")
        .bind(stream)
        .fetch_all(&host.database.lookups)
        .await
        .unwrap()
}

/// Opens an account of the bank, and moves money on it so many times.
async fn moved(host: &TestHost, account: &str, times: u64) {
    let opened = [(account.to_owned(), "AccountOpened", json!({"owner": "Ada", "currency": "EUR"}))];
    let deposits =
        (1..=times).map(|amount| (account.to_owned(), "MoneyDeposited", json!({"amount": amount, "currency": "EUR"})));
    host.append(opened.into_iter().chain(deposits)).await;
}
