use super::*;
use crate::postgres::{Database, test_database::TestDatabase};

/// Defaults of a database that would lose what was answered, hide rows, change values, or end what may take long; and what a session of
/// a host has instead.
const DEFAULTS: &[(&str, &str, &str)] = &[
    ("synchronous_commit", "off", "on"),
    ("statement_timeout", "100ms", "0"),
    ("lock_timeout", "0", "10s"),
    ("idle_in_transaction_session_timeout", "0", "5s"),
    ("idle_session_timeout", "1min", "0"),
    ("default_transaction_isolation", "serializable", "read committed"),
    ("default_transaction_deferrable", "on", "off"),
    ("search_path", "elsewhere, pg_catalog", "pg_catalog"),
    ("row_security", "on", "off"),
    ("TimeZone", "Asia/Tokyo", "UTC"),
    ("DateStyle", "German, DMY", "ISO, MDY"),
    ("IntervalStyle", "iso_8601", "postgres"),
    ("bytea_output", "escape", "hex"),
    ("extra_float_digits", "-10", "1"),
    ("transform_null_equals", "on", "off"),
    ("gin_fuzzy_search_limit", "10", "0"),
    ("plan_cache_mode", "force_generic_plan", "auto"),
    ("client_connection_check_interval", "0", "2s"),
];

async fn set_defaults(database: &TestDatabase) -> PgPool {
    let admin = database.admin_pool().await;
    let name = database.connect_options().get_database().unwrap().to_owned();
    for (setting, value, _) in DEFAULTS {
        let value = if *setting == "search_path" { (*value).to_owned() } else { format!("'{value}'") };
        sqlx::raw_sql(&format!("ALTER DATABASE {name} SET {setting} = {value}")).execute(&admin).await.unwrap();
    }
    admin
}

/// What differs from the settings of a host.
async fn differences(connection: &mut PgConnection) -> Vec<String> {
    let mut found = Vec::new();
    for (setting, _, wanted) in DEFAULTS {
        let has: String =
            sqlx::query_scalar("SELECT current_setting($1)").bind(setting).fetch_one(&mut *connection).await.unwrap();
        if has != *wanted {
            found.push(format!("{setting} is {has}, not {wanted}"));
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_have_their_settings_whatever_the_defaults_of_the_database_are() {
    let test = TestDatabase::create().await;
    let _admin = set_defaults(&test).await;
    let database = Database::connect(test.connect_options(), 4, Duration::from_secs(20)).await.unwrap();
    let none = [""; 0];
    let own_work = differences(&mut database.lookups.acquire().await.unwrap()).await;
    assert_eq!(own_work, ["lock_timeout is 2s, not 10s"]);
    assert_eq!(differences(database.queries.take().await.unwrap().connection()).await, none);
    assert_eq!(differences(&mut connect_beside(&database.lookups, &[]).await.unwrap()).await, none);
    assert_eq!(differences(&mut connect_to_read(&database.lookups).await.unwrap()).await, none);
    database.close().await;
}

/// Whoever waits for replicas with each commit continues to.
#[tokio::test(flavor = "multi_thread")]
async fn a_choice_between_replicas_is_kept() {
    let test = TestDatabase::create().await;
    let admin = test.admin_pool().await;
    let name = test.connect_options().get_database().unwrap().to_owned();
    sqlx::raw_sql(&format!("ALTER DATABASE {name} SET synchronous_commit = remote_apply"))
        .execute(&admin)
        .await
        .unwrap();
    let pool = test.pool().await;
    let mut connection = connect_beside(&pool, &[]).await.unwrap();
    let (has, source): (String, String) =
        sqlx::query_as("SELECT setting, source FROM pg_settings WHERE name = 'synchronous_commit'")
            .fetch_one(&mut connection)
            .await
            .unwrap();
    assert_eq!(
        (has.as_str(), source.as_str()),
        ("remote_apply", "session"),
        "nor does a later change of the server count"
    );
}
