//! Locks that others hold: what waits for them, and what does not.

use std::time::Duration;

use serde_json::json;
use sqlx::{Connection, PgConnection, PgPool};

use crate::{
    builds::{Activation, BuildId, BuildState, BuildSummary, RetiredBuilds},
    postgres::test_database::TestDatabase,
    projector::ProjectorSettings,
    read_model::Identifier,
    server::{ServerSettings, tests::TestHost},
};

fn name(text: &str) -> Identifier {
    Identifier::new(text).unwrap()
}

fn settings(projector: ProjectorSettings) -> ServerSettings {
    ServerSettings { projector, ..ServerSettings::default() }
}

/// How long leases last: for so long that none expires, and no host counts as hanging, while the machine is busy with other tests.
const LEASE: Duration = Duration::from_secs(60);
/// For how long a test sees that a lease is renewed: longer than the time for which a commit waits for a lock.
const RENEWED_FOR: Duration = Duration::from_secs(4);

async fn host(database: &TestDatabase) -> TestHost {
    let lease = LEASE;
    TestHost::start_with(database, settings(ProjectorSettings { lease, ..ProjectorSettings::default() })).await
}

async fn count(host: &TestHost) {
    host.append([("count-1".to_owned(), "Counted", json!({"n": 1}))]).await;
}

/// A session of somebody else, in a transaction.
async fn session(database: &TestDatabase, application: &str, sql: &str) -> PgConnection {
    let options = database.connect_options().application_name(application);
    let mut session = PgConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql(&format!("BEGIN; {sql}")).execute(&mut session).await.unwrap();
    session
}

async fn summary(host: &TestHost, name: &Identifier, number: u64) -> BuildSummary {
    let projection = host.operations.projection(name, RetiredBuilds::Listed).await.unwrap().unwrap();
    projection.builds.into_iter().find(|build| build.build.0 == number).unwrap()
}

async fn epoch(pool: &PgPool, build: BuildId) -> i64 {
    sqlx::query_scalar("SELECT lease_epoch FROM gnomon.subscriptions WHERE subscription = $1")
        .bind(build.0)
        .fetch_one(pool)
        .await
        .unwrap()
}

/// Waits until a lease has been renewed after some time, and checks that it was never lost.
async fn is_renewed(pool: &PgPool, build: BuildId) {
    let before = epoch(pool, build).await;
    let lasts_until: String = sqlx::query_scalar("SELECT (clock_timestamp() + $1)::text")
        .bind(LEASE + RENEWED_FOR)
        .fetch_one(pool)
        .await
        .unwrap();
    test_support::until("the lease is renewed", async || {
        sqlx::query_scalar("SELECT leased_until > $2::timestamptz FROM gnomon.subscriptions WHERE subscription = $1")
            .bind(build.0)
            .bind(&lasts_until)
            .fetch_one(pool)
            .await
            .unwrap()
    })
    .await;
    assert_eq!(epoch(pool, build).await, before, "the lease was lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_on_one_builds_table_is_that_builds_trouble_only() {
    let database = TestDatabase::create().await;
    let hosts = [host(&database).await, host(&database).await];
    let (locked, free, late) = (name("locked"), name("free"), name("late"));
    let mut builds = Vec::new();
    for projection in [&locked, &free] {
        builds.push(hosts[0].deploy(projection, test_support::guest("tally"), Activation::Auto).await);
        hosts[0].caught_up(projection).await;
    }
    // As CREATE INDEX locks it.
    let sql = format!("LOCK TABLE {}.tallies IN SHARE MODE", builds[0].id.schema());
    let mut indexer = session(&database, "an indexer", &sql).await;
    count(&hosts[0]).await;
    test_support::until("the build says what it waits for", async || {
        let waits_for = summary(&hosts[0], &locked, 1).await.waits_for;
        waits_for.is_some_and(|why| why.contains("application an indexer") && why.contains("pg_terminate_backend"))
    })
    .await;

    hosts[1].deploy(&late, test_support::guest("tally"), Activation::Auto).await;
    hosts[1].caught_up(&late).await;
    count(&hosts[0]).await;
    hosts[0].caught_up(&free).await;
    is_renewed(&hosts[0].database.lookups, builds[1].id).await;
    assert!(summary(&hosts[0], &locked, 1).await.lag > Some(0));

    // An operator gets the row of the build all the same.
    hosts[0].operations.pause(&locked, None).await.unwrap();
    hosts[0].operations.resume(&locked, None).await.unwrap();
    sqlx::raw_sql("ROLLBACK").execute(&mut indexer).await.unwrap();
    hosts[0].caught_up(&locked).await;
    test_support::until("it waits no longer", async || summary(&hosts[0], &locked, 1).await.waits_for.is_none()).await;
    for host in &hosts {
        host.projector.stop().await;
    }
}

/// As when the server has not noticed that the connection broke: the lost session still has the name of the host.
#[tokio::test(flavor = "multi_thread")]
async fn leases_are_renewed_while_the_session_that_shows_the_host_is_made_again() {
    let database = TestDatabase::create().await;
    let host = host(&database).await;
    let pool = &host.database.lookups;
    let tally = name("tally");
    let build = host.deploy(&tally, test_support::guest("tally"), Activation::Auto).await;
    host.caught_up(&tally).await;
    // `GNOM`, and the key of the host.
    const NAMES: i64 = 0x474e_4f4d;
    let mut taker = PgConnection::connect_with(&database.connect_options()).await.unwrap();
    let key: i32 = sqlx::query_scalar("SELECT host FROM gnomon.hosts").fetch_one(pool).await.unwrap();
    let taken = tokio::spawn(async move {
        let sql = format!("SELECT pg_advisory_lock({NAMES}, {key})");
        let mut transaction = taker.begin().await.unwrap();
        // A host may end a session that keeps its name from it.
        let _ = sqlx::query(&sql).execute(&mut *transaction).await;
        std::future::pending::<()>().await;
    });
    let holders = async |granted: bool| -> Vec<i32> {
        // Other tests have hosts on the same server.
        let sql = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid::bigint = $1 AND granted = $2
                     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        sqlx::query_scalar(sql).bind(NAMES).bind(granted).fetch_all(pool).await.unwrap()
    };
    test_support::until("somebody waits for the host's name", async || holders(false).await.len() == 1).await;
    let first = holders(true).await;
    sqlx::query("SELECT pg_terminate_backend($1)").bind(first[0]).execute(pool).await.unwrap();
    test_support::until("somebody has the host's name", async || {
        holders(true).await.iter().any(|pid| *pid != first[0])
    })
    .await;

    is_renewed(pool, build.id).await;
    count(&host).await;
    host.caught_up(&tally).await;
    taken.abort();
    host.projector.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_cannot_be_retired_keeps_no_other_one() {
    let database = TestDatabase::create().await;
    let keep_replaced = Duration::ZERO;
    let projector = ProjectorSettings { keep_replaced, ..ProjectorSettings::default() };
    let host = TestHost::start_with(&database, settings(projector)).await;
    let tally = name("tally");
    let build = host.deploy(&tally, test_support::guest("tally"), Activation::Auto).await;
    host.caught_up(&tally).await;
    let sql = format!("SELECT FROM {}.tallies", build.id.schema());
    let mut reader = session(&database, "a report", &sql).await;
    for next in [2, 3] {
        host.operations.rebuild(&tally, None, Activation::Auto).await.unwrap();
        test_support::until("the next build is active", async || {
            summary(&host, &tally, next).await.state == BuildState::Active
        })
        .await;
    }
    test_support::until("the second build is retired", async || {
        summary(&host, &tally, 2).await.state == BuildState::Retired
    })
    .await;
    test_support::until("the first build says why it is not", async || {
        let first = summary(&host, &tally, 1).await;
        first.state != BuildState::Retired && first.waits_for.is_some_and(|why| why.contains("application a report"))
    })
    .await;
    sqlx::raw_sql("ROLLBACK").execute(&mut reader).await.unwrap();
    test_support::until("the first build is retired", async || {
        summary(&host, &tally, 1).await.state == BuildState::Retired
    })
    .await;
    host.projector.stop().await;
}

/// A worker that locked the tables first and an operation that locked the subscription first have waited for each other.
#[tokio::test(flavor = "multi_thread")]
async fn a_build_at_the_end_of_its_replay_has_its_subscription_before_its_tables() {
    let database = TestDatabase::create().await;
    let idle = TestHost::start(&database).await;
    idle.projector.stop().await;
    let tally = name("tally");
    let build = idle.deploy(&tally, test_support::guest("tally"), Activation::Manual).await;
    // Rows can be written, and the table cannot be analysed.
    let table = format!("{}.tallies", build.id.schema());
    let mut other = session(&database, "a vacuum", &format!("LOCK TABLE {table} IN SHARE UPDATE EXCLUSIVE MODE")).await;
    let host = TestHost::start(&database).await;
    test_support::until("the worker waits for the table, and has the subscription", async || {
        let waits: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = $1::regclass::oid
                                  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        )
        .bind(&table)
        .fetch_one(&host.database.lookups)
        .await
        .unwrap();
        let free: Option<i64> = sqlx::query_scalar(
            "SELECT subscription FROM gnomon.subscriptions WHERE subscription = $1 FOR UPDATE SKIP LOCKED",
        )
        .bind(build.id.0)
        .fetch_optional(&host.database.lookups)
        .await
        .unwrap();
        waits > 0 && free.is_none()
    })
    .await;
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    test_support::until("the build is live", async || summary(&host, &tally, 1).await.state == BuildState::Live).await;
    host.projector.stop().await;
}
