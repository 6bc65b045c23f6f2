use sqlx::{Connection, PgConnection};

use super::*;
use crate::postgres::{lock_holders, test_database::TestDatabase};

impl LockError for sqlx::Error {
    fn is_of_a_lock(&self) -> bool {
        gave_up_waiting(self)
    }

    fn blocked(blocked: Blocked) -> Self {
        Self::Configuration(Box::new(blocked))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_for_a_lock_ends_and_names_the_session_at_the_front_of_the_line() {
    let database = TestDatabase::create().await;
    let pool = database.pool().await;
    sqlx::query("CREATE TABLE doors (door bigint)").execute(&pool).await.unwrap();
    let mut reader =
        PgConnection::connect_with(&database.connect_options().application_name("a reader")).await.unwrap();
    sqlx::raw_sql("BEGIN; SELECT count(*)\n  FROM doors").execute(&mut reader).await.unwrap();
    let mut second = PgConnection::connect_with(&database.connect_options()).await.unwrap();
    let in_line = tokio::spawn(async move {
        let mut transaction = second.begin().await?;
        sqlx::query("LOCK TABLE doors").execute(&mut *transaction).await
    });
    test_support::until("somebody stands in line", async || {
        let found: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'doors'::regclass
                                  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        )
        .fetch_one(&pool)
        .await
        .unwrap();
        found == 1
    })
    .await;

    let (mut transaction, locks) = begin_waiting(&pool, Duration::from_secs(1)).await.unwrap();
    let waits = locks.explain(async { sqlx::query("LOCK TABLE doors IN SHARE MODE").execute(&mut *transaction).await });
    let sqlx::Error::Configuration(error) = waits.await.unwrap_err() else { panic!("the lock was free") };
    let blocked: &Blocked = error.downcast_ref().unwrap();
    let [by] = blocked.by.as_slice() else { panic!("{blocked:?}") };
    assert_eq!((by.application.as_str(), by.query.as_str()), ("a reader", "BEGIN; SELECT count(*) FROM doors"));
    assert_eq!(by.user.as_deref(), Some(database.connect_options().get_username()));
    assert!(by.since.is_some());
    let said = blocked.to_string();
    assert!(said.contains(&format!("session {} (user ", by.pid)), "{said}");
    assert!(said.ends_with(&format!("`SELECT pg_terminate_backend({})` ends it", by.pid)), "{said}");
    drop(transaction);

    // What was waited for is free again.
    drop(reader);
    in_line.await.unwrap().unwrap();
    let (mut transaction, locks) = begin_waiting(&pool, Duration::from_secs(20)).await.unwrap();
    let waits = locks.explain(async { sqlx::query("LOCK TABLE doors IN SHARE MODE").execute(&mut *transaction).await });
    waits.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_holds_a_table_is_known_afterwards() {
    let database = TestDatabase::create().await;
    let pool = database.pool().await;
    sqlx::raw_sql("CREATE SCHEMA build_1; CREATE TABLE build_1.doors (door bigint)").execute(&pool).await.unwrap();
    let options = database.connect_options().application_name("a clerk");
    let mut other = PgConnection::connect_with(&options).await.unwrap();
    let found = async || {
        let holders = lock_holders(&pool, Some("build_1")).await.unwrap();
        holders.into_iter().map(|holder| holder.application).collect::<Vec<_>>()
    };
    for (statement, is_named) in [
        ("SELECT FROM build_1.doors", false),
        ("SELECT FROM build_1.doors FOR UPDATE", true),
        ("LOCK TABLE build_1.doors IN SHARE MODE", true),
        ("LOCK TABLE build_1.doors", true),
    ] {
        sqlx::raw_sql(&format!("BEGIN; {statement}")).execute(&mut other).await.unwrap();
        let expected = if is_named { vec!["a clerk".to_owned()] } else { vec![] };
        assert_eq!(found().await, expected, "{statement}");
        sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    }
}
