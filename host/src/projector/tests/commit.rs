use super::*;

#[tokio::test]
async fn rows_and_checkpoint_come_together() {
    let test = TestBuilds::create().await;
    let (build, tables) = test.build(1, &["n"]).await;
    let lease = test.lease(build).await;
    test.commit(lease, &tables, step(0, 7), writes(&tables, &[1, 10])).await.unwrap();
    assert_eq!(test.checkpoint(build).await, 7);
    let row: (i64, i64) =
        sqlx::query_as(&format!("SELECT id, n FROM {}.sums", build.schema())).fetch_one(&test.pool).await.unwrap();
    assert_eq!(row, (1, 10));
}

#[tokio::test]
async fn whoever_lost_the_lease_writes_nothing() {
    let test = TestBuilds::create().await;
    let (build, tables) = test.build(1, &["n"]).await;
    let old = test.lease(build).await;
    // The presence of the old holder was never shown, so it counts as dead.
    let new = test.lease(build).await;
    for (lease, from) in [(old, 0), (new, 3)] {
        let error = test.commit(lease, &tables, step(from, 7), writes(&tables, &[1, 10])).await.unwrap_err();
        assert!(matches!(error, CommitError::Fenced), "{error}");
    }
    let rows: i64 = sqlx::query_scalar(&format!("SELECT count(*) FROM {}.sums", build.schema()))
        .fetch_one(&test.pool)
        .await
        .unwrap();
    assert_eq!((rows, test.checkpoint(build).await), (0, 0));
    test.commit(new, &tables, step(0, 7), writes(&tables, &[1, 10])).await.unwrap();
}

#[tokio::test]
async fn a_build_that_stands_still_has_no_speed() {
    let test = TestBuilds::create().await;
    let (build, tables) = test.build(1, &["n"]).await;
    let lease = test.lease(build).await;
    let speed = async || {
        let projections = summary::summaries(&test.pool, None).await.unwrap();
        (projections[0].builds[0].events_per_second, projections[0].builds[0].seconds_left)
    };
    assert_eq!(speed().await, (0.0, None));
    sqlx::query("UPDATE gnomon.head SET position = 20").execute(&test.pool).await.unwrap();
    let step = Step { events_per_second: 5.0, ..step(0, 10) };
    test.commit(lease, &tables, step, writes(&tables, &[1, 10])).await.unwrap();
    assert_eq!(speed().await, (5.0, Some(2.0)));
    sqlx::query("UPDATE gnomon.builds SET status = 'paused'").execute(&test.pool).await.unwrap();
    assert_eq!(speed().await, (0.0, None), "what an operator stopped has none at once");
    sqlx::query("UPDATE gnomon.builds SET status = 'running'").execute(&test.pool).await.unwrap();
    sqlx::query("UPDATE gnomon.build_progress SET committed_at = committed_at - interval '1 minute'")
        .execute(&test.pool)
        .await
        .unwrap();
    assert_eq!(speed().await, (0.0, None));
    sqlx::query("UPDATE gnomon.builds SET status = 'retired'").execute(&test.pool).await.unwrap();
    let projections = summary::summaries(&test.pool, None).await.unwrap();
    assert_eq!(projections[0].builds[0].lag, None, "what is retired comes no further");
}
