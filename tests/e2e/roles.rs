//! A host whose role does not own the schema: all that it does goes on, under more than one login, and readers follow it.

use gnomon::postgres::test_database::TestDatabase;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{ConnectOptions as _, PgPool};
use uuid::Uuid;

use crate::support::{Host, gnomon, until};

const TALLIES: &str = "tally/tallies?order=stream&limit=10";

/// Runs `gnomon migrate --roles`, and makes logins.
async fn make_roles(admin: &PgPool, prefix: &str) -> String {
    let mut command = gnomon();
    let url = admin.connect_options().to_url_lossy().to_string();
    command.args(["migrate", "--roles", "--role-prefix", prefix]).env("DATABASE_URL", url);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for (role, login) in [("host", "one"), ("host", "two"), ("reader", "three")] {
        let sql = format!("CREATE ROLE {prefix}_{login} LOGIN PASSWORD 'secret' IN ROLE {prefix}_{role}");
        sqlx::raw_sql(&sql).execute(admin).await.unwrap();
    }
    said
}

fn url(database: &TestDatabase, login: &str) -> String {
    database.connect_options().username(login).password("secret").to_url_lossy().to_string()
}

/// The rows of the view as a role sees them.
async fn view(pool: &PgPool) -> Value {
    sqlx::query_scalar("SELECT coalesce(json_agg(t), '[]') FROM read_models.tally_tallies AS t")
        .fetch_one(pool)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_works_without_owning_the_schema() {
    let database = TestDatabase::create().await;
    let admin = database.admin_pool().await;
    let prefix = format!("test_{}", Uuid::new_v4().simple());
    let said = make_roles(&admin, &prefix).await;
    for line in [
        format!("{prefix}_owner (made) owns the schema gnomon"),
        format!("{prefix}_reader (made) reads the views"),
        format!("CREATE ROLE server LOGIN PASSWORD '…' IN ROLE {prefix}_host;"),
    ] {
        assert!(said.contains(&line), "{line}: {said}");
    }
    let other = format!("{prefix}_other");
    sqlx::raw_sql(&format!(
        "CREATE ROLE {other} LOGIN PASSWORD 'secret'; GRANT USAGE ON SCHEMA read_models TO {other}"
    ))
    .execute(&admin)
    .await
    .unwrap();
    let reader = PgPool::connect(&url(&database, &format!("{prefix}_three"))).await.unwrap();
    let other_pool = PgPool::connect(&url(&database, &other)).await.unwrap();

    let host = Host::start_on(&url(&database, &format!("{prefix}_one")), &["--keep-replaced", "3600"]).await;
    // The first append makes a partition.
    let position = host.append_one("count-1", "Counted", json!({"n": 5})).await;
    let first = host.deploy("tally", test_support::guest("tally"), "").await;
    host.until_state("tally", first, "active").await;
    assert_eq!(host.rows_at(TALLIES, position).await[0]["sum"], 5);
    assert_eq!(view(&reader).await[0]["sum"], 5);
    // What an operator grants on a view stays with it, also where its columns differ and it is made again.
    let column = "stream";
    sqlx::raw_sql(&format!(
        "GRANT SELECT ON read_models.tally_tallies TO {other}; GRANT UPDATE ({column}) ON read_models.tally_tallies TO {other}"
    ))
    .execute(&admin)
    .await
    .unwrap();

    let second = host.deploy("tally", test_support::guest("tally_next"), "").await;
    host.until_state("tally", second, "active").await;
    let granted = async || {
        assert_eq!(view(&reader).await[0]["sum"], 5);
        assert_eq!(view(&other_pool).await[0]["sum"], 5);
        let updates: bool =
            sqlx::query_scalar("SELECT has_column_privilege('read_models.tally_tallies', $1, 'UPDATE')")
                .bind(column)
                .fetch_one(&other_pool)
                .await
                .unwrap();
        assert!(updates);
    };
    granted().await;
    let compared = host.get(&format!("/v1/projections/tally/compare?left={first}&right={second}")).await;
    assert_eq!(compared.status, StatusCode::OK, "{compared:?}");
    assert_eq!(host.post("/v1/projections/tally/rollback").await.status, StatusCode::OK);
    granted().await;
    let verified = host.post("/v1/projections/tally/verify").await;
    assert_eq!(verified.status, StatusCode::CREATED, "{verified:?}");
    let verification = verified.body["verification"].as_u64().unwrap();
    until("it has caught up", async || host.verification("tally", verification).await["state"] == "live").await;
    let path = format!("/v1/projections/tally/verify/{verification}");
    assert_eq!(host.get(&path).await.body["identical"], true);
    assert_eq!(host.send(host.request(Method::DELETE, &path)).await.status, StatusCode::NO_CONTENT);

    let export =
        host.request(Method::GET, "/v1/read-models/tally/tallies").header("accept", "application/vnd.apache.parquet");
    assert_eq!(host.send(export).await.status, StatusCode::OK);
    let past = host.request(Method::GET, "/v1/read-models/tally/tallies").header("gnomon-as-of", position.to_string());
    assert!(host.send(past.header("prefer", "wait=60")).await.status.is_success());

    // A reactor has tables, appends, schedules and sends.
    let put = [
        "sinks",
        "put",
        "mail",
        "--kind",
        "webhook",
        "--to",
        "http://127.0.0.1:9/",
        "--secret",
        "env:GNOMON_SECRET_OF_NOBODY",
        "--max-tries",
        "1",
    ];
    let put = host.try_run(&put).await;
    assert!(put.status.success(), "{put:?}");
    host.deploy("obeys", test_support::guest("obeys"), "").await;
    let orders =
        json!([{"append": {"stream": "note-1"}}, {"schedule": {"name": "soon", "after": 1}}, {"publish": "told"}]);
    host.append_one("told-1", "Told", orders).await;
    for event_type in ["Done", "ScheduleDue"] {
        until("the reactor has done it", async || {
            let page = host.json(&format!("/v1/events?types={event_type}")).await;
            page["events"].as_array().is_some_and(|events| !events.is_empty())
        })
        .await;
    }
    assert_eq!(host.json("/v1/outbox?reactor=obeys").await["messages"].as_array().unwrap().len(), 1);
    assert_eq!(host.get("/v1/stats").await.status, StatusCode::OK);

    // Another login goes on with what the first one has made.
    assert!(host.stop().await);
    let host = Host::start_on(&url(&database, &format!("{prefix}_two")), &["--keep-replaced", "3600"]).await;
    let third = host.post("/v1/projections/tally/rebuild").await.body["build"].as_u64().unwrap();
    host.until_state("tally", third, "active").await;
    granted().await;
    let retired = host.send(host.request(Method::DELETE, &format!("/v1/projections/tally/builds/{second}"))).await;
    assert!(retired.status.is_success(), "{retired:?}");
    host.until_state("tally", second, "retired").await;
    host.deploy("obeys", test_support::guest("obeys"), "").await;
    let deleted = host.send(host.request(Method::DELETE, "/v1/projections/tally")).await;
    assert!(deleted.status.is_success(), "{deleted:?}");
    let doctor = host.try_run(&["doctor", "--database-url", &url(&database, &format!("{prefix}_two"))]).await;
    let found = String::from_utf8(doctor.stdout).unwrap();
    assert!(found.contains("ok       migrate") && found.contains("ok       create schemas"), "{found}");
    assert!(host.stop().await);

    for pool in [reader, other_pool] {
        pool.close().await;
    }
    for role in ["one", "two", "three", "other", "owner", "host", "reader"] {
        sqlx::raw_sql(&format!("DROP OWNED BY {prefix}_{role} CASCADE")).execute(&admin).await.unwrap();
    }
    for role in ["one", "two", "three", "other", "owner", "host", "reader"] {
        sqlx::raw_sql(&format!("DROP ROLE {prefix}_{role}")).execute(&admin).await.unwrap();
    }
    admin.close().await;
}
