//! The numbers by which people know builds and verifications.

use super::*;
use crate::builds::{BuildName, BuildNumber, PickError, ProjectionSummary};

const FIRST: BuildNumber = BuildNumber(1);

async fn shown(host: &TestHost, name: &Identifier, retired: RetiredBuilds) -> ProjectionSummary {
    host.operations.projection(name, retired).await.unwrap().unwrap()
}

fn numbers(projection: &ProjectionSummary) -> Vec<u64> {
    projection.builds.iter().map(|build| build.build.0).collect()
}

/// The builds and verifications of the history, in the order in which they were begun.
async fn begun(host: &TestHost, name: &Identifier) -> Vec<String> {
    let mut history = host.operations.history(name, None, 100).await.unwrap();
    history.retain(|entry| entry.change == "begun");
    history.iter().rev().map(|entry| entry.build.unwrap().to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn builds_and_verifications_are_counted_for_each_projection() {
    let database = TestDatabase::create().await;
    let host = TestHost::start(&database).await;
    let [tally, ledger] = ["tally", "ledger"].map(|name| Identifier::new(name).unwrap());
    for name in [&tally, &ledger] {
        let build = host.deploy(name, test_support::guest(name.as_str()), Activation::Auto).await;
        assert_eq!((build.name(), build.number), (BuildName::Build(FIRST), FIRST));
        host.caught_up(name).await;
        assert_eq!(host.operations.verify(name, None).await.unwrap(), (FIRST, FIRST));
    }
    let rebuilt = host.operations.rebuild(&tally, None, Activation::Manual).await.unwrap();
    assert_eq!(rebuilt, BuildNumber(2), "the verification has taken no number");
    assert_eq!(host.operations.verify(&tally, None).await.unwrap(), (BuildNumber(2), FIRST));
    assert_eq!(begun(&host, &tally).await, ["build 1", "verification 1", "build 2", "verification 2"]);

    let projection = shown(&host, &tally, RetiredBuilds::Hidden).await;
    assert_eq!((numbers(&projection), projection.active_build), (vec![2, 1], Some(FIRST)));
    let verifications: Vec<_> = projection.verifications.iter().map(|one| (one.by.build.0, one.verified.0)).collect();
    assert_eq!(verifications, [(2, 1), (1, 1)]);
    let named = host.operations.pause(&tally, Some(BuildNumber(3))).await.unwrap_err().to_string();
    assert_eq!(named, "projection `tally` has no build 3; it has 2, 1");

    host.operations.end_verification(&tally, FIRST).await.unwrap();
    // The newest entry comes first. Build 2 may note at the same time that it has caught up.
    let mut history = host.operations.history(&tally, None, 100).await.unwrap();
    history.retain(|entry| entry.build == Some(BuildName::Verification(FIRST)));
    assert_eq!((history[0].change.as_str(), history[0].cause.as_str()), ("retired", "the verification has ended"));
    assert_eq!(shown(&host, &tally, RetiredBuilds::Listed).await.verifications.len(), 1, "the other one goes on");
    let none = host.operations.end_verification(&tally, BuildNumber(9)).await.unwrap_err();
    assert!(matches!(none, OperateError::Pick(PickError::NoVerification { .. })), "{none}");
    host.projector.stop().await;
}

/// The history of a deleted projection stays, and must not name two builds by one number.
#[tokio::test(flavor = "multi_thread")]
async fn a_projection_that_is_deleted_and_deployed_again_goes_on_counting() {
    let database = TestDatabase::create().await;
    let host = TestHost::start(&database).await;
    let name = Identifier::new("tally").unwrap();
    for round in 1..=2 {
        let build = host.deploy(&name, test_support::guest("tally"), Activation::Auto).await;
        assert_eq!(build.number, BuildNumber(round));
        host.caught_up(&name).await;
        assert_eq!(host.operations.verify(&name, None).await.unwrap(), (BuildNumber(round), build.number));
        host.operations.delete(&name).await.unwrap();
    }
    assert_eq!(begun(&host, &name).await, ["build 1", "verification 1", "build 2", "verification 2"]);
    host.projector.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn retired_builds_are_hidden_unless_they_are_asked_for() {
    let database = TestDatabase::create().await;
    let host = TestHost::start(&database).await;
    let name = Identifier::new("tally").unwrap();
    host.deploy(&name, test_support::guest("tally"), Activation::Manual).await;
    let second = host.operations.rebuild(&name, None, Activation::Manual).await.unwrap();
    host.operations.retire(&name, second).await.unwrap();
    assert_eq!(numbers(&shown(&host, &name, RetiredBuilds::Hidden).await), [1]);
    assert_eq!(numbers(&shown(&host, &name, RetiredBuilds::Listed).await), [2, 1]);
    host.operations.retire(&name, FIRST).await.unwrap();
    let projection = shown(&host, &name, RetiredBuilds::Hidden).await;
    assert_eq!((numbers(&projection), projection.tables), (vec![], vec!["tallies".to_owned()]), "it is still there");
    host.projector.stop().await;
}
