//! The API through the real router, on a real Postgres.

mod append;
mod compare;
mod import;
mod malformed;
mod modules;
mod projections;
mod read;
mod request_id;
mod time;

use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderMap, Request, StatusCode, header},
};
use serde_json::{Value, json};
use sqlx::PgPool;
use tower::ServiceExt;

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::*;
use crate::{
    event_log::EventLog,
    event_log::{EventLogSettings, Limits},
    modules::Modules,
    operations::Operations,
    postgres::{Database, migrate, test_database::TestDatabase},
    projector::{Projector, ProjectorSettings},
    queries::Queries,
    runtime::{Runtime, RuntimeLimits, RuntimeSettings},
};

struct TestApi {
    router: Router,
    pool: PgPool,
    api: Api,
    _database: TestDatabase,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl TestApi {
    async fn start() -> Self {
        let limits = Limits { max_event_bytes: 1000, max_append_events: 5, ..Limits::default() };
        let settings =
            HttpSettings { max_body_bytes: 20_000, max_import_bytes: 200_000, max_page: 50, ..HttpSettings::default() };
        let database = TestDatabase::create().await;
        let pool = database.pool().await;
        migrate(&pool).await.unwrap();
        let log =
            EventLog::open(pool.clone(), EventLogSettings { limits, ..EventLogSettings::default() }).await.unwrap();
        let limits = RuntimeLimits { max_module_bytes: 100_000, ..RuntimeLimits::default() };
        let runtime = Runtime::start(RuntimeSettings { limits, cache: None }).unwrap();
        let modules = Modules::new(pool.clone(), runtime);
        let both = Database { lookups: pool.clone(), queries: pool.clone() };
        let projector = Projector::start(&both, log.clone(), modules.clone(), ProjectorSettings::default());
        let closing = CancellationToken::new();
        let operations = Operations::new(&both, modules.clone(), projector.committed());
        let queries = Queries::new(&both, projector.committed());
        let settings = Arc::new(settings);
        let api = Api { log, modules, operations, queries, pool: pool.clone(), settings, closing };
        Self { router: router(api.clone()), pool, api, _database: database }
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        Answer { status: parts.status, headers: parts.headers, body }
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
        .fetch_one(&self.pool)
        .await
        .unwrap();
        count == 0
    }
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The problem in short: its status, code and detail. Panics if the answer is not a problem.
    fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{:?}", self.body);
        let body = self.json();
        assert_eq!(body["status"], json!(self.status.as_u16()));
        assert!(body["title"].as_str().is_some_and(|title| !title.is_empty()));
        format!("{} {}: {}", self.status.as_u16(), body["code"].as_str().unwrap(), body["detail"].as_str().unwrap())
    }
}

fn event(event_type: &str) -> Value {
    json!({"type": event_type, "data": {}})
}
