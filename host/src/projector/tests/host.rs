//! A host without HTTP: log, modules and projector on a real Postgres.

use serde_json::{Value, json, value::RawValue};

use super::*;
use crate::{
    event_log::{EventId, EventLogSettings, EventType, NewEvent, SchemaVersion, StreamName},
    runtime::{Runtime, RuntimeLimits, RuntimeSettings},
};

pub(super) struct Host {
    pub(super) database: Database,
    pub(super) log: EventLog,
    pub(super) modules: Modules,
    pub(super) projector: Projector,
}

impl Host {
    pub(super) async fn start(database: &TestDatabase) -> Self {
        Self::start_with(database, ProjectorSettings::default()).await
    }

    pub(super) async fn start_with(database: &TestDatabase, settings: ProjectorSettings) -> Self {
        let database = Database::connect(database.connect_options(), 20, Duration::from_secs(60)).await.unwrap();
        migrate(&database.lookups).await.unwrap();
        let log = EventLog::open(database.lookups.clone(), EventLogSettings::default()).await.unwrap();
        let runtime = RuntimeSettings { limits: RuntimeLimits::default(), cache: None };
        let modules = Modules::new(database.lookups.clone(), Runtime::start(runtime).unwrap());
        let projector = Projector::start(&database, log.clone(), modules.clone(), settings);
        Self { database, log, modules, projector }
    }

    pub(super) async fn deploy(&self, name: &Identifier, component: Vec<u8>, activate: Activate) -> BuildId {
        let uploaded = self.modules.upload(name, component).await.unwrap();
        self.projector.deploy(name, uploaded.version, activate).await.unwrap()
    }

    /// Appends events by stream, type and data, in their order and all at once.
    pub(super) async fn append(&self, events: impl IntoIterator<Item = (String, &str, Value)>) {
        let lines = events.into_iter().map(|(stream, event_type, data)| {
            let event = NewEvent {
                id: EventId::make(),
                event_type: EventType::new(event_type).unwrap(),
                schema_version: SchemaVersion::FIRST,
                time: None,
                data: RawValue::from_string(data.to_string()).unwrap().into(),
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
            let projection = self.projector.get(name).await.unwrap().unwrap();
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
