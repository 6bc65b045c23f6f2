//! The API through the real router, on a real Postgres.

mod access;
mod append;
mod boxes;
mod cached;
mod cloud_events;
mod columns;
mod compare;
mod connections;
mod cors;
mod cursors;
mod deployments;
mod described;
mod dialect;
mod door;
mod explain;
mod health;
mod http2;
mod import;
mod live;
mod malformed;
mod metrics;
mod modules;
mod named_actor;
mod openapi;
mod outbox;
mod past;
mod past_builds;
mod paths;
mod personal_data;
mod pretty;
mod projections;
mod reactors;
mod read;
mod read_models;
mod readers;
mod reading;
mod replayed;
mod request_id;
mod rows;
mod sessions;
mod stats;
mod stopped;
mod tags;
mod tenants;
mod time;
mod tls;
mod unchanged;

use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderMap, Request, StatusCode, header},
};
use futures_util::StreamExt;
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::*;
use crate::{
    event_log::{EventLogSettings, Limits},
    postgres::test_database::TestDatabase,
    runtime::RuntimeLimits,
    server::{ServerSettings, tests::TestHost},
};

/// For a follower that has to get something; it waits for no longer than that takes.
const FOLLOW_DEADLINE: std::time::Duration = std::time::Duration::from_secs(20);

struct TestApi {
    router: Router,
    /// Cancelled, it ends the answers that follow the log.
    closing: CancellationToken,
    sending: Sending,
    host: TestHost,
    /// Dropped last: the host holds connections. `None` if the test keeps it.
    _database: Option<TestDatabase>,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl TestApi {
    async fn start() -> Self {
        let database = TestDatabase::create().await;
        let api = Self::on(&database).await;
        Self { _database: Some(database), ..api }
    }

    /// Starts a host that takes real components.
    async fn start_for_modules() -> Self {
        let database = TestDatabase::create().await;
        let api = Self::on_with(&database, RuntimeLimits::default()).await;
        Self { _database: Some(database), ..api }
    }

    /// Starts a host on a database that has something in it.
    async fn on(database: &TestDatabase) -> Self {
        Self::on_with(database, RuntimeLimits { max_module_bytes: 100_000, ..RuntimeLimits::default() }).await
    }

    async fn on_with(database: &TestDatabase, module_limits: RuntimeLimits) -> Self {
        let limits = Limits { max_event_bytes: 1000, max_append_events: 5, ..Limits::default() };
        let http =
            HttpSettings { max_body_bytes: 20_000, max_import_bytes: 200_000, max_page: 50, ..HttpSettings::default() };
        let settings = ServerSettings {
            log: EventLogSettings { limits, ..EventLogSettings::default() },
            limits: module_limits,
            ..ServerSettings::default()
        };
        let host = TestHost::start_with(database, settings).await;
        Self::of(host, http)
    }

    /// The API of a host.
    fn of(host: TestHost, settings: HttpSettings) -> Self {
        let closing = CancellationToken::new();
        let api = host.api(settings, closing.clone());
        let sending = api.sending.clone();
        Self { router: router(api), closing, sending, host, _database: None }
    }

    /// Connections to its database.
    fn pool(&self) -> &PgPool {
        &self.host.database.lookups
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let asked = (request.method().clone(), request.uri().path().to_owned());
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let answer = Answer { status: parts.status, headers: parts.headers, body };
        described::check(&asked.0, &asked.1, &answer);
        answer
    }

    /// Reads server-sent events until there are as many ids as wanted.
    async fn follow(&self, request: Request<Body>, wanted: usize) -> String {
        let response = self.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut body = response.into_body().into_data_stream();
        let mut text = String::new();
        while text.matches("id: ").count() < wanted {
            let chunk = tokio::time::timeout(FOLLOW_DEADLINE, body.next()).await.expect("an event in time");
            text += std::str::from_utf8(&chunk.unwrap().unwrap()).unwrap();
        }
        text
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    async fn post(&self, path: &str, body: impl Into<Body>) -> Answer {
        self.send(Request::post(path).header(header::CONTENT_TYPE, "application/json").body(body.into()).unwrap()).await
    }

    async fn append(&self, stream: &str, body: Value) -> Answer {
        self.post(&format!("/v1/streams/{stream}/events"), body.to_string()).await
    }

    /// Whether the log is empty and there is no module.
    async fn is_empty(&self) -> bool {
        let count: i64 = sqlx::query_scalar(
            "SELECT (SELECT count(*) FROM gnomon.events) + (SELECT count(*) FROM gnomon.streams)
                  + (SELECT count(*) FROM gnomon.modules) + (SELECT count(*) FROM gnomon.builds)",
        )
        .fetch_one(self.pool())
        .await
        .unwrap();
        count == 0
    }
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }

    /// Its JSON as snapshots show it, see [`pretty`].
    fn pretty(&self) -> String {
        pretty::pretty(self.text())
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The problem in short: its status, code and detail. Panics if the answer is not a problem.
    fn problem(&self) -> String {
        let body = self.json();
        let media_type =
            if body.get("message").is_some() { "application/json; charset=utf-8" } else { "application/problem+json" };
        assert_eq!(self.header("content-type"), media_type, "{:?}", self.body);
        assert_eq!(body["status"], json!(self.status.as_u16()));
        assert!(body["title"].as_str().is_some_and(|title| !title.is_empty()));
        format!("{} {}: {}", self.status.as_u16(), body["code"].as_str().unwrap(), body["detail"].as_str().unwrap())
    }
}

fn event(event_type: &str) -> Value {
    json!({"type": event_type, "data": {}})
}
