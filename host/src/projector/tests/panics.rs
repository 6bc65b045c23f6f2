//! A worker that panics is tried again a few times; then its build fails, and the other builds of the host go on.

use serde_json::json;

use crate::{
    builds::{Activation, BuildError, BuildNumber, BuildState, BuildSummary, RetiredBuilds},
    folding::FaultPoint,
    postgres::test_database::TestDatabase,
    read_model::Identifier,
    server::tests::TestHost,
    subscriptions::Redelivery,
};

async fn build(host: &TestHost, name: &Identifier, build: BuildNumber) -> BuildSummary {
    let projection = host.operations.projection(name, RetiredBuilds::Hidden).await.unwrap().unwrap();
    projection.builds.into_iter().find(|found| found.build == build).unwrap()
}

async fn until(host: &TestHost, name: &Identifier, number: BuildNumber, state: BuildState) -> BuildSummary {
    test_support::until(&format!("the build is {state:?}"), async || build(host, name, number).await.state == state)
        .await;
    build(host, name, number).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_whose_worker_panics_again_and_again_fails_with_the_message_of_the_panic() {
    for point in [FaultPoint::FoldingThread, FaultPoint::WorkerTask] {
        let database = TestDatabase::create().await;
        let host = TestHost::start(&database).await;
        let tally = Identifier::new("tally").unwrap();
        let counts = host.deploy(&tally, test_support::guest("tally"), Activation::Auto).await.number;
        let ledger = Identifier::new("ledger").unwrap();
        host.deploy(&ledger, test_support::guest("ledger"), Activation::Auto).await;
        host.append([("count-1".to_owned(), "Counted", json!({"n": 5}))]).await;
        host.caught_up(&tally).await;
        host.append([
            ("count-1".to_owned(), "Counted", json!({"n": 1, "note": point.word()})),
            ("ledger-1".to_owned(), "Opened", json!({"account": "7"})),
        ])
        .await;

        let failed = until(&host, &tally, counts, BuildState::Failed).await;
        let Some(BuildError::Host { message }) = failed.error else { panic!("{:?}", failed.error) };
        let expected = format!(
            "the host panicked 5 times in a row behind position 1: the event at position 2 asks for a {}",
            point.word()
        );
        assert_eq!(message, expected);
        assert_eq!(failed.checkpoint.0, 1, "what was committed before stays");
        // The other build of the host is not affected.
        host.caught_up(&ledger).await;

        // A retry tries it again, and fails again for the same reason.
        host.operations.retry(&tally, Some(counts), Redelivery::InOrder).await.unwrap();
        let failed = until(&host, &tally, counts, BuildState::Failed).await;
        assert_eq!(failed.error, Some(BuildError::Host { message: expected }));
        host.projector.stop().await;
    }
}
