//! Events that mean nothing to a projection cost no commit each, and nobody waits for long because of that.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::{
    builds::Activation, event_log::Position, postgres::test_database::TestDatabase, read_model::Identifier,
    server::tests::TestHost,
};

#[tokio::test(flavor = "multi_thread")]
async fn events_of_no_interest_are_passed_over_together_and_at_once_if_somebody_waits() {
    let database = TestDatabase::create().await;
    // One of them works on the build, and readers of the other wait as well.
    let hosts = [TestHost::start(&database).await, TestHost::start(&database).await];
    let tally = Identifier::new("tally").unwrap();
    hosts[0].deploy(&tally, test_support::guest("tally"), Activation::Auto).await;
    hosts[0].append([("count-1".to_owned(), "Counted", json!({"n": 1}))]).await;
    hosts[0].caught_up(&tally).await;

    let commits = || hosts.iter().map(|host| host.projector.committed().borrow().count).sum::<u64>();
    let (before, began) = (commits(), Instant::now());
    for _ in 0..200 {
        hosts[0].append([("other-1".to_owned(), "Counted", json!({"n": 1}))]).await;
    }
    let most = 2 + began.elapsed().as_millis() / 500;
    let made = commits() - before;
    assert!(u128::from(made) <= most, "{made} commits, and not {most}");

    let wanted = Position(201);
    for host in &hosts {
        host.queries.wait_for(&tally, wanted, Duration::from_secs(30)).await.unwrap();
    }
    for host in &hosts {
        host.projector.stop().await;
    }
}
