//! Health: of a host that is starting, and of one that Postgres does not let work.

use std::time::Duration;

use super::*;

async fn send(router: &Router, path: &str) -> Answer {
    let response = router.clone().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    Answer { status: parts.status, headers: parts.headers, body }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_starts_is_alive_and_says_what_it_waits_for() {
    let gate = Gate::closed("its private Postgres starts");
    let router = Way::Gate(gate.clone()).router();
    assert_eq!(send(&router, "/health/live").await.status, StatusCode::OK);
    for path in ["/health/ready", "/", "/metrics", "/v1/events", "/v1/read-models/bank/accounts", "/nothing"] {
        let answer = send(&router, path).await;
        assert_eq!(answer.problem(), "503 starting: the host is starting: its private Postgres starts", "{path}");
        assert_eq!((answer.header("retry-after"), answer.header("x-content-type-options")), ("1", "nosniff"));
        assert!(!answer.header("x-request-id").is_empty());
    }
    assert!(send(&router, "/errors/starting").await.text().starts_with("# `starting`"));
    gate.say("it connects to Postgres");
    assert!(send(&router, "/health/ready").await.problem().ends_with("it connects to Postgres"));

    let test = TestApi::start().await;
    gate.open(test.host.api(HttpSettings::default(), CancellationToken::new()));
    assert_eq!(send(&router, "/health/ready").await.json()["status"], json!("ready"));
    assert_eq!(send(&router, "/nothing").await.status, StatusCode::NOT_FOUND);
}

/// Whoever makes a database read-only means it: appends are refused, and possible again afterwards without a restart of the host.
#[tokio::test(flavor = "multi_thread")]
async fn a_host_on_a_read_only_database_is_not_ready() {
    let database = TestDatabase::create().await;
    let log = EventLogSettings { append_timeout: Duration::from_millis(200), ..EventLogSettings::default() };
    let host = TestHost::start_with(&database, ServerSettings { log, ..ServerSettings::default() }).await;
    let router = router(host.api(HttpSettings::default(), CancellationToken::new()));
    let admin = database.admin_pool().await;
    let name = database.connect_options().get_database().unwrap().to_owned();
    let read_only = async |value: &str| {
        let statement = format!("ALTER DATABASE {name} SET default_transaction_read_only = {value}");
        sqlx::raw_sql(&statement).execute(&admin).await.unwrap();
    };
    read_only("on").await;
    // It holds for new sessions.
    sqlx::query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'gnomon'",
    )
    .execute(&admin)
    .await
    .unwrap();
    test_support::until("the host is not ready, and says why", async || {
        let problem = send(&router, "/health/ready").await.problem();
        problem.starts_with("503 log_unavailable") && problem.contains("Postgres takes no writes")
    })
    .await;
    read_only("off").await;
    test_support::until("the host is ready again", async || {
        send(&router, "/health/ready").await.status == StatusCode::OK
    })
    .await;
    test_support::until("its other sessions can write", async || {
        sqlx::query("DELETE FROM gnomon.hosts").execute(&host.database.lookups).await.is_ok()
    })
    .await;
    admin.close().await;
}

/// A database that gives the host no connection any more: it is not ready, and says that an append did not happen.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_connection_to_append_a_host_is_not_ready() {
    let database = TestDatabase::create().await;
    let log = EventLogSettings { append_timeout: Duration::from_millis(200), ..EventLogSettings::default() };
    let host = TestHost::start_with(&database, ServerSettings { log, ..ServerSettings::default() }).await;
    let router = router(host.api(HttpSettings::default(), CancellationToken::new()));
    assert_eq!(send(&router, "/health/ready").await.status, StatusCode::OK);

    let admin = database.admin_pool().await;
    let name = database.connect_options().get_database().unwrap().to_owned();
    let limit = async |limit: i32| {
        sqlx::raw_sql(&format!("ALTER DATABASE {name} CONNECTION LIMIT {limit}")).execute(&admin).await.unwrap();
    };
    limit(0).await;
    sqlx::query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'gnomon'",
    )
    .execute(&admin)
    .await
    .unwrap();
    let mut last = String::new();
    test_support::until("the host is not ready, and says why", async || {
        last = send(&router, "/health/ready").await.problem();
        last.contains("too many connections")
    })
    .await;
    assert!(last.starts_with("503 "), "{last}");

    let append = Request::post("/v1/streams/a-1/events")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(json!({"events": [event("Opened")]}).to_string()))
        .unwrap();
    let response = router.clone().oneshot(append).await.unwrap();
    assert_eq!(response.headers()[header::RETRY_AFTER], "1");
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["code"], "log_unavailable", "{body}");
    assert!(body["detail"].as_str().unwrap().contains("the events were not appended"), "{body}");

    limit(-1).await;
    test_support::until("the host is ready again", async || {
        send(&router, "/health/ready").await.status == StatusCode::OK
    })
    .await;
    admin.close().await;
}
