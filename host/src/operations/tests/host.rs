//! A host without HTTP: log, modules and projector on a real Postgres.

use serde_json::{Value, json};

use super::*;
use crate::{
    event_log::{EventId, EventLogSettings, EventType, JsonText, NewEvent, SchemaVersion, StreamName},
    postgres::migrate,
    runtime::{Runtime, RuntimeLimits, RuntimeSettings},
};

pub(super) struct Host {
    pub(super) database: Database,
    pub(super) log: EventLog,
    pub(super) operations: Operations,
    pub(super) queries: Queries,
    pub(super) projector: Projector,
    /// Compiled modules.
    _cache: tempfile::TempDir,
}

impl Host {
    pub(super) async fn start(database: &TestDatabase) -> Self {
        Self::start_with(database, ProjectorSettings::default()).await
    }

    pub(super) async fn start_with(database: &TestDatabase, settings: ProjectorSettings) -> Self {
        let database = Database::connect(database.connect_options(), 20, Duration::from_secs(60)).await.unwrap();
        migrate(&database.lookups).await.unwrap();
        let log = EventLog::open(database.lookups.clone(), EventLogSettings::default()).await.unwrap();
        let cache = tempfile::tempdir().unwrap();
        let runtime = RuntimeSettings { limits: RuntimeLimits::default(), cache: Some(cache.path().to_owned()) };
        let modules = Modules::new(database.lookups.clone(), Runtime::start(runtime).unwrap());
        let projector = Projector::start(&database, log.clone(), modules.clone(), settings);
        let operations = Operations::new(&database, modules.clone(), projector.committed());
        let queries = Queries::new(&database, projector.committed());
        Self { database, log, operations, queries, projector, _cache: cache }
    }

    pub(super) async fn deploy(&self, name: &Identifier, component: Vec<u8>, activation: Activation) -> BuildId {
        self.operations.upload(name, component, activation).await.unwrap().build.unwrap()
    }

    /// Appends events by stream, type and data, in their order and all at once.
    pub(super) async fn append(&self, events: impl IntoIterator<Item = (String, &str, Value)>) {
        let lines = events.into_iter().map(|(stream, event_type, data)| {
            let event = NewEvent {
                id: EventId::make(),
                event_type: EventType::new(event_type).unwrap(),
                schema_version: SchemaVersion::FIRST,
                time: None,
                data: JsonText::parse(&data.to_string()).unwrap(),
                metadata: None,
            };
            (StreamName::new(stream).unwrap(), event)
        });
        self.log.import(lines.collect(), 1).await.unwrap();
    }

    pub(super) async fn deposit(&self, account: u64) {
        let data = json!({"amount": 1, "currency": "EUR"});
        self.append([(format!("account-{account}"), "MoneyDeposited", data)]).await;
    }

    /// Waits until each build is live, or active, and holds the effect of every event.
    pub(super) async fn caught_up(&self, name: &Identifier) {
        loop {
            let projection = self.operations.projection(name).await.unwrap().unwrap();
            assert!(projection.builds.iter().all(|build| build.error.is_none()), "{projection:?}");
            let done = |build: &BuildSummary| {
                matches!(build.state, BuildState::Live | BuildState::Active) && build.lag == Some(0)
            };
            if projection.active_build.is_some() && projection.builds.iter().all(done) {
                return;
            }
            tokio::task::yield_now().await;
        }
    }
}
