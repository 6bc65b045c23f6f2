//! Databases for tests.

use sqlx::postgres::PgConnectOptions;

use super::hosts::Host;
use super::*;
use crate::postgres::test_database::TestDatabase;

/// The databases of tests on a server.
async fn databases(admin: &PgConnectOptions) -> Vec<String> {
    let mut connection = PgConnection::connect_with(admin).await.unwrap();
    sqlx::query_scalar("select datname from pg_database where starts_with(datname, 'gnomon_test_') order by 1")
        .fetch_all(&mut connection)
        .await
        .unwrap()
}

#[tokio::test]
async fn each_test_has_a_database_of_its_own_which_goes_with_it() {
    let (first, second) = tokio::join!(TestDatabase::create(), TestDatabase::create());
    let pool = first.pool().await;
    sqlx::raw_sql("create table only_here ()").execute(&pool).await.unwrap();
    let name: String = sqlx::query_scalar("select current_database()").fetch_one(&pool).await.unwrap();

    let mut connection = PgConnection::connect(&second.url()).await.unwrap();
    let found: Option<String> =
        sqlx::query_scalar("select to_regclass('only_here')::text").fetch_one(&mut connection).await.unwrap();
    assert_eq!(found, None);

    let names = databases(&second.connect_options()).await;
    assert!(names.contains(&name), "{names:?}");
    // With its pool still open.
    drop(first);
    let names = databases(&second.connect_options()).await;
    assert!(!names.contains(&name), "{names:?}");
}

#[tokio::test]
async fn the_databases_of_killed_tests_are_dropped_by_the_next_test() {
    let data_dir = data_dir();
    let server = start(data_dir.path()).await;
    let admin = server.superuser_options();
    let url = server.url().replace("gnomon:", "postgres:");
    let host = || {
        let mut host = Host::testing_on(data_dir.path(), &url);
        host.ready();
        host
    };

    let (killed, running) = (host(), host());
    let both = databases(&admin).await;
    assert_eq!(both.len(), 2);
    killed.kill();
    // Postgres may notice only later that the connection that holds the mark is closed.
    let mut connection = PgConnection::connect_with(&admin).await.unwrap();
    loop {
        let marks: i64 = sqlx::query_scalar("select count(*) from pg_locks where locktype = 'advisory'")
            .fetch_one(&mut connection)
            .await
            .unwrap();
        if marks == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }

    let next = host();
    let left = databases(&admin).await;
    assert_eq!(left.len(), 2, "{left:?}");
    assert_eq!(left.iter().filter(|name| both.contains(name)).count(), 1, "the one that runs keeps its database");
    next.finish();
    running.finish();
    assert_eq!(databases(&admin).await, Vec::<String>::new());
}
