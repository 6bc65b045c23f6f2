//! How large the log is, and how fast it grows.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn the_events_of_the_last_day_are_found() {
    let test = TestLog::open().await;
    let admin = test.database.admin_pool().await;
    assert_eq!(measure(&test.pool).await.unwrap().appended_in_a_day, 0);
    for old in [0, 1, 6, 7] {
        while test.log.read_head().await.unwrap() < Position(7) {
            test.append("order-1", &["Placed"]).await;
        }
        let age = format!(
            "SET session_replication_role = replica;
             UPDATE gnomon.events SET recorded_at = clock_timestamp() - interval '25 hours' WHERE position <= {old};
             RESET session_replication_role"
        );
        sqlx::raw_sql(&age).execute(&admin).await.unwrap();
        let size = measure(&test.pool).await.unwrap();
        assert_eq!((size.head, size.appended_in_a_day), (Position(7), 7 - old));
        assert_eq!(size.bytes, test.log.bytes().await.unwrap());
    }
}

/// It looks at a few events, one after the other, and opens no partition but theirs.
#[tokio::test]
async fn growth_is_found_without_opening_the_partitions_of_the_whole_log() {
    let database = TestDatabase::create().await;
    let pool = database.pool().await;
    migrate(&pool).await.unwrap();
    let fill = "SELECT gnomon.add_partition(n * 10 + 1, (n + 1) * 10) FROM generate_series(0, 199) AS n;
         INSERT INTO gnomon.events (position, version, time, recorded_at, id, schema_version, stream, type, data)
         SELECT at, 1, now(), now() - (2000 - at) * interval '1 hour', gen_random_uuid(), 1, 'a-' || at, 'A', '{}'
         FROM generate_series(1, 2000) AS at";
    sqlx::raw_sql(fill).execute(&pool).await.unwrap();
    let mut transaction = crate::postgres::begin(&pool).await.unwrap();
    let appended = super::super::measures::appended_in_a_day(&mut transaction, Position(2000)).await.unwrap();
    let opened: i64 = sqlx::query_scalar(
        "SELECT count(DISTINCT relation) FROM pg_locks JOIN pg_class ON pg_class.oid = relation
         WHERE pid = pg_backend_pid() AND relname ~ '^events_[0-9]+$'",
    )
    .fetch_one(&mut *transaction)
    .await
    .unwrap();
    assert_eq!(appended, 24);
    // It halves 2,000 positions until one is left.
    assert!((1..=12).contains(&opened), "{opened}");
}
