//! Commits, with the lease and without.

use crate::{
    builds::tests::{TestBuilds, step, writes},
    projector::{
        commit::{Effect, commit},
        stop::Stop,
    },
    read_model::{TableSet, WriteSet},
    subscriptions::{Handled, Lease, Step},
};

async fn commit_rows(
    test: &TestBuilds,
    lease: Lease,
    tables: &TableSet,
    step: Step,
    writes: WriteSet,
) -> Result<(), Stop> {
    let effect = Effect {
        writes: &writes,
        handled: &Handled::default(),
        taken_back: &[],
        set_aside: &[],
        max_dead_letters: 2,
        retry: None,
        replayable: false,
    };
    commit(&test.pool, lease, tables, &step, &effect).await
}

#[tokio::test]
async fn rows_and_checkpoint_are_committed_together() {
    let test = TestBuilds::create().await;
    let (build, tables) = test.build(1, &["n"]).await;
    let lease = test.lease(build).await;
    commit_rows(&test, lease, &tables, step(0, 7), writes(&tables, &[1, 10])).await.unwrap();
    assert_eq!(test.checkpoint(build).await, 7);
    let row: (i64, i64) =
        sqlx::query_as(&format!("SELECT id, n FROM {}.sums", build.schema())).fetch_one(&test.pool).await.unwrap();
    assert_eq!(row, (1, 10));
}

#[tokio::test]
async fn a_worker_that_lost_the_lease_writes_nothing() {
    let test = TestBuilds::create().await;
    let (build, tables) = test.build(1, &["n"]).await;
    let old = test.lease(build).await;
    // The old holder has no session that shows it alive, so it counts as dead.
    let new = test.lease(build).await;
    for (lease, from) in [(old, 0), (new, 3)] {
        let error = commit_rows(&test, lease, &tables, step(from, 7), writes(&tables, &[1, 10])).await.unwrap_err();
        assert!(matches!(error, Stop::LeaseLost), "{error:?}");
    }
    let rows: i64 = sqlx::query_scalar(&format!("SELECT count(*) FROM {}.sums", build.schema()))
        .fetch_one(&test.pool)
        .await
        .unwrap();
    assert_eq!((rows, test.checkpoint(build).await), (0, 0));
    commit_rows(&test, new, &tables, step(0, 7), writes(&tables, &[1, 10])).await.unwrap();
}
