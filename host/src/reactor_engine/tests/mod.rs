//! Reactors on a real Postgres, with real modules.

mod effects;
mod failures;
mod faults;
mod lifecycle;
mod saga;
mod schedules;
mod upcasters;

use std::sync::Arc;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{
    settings::ReactorSettings,
    work::{Shared, Work},
};
use crate::{
    builds::Activation,
    event_log::{Direction, Filter, Position, RecordedEvent},
    folding::{FoldingThreads, RowMemory},
    metrics,
    modules::ModuleVersion,
    operations::{UploadEffect, UploadModuleError},
    postgres::test_database::TestDatabase,
    reactors::{self, Deployed, Reactor, ReactorSummary},
    read_model::Identifier,
    server::{ServerSettings, tests::TestHost},
    subscriptions::{HostKey, Lease},
};

/// A host with a reactor, `obeys`, that does what it is told.
pub(super) struct TestReactor {
    pub(super) host: TestHost,
    pub(super) name: Identifier,
    pub(super) database: TestDatabase,
}

/// A row of what the reactor has heard: its position, what it was, and how many came before.
pub(super) type Heard = (i64, String, i64);

impl TestReactor {
    /// A host without a reactor.
    pub(super) async fn none() -> Self {
        let database = TestDatabase::create().await;
        let host = TestHost::start(&database).await;
        Self { host, name: Identifier::new("obeys").unwrap(), database }
    }

    /// A reactor that has begun with the first event.
    pub(super) async fn start() -> Self {
        let test = Self::none().await;
        test.deploy("obeys", None).await.unwrap();
        test
    }

    /// A reactor on which no host works.
    pub(super) async fn idle() -> Self {
        let test = Self::none().await;
        test.host.reactors.stop().await;
        test.deploy("obeys", None).await.unwrap();
        test
    }

    /// Another host on the same database.
    pub(super) async fn other_host(&self) -> TestHost {
        TestHost::start(&self.database).await
    }

    /// Uploads a version, and lets it work.
    pub(super) async fn deploy(&self, guest: &str, from: Option<u64>) -> Result<Deployed, UploadModuleError> {
        let (bytes, from) = (test_support::guest(guest), from.map(Position));
        let operations = &self.host.operations;
        match operations.upload_from(&self.name, bytes, Activation::Auto, from).await?.effect {
            UploadEffect::Reacts(reactor) => Ok(reactor.deployed),
            other => panic!("{other:?}"),
        }
    }

    /// Tells the reactor to do something, by an event of this stream.
    pub(super) async fn tell(&self, stream: &str, orders: Value) {
        self.host.append([(stream.to_owned(), "Told", orders)]).await;
    }

    pub(super) async fn reactor(&self) -> Reactor {
        reactors::get(&self.host.database.lookups, &self.name).await.unwrap().unwrap()
    }

    pub(super) async fn summary(&self) -> ReactorSummary {
        self.host.operations.reactor(&self.name).await.unwrap()
    }

    /// Waits until the reactor has handled all that is in the log, its own events of that included.
    pub(super) async fn handled(&self) {
        test_support::until("the reactor has handled the log", async || {
            let found = self.summary().await;
            assert_eq!(found.error, None);
            found.checkpoint == self.host.log.read_head().await.unwrap()
        })
        .await;
    }

    /// Waits until the reactor stops, and returns why.
    pub(super) async fn stopped(&self) -> String {
        let mut why = None;
        test_support::until("the reactor stops", async || {
            why = self.summary().await.error.map(|error| error.to_string());
            why.is_some()
        })
        .await;
        why.unwrap()
    }

    /// The events of the log, without those that tell the reactor what to do.
    pub(super) async fn done(&self) -> Vec<RecordedEvent> {
        let page = self.host.log.read(Direction::Forward, None, 100_000, &Filter::default()).await.unwrap();
        page.events.into_iter().filter(|event| event.event_type.as_str() != "Told").collect()
    }

    /// Stream and type of these.
    pub(super) async fn done_by_name(&self) -> Vec<(String, String)> {
        let name = |event: RecordedEvent| (event.stream.into(), event.event_type.into());
        self.done().await.into_iter().map(name).collect()
    }

    pub(super) async fn heard(&self) -> Vec<Heard> {
        let schema = self.reactor().await.id.schema();
        sqlx::query_as(&format!("SELECT position, what, before FROM {schema}.heard ORDER BY position"))
            .fetch_all(&self.host.database.lookups)
            .await
            .unwrap()
    }

    /// Position and number, type and call of each message of the outbox.
    pub(super) async fn messages(&self) -> Vec<(i64, i32, String, Option<String>)> {
        sqlx::query_as("SELECT position, number, type, call FROM gnomon.outbox ORDER BY position, number")
            .fetch_all(&self.host.database.lookups)
            .await
            .unwrap()
    }

    /// The names of the schedules.
    pub(super) async fn schedules(&self) -> Vec<String> {
        sqlx::query_scalar("SELECT name FROM gnomon.schedules ORDER BY name")
            .fetch_all(&self.host.database.lookups)
            .await
            .unwrap()
    }

    /// What the holder of a new lease works with. Nobody renews the lease, and it is taken from nobody who lives.
    pub(super) async fn work(&self) -> Work {
        let pool = self.host.database.lookups.clone();
        let reactor = self.reactor().await.id;
        let (host, settings) = (HostKey::random(), ReactorSettings::default());
        let mut lease: Option<Lease> = None;
        // A transaction that was dropped holds its rows until its connection has rolled back.
        test_support::until("the lease is free", async || {
            let taken = crate::subscriptions::acquire(&pool, host, reactor.subscription(), settings.lease);
            lease = taken.await.unwrap();
            lease.is_some()
        })
        .await;
        let job = reactors::job(&mut pool.acquire().await.unwrap(), reactor).await.unwrap().unwrap();
        let shared = Shared {
            pool,
            log: self.host.log.clone(),
            modules: self.host.modules.clone(),
            outbox: self.host.outbox.clone(),
            host,
            settings,
            folding: FoldingThreads::start(4).unwrap(),
            rows: RowMemory::new(settings.max_kept_rows_bytes),
            look_again: Arc::default(),
        };
        let measures = metrics::of_host().reactors.reactor("obeys");
        Work { shared: Arc::new(shared), job, lease: lease.unwrap(), stop: CancellationToken::new(), measures }
    }
}

/// Appends one event to a stream.
pub(super) fn append(stream: &str) -> Value {
    json!({"append": {"stream": stream}})
}

/// Appends one event to a stream that is expected to have a version.
pub(super) fn append_at(stream: &str, expected: u64) -> Value {
    json!({"append": {"stream": stream, "expected": expected}})
}

/// Makes a schedule so many milliseconds after the event.
pub(super) fn schedule(name: &str, after: i64) -> Value {
    json!({"schedule": {"name": name, "after": after}})
}

/// Fails in versions of the reactor up to this one.
pub(super) fn fail_up_to(version: u32) -> Value {
    json!({"fail_up_to": version})
}
