//! Beginning a transaction.

use std::pin::pin;

use sqlx::{PgPool, Postgres, Transaction};

use super::{
    trust::Trust,
    within::{ANSWER_TIMEOUT, no_answer},
};

/// Begins a transaction on a connection of the pool. The caller may be dropped at any time: whatever it has begun is rolled back.
///
/// sqlx 0.8.6 counts a transaction only when Postgres has answered BEGIN. Dropped before, its future would return the connection to the pool
/// inside a transaction that nobody ends, whose locks are kept and whose later statements are never committed. So a task of its own waits for
/// the answer, and rolls back if nobody waits for it. If there is no answer in time, no connection that is open now is used again.
///
/// # Errors
/// Postgres does not answer, or has no connection left.
pub async fn begin(pool: &PgPool) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    let pool = pool.clone();
    let begun = tokio::spawn(async move {
        #[expect(clippy::disallowed_methods, reason = "the one place that nobody can drop")]
        let mut begun = pin!(pool.begin());
        match tokio::time::timeout(ANSWER_TIMEOUT, &mut begun).await {
            Ok(begun) => begun,
            Err(_) => {
                // Before the connection goes back to the pool.
                Trust::of(&pool.connect_options()).lose();
                Err(no_answer(ANSWER_TIMEOUT, "BEGIN"))
            }
        }
    });
    match begun.await {
        Ok(transaction) => transaction,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        // Nobody aborts the task: the runtime stops, and the pool with it.
        Err(_) => Err(sqlx::Error::PoolClosed),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sqlx::postgres::PgPoolOptions;

    use super::*;
    use crate::postgres::{is_transient, test_database::TestDatabase, test_proxy::SlowProxy};

    #[tokio::test(flavor = "multi_thread")]
    async fn a_caller_that_is_dropped_at_any_time_leaves_no_transaction() {
        const PAUSE: Duration = Duration::from_millis(2);
        let database = TestDatabase::create().await;
        let proxy = SlowProxy::start(database.connect_options(), PAUSE).await;
        let one = PgPoolOptions::new().max_connections(1);
        let pool = one.connect_with(proxy.through(&database.connect_options())).await.unwrap();
        sqlx::query("CREATE TABLE doors (door bigint)").execute(&pool).await.unwrap();
        for door in 0..40 {
            // From before the first statement is sent until after the last one is answered.
            let _ = tokio::time::timeout(PAUSE / 4 * (door % 20), begin(&pool)).await;
            // In a transaction that was left open, this row would not be committed.
            sqlx::query("INSERT INTO doors VALUES ($1)").bind(i64::from(door)).execute(&pool).await.unwrap();
        }
        pool.close().await;
        let kept: i64 =
            sqlx::query_scalar("SELECT count(*) FROM doors").fetch_one(&database.pool().await).await.unwrap();
        assert_eq!(kept, 40);
    }

    /// A host that is paused within a transaction finds that Postgres has ended its session.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_pause_within_a_transaction_passes() {
        let database = TestDatabase::create().await;
        let (pool, direct) = (database.pool().await, database.pool().await);
        let mut paused = begin(&pool).await.unwrap();
        let pid: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut *paused).await.unwrap();
        sqlx::query("SET idle_in_transaction_session_timeout = '10ms'").execute(&mut *paused).await.unwrap();
        test_support::until("Postgres has ended the session", async || {
            let alive: i64 = sqlx::query_scalar("SELECT count(*) FROM pg_stat_activity WHERE pid = $1")
                .bind(pid)
                .fetch_one(&direct)
                .await
                .unwrap();
            alive == 0
        })
        .await;
        let error = paused.commit().await.unwrap_err();
        assert!(is_transient(&error), "{error}");
    }
}
