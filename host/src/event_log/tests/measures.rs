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
