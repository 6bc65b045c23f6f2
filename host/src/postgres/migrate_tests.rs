use super::*;
use crate::postgres::{test_database::TestDatabase, test_role::Role};

#[tokio::test(flavor = "multi_thread")]
async fn empty_schemas_of_others_are_used() {
    let database = TestDatabase::create().await;
    let pool = database.pool().await;
    sqlx::raw_sql("CREATE SCHEMA gnomon; CREATE SCHEMA read_models").execute(&pool).await.unwrap();
    let version = migrate(&pool).await.unwrap();
    assert_eq!(migrate(&pool).await.unwrap(), version);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_with_tables_of_others_is_refused_and_nothing_is_made() {
    for (schema, made) in [("gnomon", "read_models"), ("read_models", "gnomon")] {
        let database = TestDatabase::create().await;
        let pool = database.pool().await;
        sqlx::raw_sql(&format!("CREATE SCHEMA {schema}; CREATE TABLE {schema}.orders ()"))
            .execute(&pool)
            .await
            .unwrap();
        let error = migrate(&pool).await.unwrap_err().to_string();
        assert!(error.starts_with(&format!("the schema {schema} has orders, which is not Gnomon's")), "{error}");
        let exists: bool =
            sqlx::query_scalar("SELECT to_regnamespace($1) IS NOT NULL").bind(made).fetch_one(&pool).await.unwrap();
        assert!(!exists, "{made}");
        let state = schema_state(&mut pool.acquire().await.unwrap()).await.unwrap();
        assert_eq!((state.applied, state.trouble), (None, Some(error)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_missing_is_named() {
    let database = TestDatabase::create().await;
    let pool = database.pool().await;
    migrate(&pool).await.unwrap();
    let trouble = async || schema_state(&mut pool.acquire().await.unwrap()).await.unwrap().trouble;
    assert_eq!(trouble().await, None);
    sqlx::raw_sql("DROP TABLE gnomon.events; ALTER TABLE gnomon.streams RENAME TO others")
        .execute(&pool)
        .await
        .unwrap();
    assert_eq!(
        trouble().await.unwrap(),
        "missing, though a migration has made it: gnomon.events, gnomon.streams; restore the database"
    );
}

/// As after a restore of the schema `gnomon` alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_missing_schema_is_made_again() {
    let database = TestDatabase::create().await;
    let pool = database.pool().await;
    migrate(&pool).await.unwrap();
    sqlx::raw_sql("DROP SCHEMA read_models").execute(&pool).await.unwrap();
    migrate(&pool).await.unwrap();
    sqlx::raw_sql("CREATE VIEW read_models.v AS SELECT 1").execute(&pool).await.unwrap();
    // Views in it are Gnomon's now.
    migrate(&pool).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_that_migrate_at_once_do_not_disturb_each_other() {
    let database = TestDatabase::create().await;
    let pool = database.pool().await;
    for migrated in futures_util::future::join_all((0..4).map(|_| migrate(&pool))).await {
        migrated.unwrap();
    }
}

/// docs/postgres.md names these rights.
#[tokio::test(flavor = "multi_thread")]
async fn a_role_with_the_documented_rights_is_enough() {
    let role = Role::create().await;
    let pool = PgPool::connect_with(role.connect_options()).await.unwrap();
    let error = migrate(&pool).await.unwrap_err();
    let MigrateError::Rights { statements, .. } = &error else { panic!("{error}") };
    assert_eq!(statements.len(), 1, "{error}");
    assert!(error.to_string().contains("GRANT CREATE ON DATABASE"), "{error}");
    role.admin(&statements.join("; ")).await;
    migrate(&pool).await.unwrap();
    pool.close().await;
    role.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn schemas_that_a_dba_made_need_a_grant_each() {
    let role = Role::create().await;
    let pool = PgPool::connect_with(role.connect_options()).await.unwrap();
    role.admin("CREATE SCHEMA gnomon; CREATE SCHEMA read_models; GRANT CREATE ON DATABASE {database} TO {role}").await;
    let error = migrate(&pool).await.unwrap_err();
    let MigrateError::Rights { statements, .. } = &error else { panic!("{error}") };
    for (statement, schema) in statements.iter().zip(SCHEMAS) {
        assert_eq!(*statement, format!("GRANT USAGE, CREATE ON SCHEMA {schema} TO {}", role.name));
    }
    role.admin(&statements.join("; ")).await;
    migrate(&pool).await.unwrap();
    pool.close().await;
    role.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_another_role_are_named_with_their_owner() {
    let role = Role::create().await;
    let pool = PgPool::connect_with(role.connect_options()).await.unwrap();
    migrate(&role.admin).await.unwrap();
    role.admin(
        "GRANT CREATE ON DATABASE {database} TO {role}; GRANT USAGE, CREATE ON SCHEMA gnomon, read_models TO {role}",
    )
    .await;
    let error = migrate(&pool).await.unwrap_err();
    assert!(matches!(&error, MigrateError::Owner { table, .. } if table == "_sqlx_migrations"), "{error}");
    assert!(error.to_string().contains(&format!("--role={}", role.name)), "{error}");
    pool.close().await;
    role.drop().await;
}
