use super::*;
use crate::postgres::test_database::TestDatabase;

/// The number of the process that a session has.
async fn process(sessions: &Sessions) -> i32 {
    sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(sessions.take().await.unwrap().connection()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_used_again_until_one_breaks() {
    let database = TestDatabase::create().await;
    let sessions = Sessions::new(2, session::start(database.connect_options()));
    let first = process(&sessions).await;
    assert_eq!(process(&sessions).await, first);
    let ended: bool = sqlx::query_scalar("SELECT pg_terminate_backend($1, 10000)")
        .bind(first)
        .fetch_one(&database.pool().await)
        .await
        .unwrap();
    assert!(ended);
    // What was asked breaks, and whoever comes next gets another session.
    let mut session = sessions.take().await.unwrap();
    sqlx::query("SELECT 1").execute(session.connection()).await.unwrap_err();
    drop(session);
    assert_ne!(process(&sessions).await, first);
}

/// A statement that computes, one that waits to send, and one that has ended.
#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_nobody_waits_for_is_ended() {
    let database = TestDatabase::create().await;
    let (sessions, others) = (Sessions::new(1, session::start(database.connect_options())), database.pool().await);
    for statement in [
        "SELECT count(*) FROM generate_series(1, 1e12)",
        "SELECT repeat('x', 1000) FROM generate_series(1, 1e12)",
        "SELECT 1",
    ] {
        let mut session = sessions.take().await.unwrap();
        let process = session.0.process.id;
        let all = sqlx::query(statement).fetch_all(session.connection());
        // It is dropped when Postgres has it.
        let begun = async {
            let active = "SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND query = $2";
            while sqlx::query_scalar::<_, i64>(active).bind(process).bind(statement).fetch_one(&others).await.unwrap()
                == 0
            {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            () = begun => {}
            all = all => { all.unwrap(); }
        }
        session.keep().cancel(&others, Duration::from_millis(10)).await.unwrap();
        // The session says that it is idle after it has answered.
        test_support::until("the statement has ended", async || {
            let ended = "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1 AND state = 'active')";
            sqlx::query_scalar(ended).bind(process).fetch_one(&others).await.unwrap()
        })
        .await;
    }
}
