use super::*;
use crate::postgres::{begin, copy_out, test_database::TestDatabase, test_proxy::SlowProxy};

const PAUSE: Duration = Duration::from_millis(2);

async fn slow() -> (TestDatabase, SlowProxy, PgPool) {
    let database = TestDatabase::create().await;
    let proxy = SlowProxy::start(database.connect_options(), PAUSE).await;
    let pool = pool(1, proxy.through(&database.connect_options()));
    sqlx::query("CREATE TABLE public.doors (door bigint)").execute(&pool).await.unwrap();
    (database, proxy, pool)
}

/// The answer is that of this statement, and not of one before.
async fn answers(pool: &PgPool, number: i64) {
    let answer: i64 = sqlx::query_scalar("SELECT $1").bind(number).fetch_one(pool).await.unwrap();
    assert_eq!(answer, number);
}

/// From before the first statement is sent until after the last one is answered.
#[tokio::test(flavor = "multi_thread")]
async fn work_may_be_dropped_at_any_await() {
    let (database, _proxy, pool) = slow().await;
    for step in 0..60 {
        let work = async {
            let mut transaction = begin(&pool).await?;
            sqlx::query("INSERT INTO public.doors VALUES (-1)").execute(&mut *transaction).await?;
            transaction.commit().await
        };
        let _ = tokio::time::timeout(PAUSE / 3 * (step % 30), work).await;
        answers(&pool, i64::from(step)).await;
        // In a transaction that was left open, this row would not be committed.
        sqlx::query("INSERT INTO public.doors VALUES ($1)").bind(i64::from(step)).execute(&pool).await.unwrap();
    }
    let direct = database.pool().await;
    let kept: i64 =
        sqlx::query_scalar("SELECT count(*) FROM public.doors WHERE door >= 0").fetch_one(&direct).await.unwrap();
    assert_eq!(kept, 60);
    pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_may_be_dropped_at_any_await_or_be_refused() {
    let (_database, _proxy, pool) = slow().await;
    for step in 0..30 {
        let copy = copy_out(&pool, "COPY (SELECT generate_series(1, 30000)) TO STDOUT", 1 << 20);
        let _ = tokio::time::timeout(PAUSE / 3 * step, copy).await;
        answers(&pool, i64::from(step)).await;
        if step % 10 == 0 {
            copy_out(&pool, "COPY public.nothing TO STDOUT", 1 << 20).await.unwrap_err();
            answers(&pool, i64::from(step)).await;
        }
    }
    pool.close().await;
}

/// Postgres restarts, and every connection in the pool is stale. One of them tells of all.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_break_one_statement_fails_and_not_one_for_each_connection() {
    let database = TestDatabase::create().await;
    let proxy = SlowProxy::start(database.connect_options(), Duration::ZERO).await;
    let pool = pool(8, proxy.through(&database.connect_options()));
    let all = (0..8).map(|_| sqlx::query("SELECT pg_sleep(0.2)").execute(&pool));
    futures_util::future::try_join_all(all).await.unwrap();
    test_support::until("all connections are back in the pool", async || pool.num_idle() == 8).await;
    proxy.cut();
    assert!(sqlx::query("SELECT 1").execute(&pool).await.is_err());
    test_support::until("the connection that broke is closed", async || pool.size() < 8).await;
    for number in 0..20 {
        answers(&pool, number).await;
    }
    pool.close().await;
}

/// A statement whose caller is gone does not keep its connection from others, nor go on in Postgres.
#[tokio::test(flavor = "multi_thread")]
async fn a_statement_without_a_caller_ends() {
    let database = TestDatabase::create().await;
    let pool = pool(1, database.connect_options());
    let abandoned = sqlx::query("SELECT pg_sleep(600)").execute(&pool);
    assert!(tokio::time::timeout(Duration::from_millis(300), abandoned).await.is_err());
    answers(&pool, 7).await;
    let direct = database.pool().await;
    test_support::until("Postgres has ended the statement", async || {
        let running: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'SELECT pg_sleep%'",
        )
        .fetch_one(&direct)
        .await
        .unwrap();
        running == 0
    })
    .await;
}
