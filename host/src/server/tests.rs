//! A host without HTTP on a real Postgres, for tests of every room that needs one.

use std::{ops::Deref, time::Duration};

use serde_json::{Value, json};

use super::*;
use crate::{
    builds::{Activation, Build, BuildId, BuildState, BuildSummary, RetiredBuilds, of_projection},
    event_log::{
        NewEvent,
        tests::{event, json as json_text, stream as stream_name},
    },
    operations::UploadEffect,
    postgres::test_database::TestDatabase,
    read_model::Identifier,
};

/// The rooms of a host, started as [`Server`] starts them. Tests that use it need a runtime of several threads.
pub(crate) struct TestHost {
    rooms: Rooms,
    /// Compiled modules.
    pub(crate) cache: tempfile::TempDir,
}

impl Deref for TestHost {
    type Target = Rooms;

    fn deref(&self) -> &Rooms {
        &self.rooms
    }
}

impl TestHost {
    /// Starts a host on a database, which may hold what earlier hosts left.
    pub(crate) async fn start(database: &TestDatabase) -> Self {
        Self::start_with(database, ServerSettings::default()).await
    }

    /// Starts a host with other settings; those of connections and of the cache are the test's.
    pub(crate) async fn start_with(database: &TestDatabase, settings: ServerSettings) -> Self {
        Self::start_on(database.connect_options(), settings).await
    }

    /// The same, with any way to the database.
    pub(crate) async fn start_on(database: PgConnectOptions, settings: ServerSettings) -> Self {
        let cache = tempfile::tempdir().unwrap();
        let settings = ServerSettings {
            connect_timeout: Duration::from_secs(60),
            cache: Some(cache.path().to_owned()),
            ..settings
        };
        let rooms = Rooms::start(database, &settings, &|_| {}).await.unwrap();
        Self { rooms, cache }
    }

    /// Uploads a component, which must be deployed; returns its build.
    pub(crate) async fn deploy(&self, name: &Identifier, component: Vec<u8>, activation: Activation) -> Build {
        let number = match self.operations.upload(name, component, activation).await.unwrap().effect {
            UploadEffect::Deployed(rebuilt) => rebuilt.build,
            other => panic!("{other:?}"),
        };
        let builds = of_projection(&self.database.lookups, name).await.unwrap().unwrap();
        builds.into_iter().find(|build| build.verifies.is_none() && build.number == number).unwrap()
    }

    /// Appends events by stream, type and data, in this order and in one transaction.
    pub(crate) async fn append(&self, events: impl IntoIterator<Item = (String, &str, Value)>) {
        let lines = events.into_iter().map(|(stream, event_type, data)| {
            let event = NewEvent { data: json_text(&data.to_string()), ..event(event_type) };
            (stream_name(&stream), event)
        });
        self.log.import(lines.collect(), 1).await.unwrap();
    }

    pub(crate) async fn deposit(&self, account: u64) {
        let data = json!({"amount": 1, "currency": "EUR"});
        self.append([(format!("account-{account}"), "MoneyDeposited", data)]).await;
    }

    /// Waits until each build holds the effect of every event, and is live, or active if it becomes so by itself.
    pub(crate) async fn caught_up(&self, name: &Identifier) {
        let done = |build: &BuildSummary| {
            let waits_to_be_active = build.activate_when_live && build.replaced_at.is_none();
            let state = build.state == BuildState::Active || build.state == BuildState::Live && !waits_to_be_active;
            state && build.lag == Some(0)
        };
        test_support::until(&format!("`{name}` has caught up"), async || {
            let projection = self.operations.projection(name, RetiredBuilds::Hidden).await.unwrap().unwrap();
            assert!(projection.builds.iter().all(|build| build.error.is_none()), "{projection:?}");
            projection.active_build.is_some() && projection.builds.iter().all(done)
        })
        .await;
    }

    pub(crate) async fn checkpoint(&self, build: BuildId) -> i64 {
        sqlx::query_scalar("SELECT checkpoint FROM gnomon.subscriptions WHERE subscription = $1")
            .bind(build.0)
            .fetch_one(&self.database.lookups)
            .await
            .unwrap()
    }
}
