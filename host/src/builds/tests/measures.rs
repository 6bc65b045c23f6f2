use super::{super::measures::readings_on, *};

/// Positions in a partition of the test's log.
const POSITIONS: u64 = 10;
const PARTITIONS: u64 = 200;

/// Makes a log of so many partitions without a host, each with its first and its second event; they are as many minutes old as their
/// position says.
async fn fill(test: &TestBuilds) {
    let sql = format!(
        "SELECT gnomon.add_partition(n * {POSITIONS} + 1, (n + 1) * {POSITIONS}) FROM generate_series(0, {PARTITIONS} - 1) AS n;
         INSERT INTO gnomon.events (position, version, time, recorded_at, id, schema_version, stream, type, data)
         SELECT at, 1, now(), now() - at * interval '1 minute', gen_random_uuid(), 1, 'a-' || at, 'A', '{{}}'
         FROM generate_series(0, {PARTITIONS} - 1) AS n, LATERAL (VALUES (n * {POSITIONS} + 1), (n * {POSITIONS} + 2)) AS event(at);
         UPDATE gnomon.head SET position = {PARTITIONS} * {POSITIONS}"
    );
    sqlx::raw_sql(&sql).execute(&test.pool).await.unwrap();
}

async fn set_checkpoint(test: &TestBuilds, build: BuildId, checkpoint: u64) {
    let sql = "UPDATE gnomon.subscriptions SET checkpoint = $2 WHERE subscription = $1";
    let checkpoint = i64::try_from(checkpoint).unwrap();
    sqlx::query(sql).bind(build).bind(checkpoint).execute(&test.pool).await.unwrap();
}

/// What is asked each few seconds costs the same however many partitions the log has: it opens those with the events that it needs.
#[tokio::test]
async fn lag_is_found_without_opening_the_partitions_of_the_whole_log() {
    let test = TestBuilds::create().await;
    fill(&test).await;
    let mut builds = Vec::new();
    // Two stand at one event; one has handled all.
    let checkpoints = [0, 1, 1000, 1000, 1001, POSITIONS * PARTITIONS];
    for checkpoint in checkpoints {
        let (build, _) = test.build(1, &["n"]).await;
        set_checkpoint(&test, build, checkpoint).await;
        builds.push(build);
    }
    let mut transaction = crate::postgres::begin(&test.pool).await.unwrap();
    // Postgres plans a statement that it is to keep in another way from the sixth time on.
    for _ in 0..8 {
        let found = readings_on(&mut transaction, 100).await.unwrap();
        let minutes: Vec<(u64, u64, i64)> = found
            .iter()
            .map(|build| (build.checkpoint.0, build.lag, (build.lag_seconds / 60.0).round() as i64))
            .collect();
        assert_eq!(
            minutes,
            [(0, 2000, 1), (1, 1999, 2), (1000, 1000, 1001), (1000, 1000, 1001), (1001, 999, 1002), (2000, 0, 0)]
        );
    }
    let opened: Vec<String> = sqlx::query_scalar(
        "SELECT DISTINCT relname::text FROM pg_locks JOIN pg_class ON pg_class.oid = relation
         WHERE pid = pg_backend_pid() AND relname ~ '^events_[0-9]+$' ORDER BY 1",
    )
    .fetch_all(&mut *transaction)
    .await
    .unwrap();
    assert_eq!(opened, ["events_000000000001", "events_000000001001"]);
    assert_eq!(readings_on(&mut transaction, 2).await.unwrap().len(), 2, "no more than are asked for");
}
