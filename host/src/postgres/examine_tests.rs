use super::*;
use crate::postgres::{migrate, test_database::TestDatabase, test_role::Role};

fn refused(examined: &Examined) -> Vec<Right> {
    examined.rights.iter().filter(|(_, allowed)| allowed.is_err()).map(|(right, _)| *right).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_says_what_it_is_and_nothing_is_left_behind() {
    let database = TestDatabase::create().await;
    let examined = examine(database.connect_options()).await.unwrap();
    assert!(examined.version.starts_with(&examined.major.to_string()), "{examined:?}");
    assert!(SETTINGS.iter().all(|name| examined.settings.contains_key(*name)), "{examined:?}");
    assert!(examined.database_bytes > 1_000_000, "{examined:?}");
    assert!(!examined.is_standby && !examined.shares_sessions && refused(&examined).is_empty(), "{examined:?}");
    assert_eq!(examined.schema.applied, None);
    // The same machine has one clock.
    assert!(examined.clock.offset.abs() <= examined.clock.error + 0.001, "{examined:?}");
    let pool = database.pool().await;
    let left: Vec<String> = sqlx::query_scalar("SELECT nspname::text FROM pg_namespace WHERE nspname LIKE 'gnomon%'")
        .fetch_all(&pool)
        .await
        .unwrap();
    assert_eq!(left, Vec::<String>::new());
    let version = migrate(&pool).await.unwrap();
    let schema = examine(database.connect_options()).await.unwrap().schema;
    assert_eq!(schema, SchemaState { applied: Some(version), known: version, trouble: None });
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_those_of_the_database_and_not_of_the_session() {
    let database = TestDatabase::create().await;
    let name = database.connect_options().get_database().unwrap().to_owned();
    database.pool().await.execute(format!("ALTER DATABASE \"{name}\" SET jit = off").as_str()).await.unwrap();
    let examined = examine(database.connect_options()).await.unwrap();
    assert_eq!(examined.settings["jit"], "off");
    // The pool for further questions has the settings of a host, and the answers above do not.
    let limit: String = sqlx::query_scalar("SHOW lock_timeout").fetch_one(&examined.pool).await.unwrap();
    assert_eq!(limit, "2s");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_without_rights_is_told_which() {
    let role = Role::create().await;
    let examined = examine(role.connect_options()).await.unwrap();
    assert_eq!(refused(&examined), [Right::Migrate, Right::CreateSchemas]);
    assert!(examined.allowed.is_some(), "{examined:?}");
    let (_, reason) = &examined.rights[0];
    assert!(reason.as_ref().unwrap_err().contains("GRANT CREATE ON DATABASE"), "{reason:?}");
    examined.pool.close().await;
    role.drop().await;
}

/// It may have those that are kept for it, and no more than the server has.
#[tokio::test(flavor = "multi_thread")]
async fn a_superuser_has_as_many_connections_as_the_server() {
    let database = TestDatabase::create().await;
    let admin = database.admin_pool().await;
    let max: String = sqlx::query_scalar("SHOW max_connections").fetch_one(&admin).await.unwrap();
    let examined = examine((*admin.connect_options()).clone()).await.unwrap();
    assert_eq!(examined.allowed, Some((max.parse().unwrap(), "max_connections of the server".to_owned())));
    examined.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_of_a_newer_program_is_found() {
    let database = TestDatabase::create().await;
    let pool = database.pool().await;
    let version = migrate(&pool).await.unwrap();
    sqlx::query("INSERT INTO gnomon._sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'x', true, '', 0)")
        .execute(&pool)
        .await
        .unwrap();
    let schema = examine(database.connect_options()).await.unwrap().schema;
    assert_eq!((schema.applied, schema.known), (Some(9999), version));
    let trouble = schema.trouble.unwrap();
    assert!(trouble.contains("newer Gnomon (migration 9999 is unknown here)"), "{trouble}");
}
