//! The order of locks: a worker and an operation that come to the same rows.

use super::*;

const IN_TIME: Duration = Duration::from_secs(20);

/// It locked the projection for the sake of a foreign key, which an operation has that waits for the worker's subscription.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_reports_while_an_operation_has_its_projection() {
    let test = TestBuilds::create().await;
    let (build, _) = test.build(1, &["n"]).await;
    let lease = test.lease(build).await;
    let mut operation = Changes::begin(&test.pool, &test.name).await.unwrap();

    let mut worker = crate::postgres::begin(&test.pool).await.unwrap();
    let halted = WorkerReport::Halted(BuildError::Host { message: "a test".to_owned() });
    let reported = tokio::time::timeout(IN_TIME, report(&mut worker, lease, &halted)).await;
    reported.expect("the worker does not wait for the operation").unwrap();
    let (committed, paused) =
        tokio::join!(worker.commit(), operation.apply(build, Event::Retried, "the test wants it"));
    committed.unwrap();
    assert!(paused.unwrap().is_running());
    operation.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_swap_does_not_wait_for_the_subscription_of_the_next_build() {
    let test = TestBuilds::create().await;
    let (first, tables) = test.build(1, &["n"]).await;
    test.live(first).await;
    test.activate(first, &tables).await;
    let (second, others) = test.build(2, &["n"]).await;
    test.live(second).await;
    let lease = test.lease(second).await;
    let mut worker = crate::postgres::begin(&test.pool).await.unwrap();
    crate::subscriptions::hold(&mut worker, lease).await.unwrap();
    tokio::time::timeout(IN_TIME, test.activate(second, &others)).await.expect("the swap does not wait");
}

#[tokio::test]
async fn a_change_of_state_deletes_what_a_build_waits_for() {
    let test = TestBuilds::create().await;
    let (build, _) = test.build(1, &["n"]).await;
    let shown = async || {
        let projections = summaries(&test.pool, None, RetiredBuilds::Hidden).await.unwrap();
        projections[0].builds[0].waits_for.clone()
    };
    let old = test.lease(build).await;
    let lease = test.lease(build).await;
    note_waiting(&test.pool, build, Some(old), Some("a worker that lost the lease")).await.unwrap();
    assert_eq!(shown().await, None);
    note_waiting(&test.pool, build, Some(lease), Some("a lock")).await.unwrap();
    assert_eq!(shown().await.as_deref(), Some("a lock"));
    let mut changes = Changes::begin(&test.pool, &test.name).await.unwrap();
    changes.apply(build, Event::Paused, "the test wants it").await.unwrap();
    changes.commit().await.unwrap();
    assert_eq!(shown().await, None);
}
