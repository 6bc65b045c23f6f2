//! Which build is activated, and what it replaces.

use serde_json::json;

use super::*;
use crate::builds::{Build, BuildError, BuildNumber, ChangeError, PickError};

const NOW: Duration = Duration::ZERO;

/// A host whose projection `tally` has an active build of version 1, at position 1.
async fn host_with_tally(database: &TestDatabase) -> (TestHost, Identifier, Build) {
    let host = TestHost::start(database).await;
    let name = Identifier::new("tally").unwrap();
    host.append([("count-1".to_owned(), "Counted", json!({"n": 5}))]).await;
    let first = host.deploy(&name, test_support::guest("tally"), Activation::Auto).await;
    host.caught_up(&name).await;
    (host, name, first)
}

async fn active(host: &TestHost, name: &Identifier) -> Option<BuildNumber> {
    host.operations.projection(name, RetiredBuilds::Hidden).await.unwrap().unwrap().active_build
}

fn now(replaced: &Build) -> When {
    When::Now(Some(ReplacedBuild { build: replaced.number, version: replaced.version }))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_activation_without_a_build_does_not_go_back_and_says_what_is_replaced() {
    let database = TestDatabase::create().await;
    let (host, name, first) = host_with_tally(&database).await;
    let second = host.deploy(&name, test_support::guest("tally_next"), Activation::Manual).await;
    host.caught_up(&name).await;
    let operations = &host.operations;
    let activated = operations.activate(&name, None, NOW).await.unwrap();
    assert_eq!(activated, Activated { build: second.number, when: now(&first) });
    for _ in 0..2 {
        let again = operations.activate(&name, None, NOW).await.unwrap();
        assert_eq!(again, Activated { build: second.number, when: When::Already });
    }
    let back = operations.rollback(&name, NOW).await.unwrap();
    assert_eq!(back, Activated { build: first.number, when: now(&second) });

    // A stopped build is activated by its number only, whichever way.
    operations.pause(&name, Some(second.number)).await.unwrap();
    let refused = operations.activate(&name, None, NOW).await.unwrap_err();
    assert!(matches!(refused, OperateError::Pick(PickError::NoneFits { .. })), "{refused}");
    assert_eq!(active(&host, &name).await, Some(first.number));
    let named = operations.activate(&name, Some(second.number), NOW).await.unwrap();
    assert_eq!(named, Activated { build: second.number, when: now(&first) });
    operations.pause(&name, Some(first.number)).await.unwrap();
    let refused = operations.rollback(&name, NOW).await.unwrap_err().to_string();
    assert!(refused.contains("build 1 was active before, and is paused: it would stand still"), "{refused}");
    assert_eq!(active(&host, &name).await, Some(second.number));
    host.projector.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_version_that_is_deployed_again_says_what_it_replaces() {
    let database = TestDatabase::create().await;
    let (host, name, first) = host_with_tally(&database).await;
    let second = host.deploy(&name, test_support::guest("tally_next"), Activation::Auto).await;
    test_support::until("the second build is active", async || active(&host, &name).await == Some(second.number)).await;
    let deployed = |effect| match effect {
        UploadEffect::Deployed(Rebuilt { build, replaces, .. }) => (build, replaces),
        other => panic!("{other:?}"),
    };
    let upload = async |activation| {
        deployed(host.operations.upload(&name, test_support::guest("tally"), activation).await.unwrap().effect)
    };
    assert_eq!(upload(Activation::Manual).await, (first.number, None), "it waits for an operator");
    let replaced = ReplacedBuild { build: second.number, version: second.version };
    assert_eq!(upload(Activation::Auto).await, (first.number, Some(replaced)));
    assert_eq!(active(&host, &name).await, Some(first.number));
    assert_eq!(upload(Activation::Auto).await, (first.number, None), "it is active already");
    host.projector.stop().await;
}

/// A user's view keeps the build from becoming active by itself: the cause is where operators look.
#[tokio::test(flavor = "multi_thread")]
async fn a_view_that_keeps_a_build_from_becoming_active_is_named_by_the_build_and_in_the_history() {
    let database = TestDatabase::create().await;
    let (host, name, first) = host_with_tally(&database).await;
    let run = async |sql: &str| {
        sqlx::raw_sql(sql).execute(&host.database.lookups).await.unwrap();
    };
    run("CREATE VIEW public.of_users AS SELECT last_version FROM read_models.tally_tallies").await;
    let second = host.deploy(&name, test_support::guest("tally_next"), Activation::Auto).await;
    let error = async || {
        let projection = host.operations.projection(&name, RetiredBuilds::Hidden).await.unwrap().unwrap();
        projection.builds.into_iter().find(|build| build.build == second.number).and_then(|build| build.error)
    };
    test_support::until("the build has an error", async || error().await.is_some()).await;
    let Some(BuildError::Host { message }) = error().await else { panic!("{:?}", error().await) };
    assert!(message.contains("`read_models.tally_tallies` must be dropped"), "{message}");
    assert!(message.contains("view public.of_users"), "{message}");
    let last = host.operations.history(&name, None, 1).await.unwrap().remove(0);
    assert_eq!((last.change.as_str(), &last.cause), ("not_activated", &message));
    assert_eq!(active(&host, &name).await, Some(first.number));

    let refused = host.operations.activate(&name, Some(second.number), NOW).await.unwrap_err();
    assert!(matches!(refused, OperateError::Change(ChangeError::ViewInUse(_))), "{refused}");
    run("DROP VIEW public.of_users").await;
    host.operations.activate(&name, Some(second.number), NOW).await.unwrap();
    assert_eq!(error().await, None);
    run("CREATE VIEW public.of_users AS SELECT poison FROM read_models.tally_tallies").await;
    let refused = host.operations.rollback(&name, NOW).await.unwrap_err();
    assert!(matches!(refused, OperateError::Change(ChangeError::ViewInUse(_))), "{refused}");
    host.projector.stop().await;
}
