//! Two builds of a real module, at work on two hosts while events come in.

use serde_json::{json, value::RawValue};

use super::*;
use crate::{
    event_log::{Append, EventId, EventLogSettings, EventType, ExpectedVersion, NewEvent, SchemaVersion, StreamName},
    projector::tests::component::{bank, bank_again},
    runtime::{Runtime, RuntimeLimits, RuntimeSettings},
};

struct Host {
    log: EventLog,
    modules: Modules,
    projector: Projector,
}

impl Host {
    async fn start(database: &TestDatabase) -> Self {
        let database = Database::connect(database.connect_options(), 20, Duration::from_secs(60)).await.unwrap();
        migrate(&database.lookups).await.unwrap();
        let log = EventLog::open(database.lookups.clone(), EventLogSettings::default()).await.unwrap();
        let runtime = RuntimeSettings { limits: RuntimeLimits::default(), cache: None };
        let modules = Modules::new(database.lookups.clone(), Runtime::start(runtime).unwrap());
        let projector = Projector::start(&database, log.clone(), modules.clone(), ProjectorSettings::default());
        Self { log, modules, projector }
    }

    async fn deploy(&self, name: &Identifier, component: Vec<u8>, activate: Activate) -> BuildId {
        let uploaded = self.modules.upload(name, component).await.unwrap();
        self.projector.deploy(name, uploaded.version, activate).await.unwrap()
    }

    async fn append(&self, account: u64, event_type: &str, data: serde_json::Value) {
        let event = NewEvent {
            id: EventId::make(),
            event_type: EventType::new(event_type).unwrap(),
            schema_version: SchemaVersion::FIRST,
            time: None,
            data: RawValue::from_string(data.to_string()).unwrap().into(),
            metadata: None,
        };
        let stream = StreamName::new(format!("account-{account}")).unwrap();
        self.log.append(vec![Append { stream, expected: ExpectedVersion::Any, events: vec![event] }]).await.unwrap();
    }

    async fn deposit(&self, account: u64) {
        self.append(account, "MoneyDeposited", json!({"amount": 1, "currency": "EUR"})).await;
    }

    /// Waits until each build is live, or active, and holds the effect of every event.
    async fn caught_up(&self, name: &Identifier) {
        loop {
            let projection = self.projector.get(name).await.unwrap().unwrap();
            assert!(projection.builds.iter().all(|build| build.error.is_none()), "{projection:?}");
            let done =
                |build: &BuildSummary| matches!(build.state, BuildState::Live | BuildState::Active) && build.lag == 0;
            if projection.active_build.is_some() && projection.builds.iter().all(done) {
                return;
            }
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn builds_of_one_logic_are_identical_wherever_they_meet() {
    let database = TestDatabase::create().await;
    let one = Host::start(&database).await;
    let name = Identifier::new("bank").unwrap();
    for account in 0..20 {
        one.append(account, "AccountOpened", json!({"owner": "Ada", "currency": "EUR"})).await;
    }
    let left = one.deploy(&name, bank(), Activate::Auto).await;
    one.caught_up(&name).await;
    let error = one.projector.compare(&name, None, None, CompareOptions::default()).await.unwrap_err();
    assert!(matches!(error, CompareError::NoOtherBuild { left: only, .. } if only == left), "{error}");

    let other = Host::start(&database).await;
    let right = other.deploy(&name, bank_again(), Activate::Manual).await;
    assert_ne!(left, right);
    other.caught_up(&name).await;

    let stop = CancellationToken::new();
    // Writers enough that commits of both builds are always under way.
    let steady = futures_util::future::join_all((0..8).map(async |writer| {
        let mut deposits = 0;
        while !stop.is_cancelled() {
            one.deposit((deposits + writer) % 20).await;
            deposits += 1;
        }
        deposits
    }));
    let compare = async {
        let mut positions = Vec::new();
        for turn in 0..40 {
            let host = if turn % 2 == 0 { &one } else { &other };
            let options = CompareOptions { patience: Duration::from_secs(60), ..CompareOptions::default() };
            let comparison = host.projector.compare(&name, None, None, options).await.unwrap();
            assert_eq!((comparison.left.build, comparison.right.build), (left, right));
            assert!(comparison.identical, "{}", serde_json::to_string(&comparison).unwrap());
            assert_eq!(comparison.tables[0].rows_left, Some(20));
            positions.push(comparison.position);
        }
        stop.cancel();
        positions
    };
    let (deposits, positions) = tokio::join!(steady, compare);
    let deposits: u64 = deposits.into_iter().sum();
    assert!(positions.is_sorted(), "{positions:?}");
    assert!(positions[0] < positions[positions.len() - 1], "both went on in between: {positions:?}");

    // Nobody was left at a meeting, nothing was lost or doubled, and what is there has one hash.
    one.caught_up(&name).await;
    let booked = |build: BuildId| format!("SELECT sum(transactions)::bigint FROM {}.accounts", build.schema());
    for build in [left, right] {
        let pool = &one.projector.shared.pool;
        let booked: i64 = sqlx::query_scalar(&booked(build)).fetch_one(pool).await.unwrap();
        assert_eq!(booked.unsigned_abs(), deposits);
    }
    let hashes = [left, right].map(|build| one.projector.content_hash(build));
    let [one_hash, other_hash] = futures_util::future::join_all(hashes).await.try_into().unwrap();
    let (one_hash, other_hash) = (one_hash.unwrap(), other_hash.unwrap());
    assert_eq!(one_hash.position.0, 20 + deposits);
    assert_eq!((one_hash.position, one_hash.hashes), (other_hash.position, other_hash.hashes));

    // A row that somebody changed is found.
    sqlx::query(&format!("UPDATE {}.accounts SET balance = -1 WHERE account = '7'", right.schema()))
        .execute(&one.projector.shared.pool)
        .await
        .unwrap();
    let comparison = one.projector.compare(&name, Some(right), Some(left), CompareOptions::default()).await.unwrap();
    assert!(!comparison.identical);
    one.projector.stop().await;
    other.projector.stop().await;
}
