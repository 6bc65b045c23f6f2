//! Operations that wait for a lock in vain say who holds it.

use sqlx::{Connection, PgConnection};

use super::*;
use crate::{
    builds::{BuildLimits, ChangeError, TooManyBuilds},
    postgres::Blocked,
    subscriptions::{OnFailure, Redelivery},
};

/// A host whose operations do not wait for long, with an active build of `tally`.
async fn host_with_tally(database: &TestDatabase, limits: BuildLimits) -> (TestHost, Identifier) {
    let operations =
        OperationsSettings { lock_timeout: Duration::from_millis(700), limits, ..OperationsSettings::default() };
    let settings = ServerSettings { operations, ..ServerSettings::default() };
    let host = TestHost::start_with(database, settings).await;
    let name = Identifier::new("tally").unwrap();
    host.deploy(&name, test_support::guest("tally"), Activation::Auto).await;
    host.caught_up(&name).await;
    (host, name)
}

/// A session of somebody else, in a transaction.
async fn session(database: &TestDatabase, sql: &str) -> PgConnection {
    let options = database.connect_options().application_name("somebody");
    let mut session = PgConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql(&format!("BEGIN; {sql}")).execute(&mut session).await.unwrap();
    session
}

fn names_somebody<T>(what: &str, done: Result<T, OperateError>) {
    match done {
        Err(OperateError::Change(ChangeError::Blocked(Blocked { by }))) => {
            let found: Vec<&str> = by.iter().map(|blocker| blocker.application.as_str()).collect();
            assert_eq!(found, ["somebody"], "{what}");
        }
        Err(error) => panic!("{what}: {error}"),
        Ok(_) => panic!("{what} was done"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_names_who_holds_a_lock() {
    let database = TestDatabase::create().await;
    let (host, name) = host_with_tally(&database, BuildLimits::default()).await;
    let operations = &host.operations;
    let second = operations.rebuild(&name, None, Activation::Manual).await.unwrap();
    host.caught_up(&name).await;
    let _session = session(&database, "SELECT FROM gnomon.projections FOR UPDATE").await;
    let now = Duration::ZERO;
    names_somebody("pause", operations.pause(&name, None).await);
    names_somebody("resume", operations.resume(&name, None).await);
    names_somebody("retry", operations.retry(&name, None, Redelivery::InOrder).await);
    names_somebody("activate", operations.activate(&name, Some(second), now).await);
    names_somebody("rebuild", operations.rebuild(&name, None, Activation::Auto).await);
    names_somebody("verify", operations.verify(&name, None).await);
    names_somebody("retire", operations.retire(&name, second).await);
    names_somebody("delete", operations.delete(&name).await);
    names_somebody("configure", operations.set_on_failure(&name, OnFailure::Park).await);
    names_somebody("deploy", operations.deploy(&[(name.clone(), ModuleVersion(1))], Activation::Auto).await);
    let Err(UploadModuleError::Operate(error)) =
        operations.upload(&name, test_support::guest("tally_next"), Activation::Auto).await
    else {
        panic!("it was uploaded")
    };
    names_somebody::<()>("upload", Err(error));
    host.projector.stop().await;
}

/// Deleting waited without end, with the rows of all builds locked.
#[tokio::test(flavor = "multi_thread")]
async fn a_projection_whose_view_a_session_has_read_is_not_deleted_and_nothing_else_waits() {
    let database = TestDatabase::create().await;
    let (host, name) = host_with_tally(&database, BuildLimits::default()).await;
    let mut session = session(&database, "SELECT * FROM read_models.tally_tallies").await;
    names_somebody("delete", host.operations.delete(&name).await);
    host.append([("count-1".to_owned(), "Counted", serde_json::json!({"n": 1}))]).await;
    host.caught_up(&name).await;
    sqlx::raw_sql("COMMIT").execute(&mut session).await.unwrap();
    host.operations.delete(&name).await.unwrap();
    host.projector.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_cannot_become_active_says_why_and_the_active_one_continues() {
    let database = TestDatabase::create().await;
    let (host, name) = host_with_tally(&database, BuildLimits::default()).await;
    let mut session = session(&database, "SELECT * FROM read_models.tally_tallies").await;
    let second = host.operations.rebuild(&name, None, Activation::Auto).await.unwrap();
    let shown = async || {
        let projection = host.operations.projection(&name, RetiredBuilds::Hidden).await.unwrap().unwrap();
        let waits_for = projection.builds.iter().find(|build| build.build == second).unwrap().waits_for.clone();
        (projection.active_build, waits_for)
    };
    test_support::until("the build says what it waits for", async || {
        shown().await.1.is_some_and(|why| why.contains("application somebody"))
    })
    .await;
    assert_ne!(shown().await.0, Some(second));
    for _ in 0..3 {
        host.append([("count-1".to_owned(), "Counted", serde_json::json!({"n": 1}))]).await;
        test_support::until("both builds have the event", async || {
            let projection = host.operations.projection(&name, RetiredBuilds::Hidden).await.unwrap().unwrap();
            projection.builds.iter().all(|build| build.lag == Some(0))
        })
        .await;
    }
    names_somebody("activate", host.operations.activate(&name, Some(second), Duration::from_secs(10)).await);
    sqlx::raw_sql("COMMIT").execute(&mut session).await.unwrap();
    test_support::until("the build is active", async || shown().await == (Some(second), None)).await;
    host.projector.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projection_has_so_many_builds_and_verifications_and_no_more() {
    let database = TestDatabase::create().await;
    let limits = BuildLimits { max_builds: 3, max_verifications: 2 };
    let (host, name) = host_with_tally(&database, limits).await;
    let verifies = (0..6).map(|_| host.operations.verify(&name, None));
    let begun = futures_util::future::join_all(verifies).await;
    assert_eq!(begun.iter().filter(|begun| begun.is_ok()).count(), 2);
    for error in begun.into_iter().filter_map(Result::err) {
        let OperateError::TooManyBuilds(TooManyBuilds { verifies: true, found: 2, max: 2, .. }) = error else {
            panic!("{error}")
        };
    }
    host.operations.rebuild(&name, None, Activation::Manual).await.unwrap();
    let last = host.operations.rebuild(&name, None, Activation::Manual).await.unwrap();
    let refused = host.operations.rebuild(&name, None, Activation::Manual).await.unwrap_err();
    assert!(
        refused.to_string().starts_with(
            "projection `tally` has 3 builds that are not retired, and may have 3 (--max-builds); retire some"
        ),
        "{refused}"
    );
    host.operations.retire(&name, last).await.unwrap();
    host.operations.rebuild(&name, None, Activation::Manual).await.unwrap();
    host.projector.stop().await;
}
