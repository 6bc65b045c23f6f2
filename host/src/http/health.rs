//! `/health/live`, `/health/ready` and `/`

use std::time::Duration;

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::{
    forwarded_prefix::ForwardedPrefix,
    problem::{Code, Problem},
    state::Api,
};

/// How long Postgres may take to answer.
const POSTGRES_TIMEOUT: Duration = Duration::from_secs(2);

/// `GET /health/live`: the host runs.
pub(super) async fn live() -> Json<Value> {
    Json(json!({"status": "live"}))
}

/// `GET /health/ready`: the host runs, and Postgres answers.
pub(super) async fn ready(State(api): State<Api>) -> Result<Json<Value>, Problem> {
    match tokio::time::timeout(POSTGRES_TIMEOUT, sqlx::query("SELECT 1").execute(&api.pool)).await {
        Ok(Ok(_)) => Ok(Json(json!({"status": "ready"}))),
        Ok(Err(error)) => Err(error.into()),
        Err(_) => Err(Problem::new(Code::DatabaseUnavailable, "Postgres does not answer in time")),
    }
}

/// `GET /`: the name and version of the program, and the paths to begin with.
pub(super) async fn index() -> Json<Value> {
    let prefix = ForwardedPrefix::current();
    Json(json!({
        "name": "gnomon",
        "version": env!("CARGO_PKG_VERSION"),
        "events": prefix.path("/v1/events"),
        "streams": prefix.path("/v1/streams"),
        "modules": prefix.path("/v1/modules"),
        "projections": prefix.path("/v1/projections"),
        "read_models": prefix.path("/v1/read-models"),
        "health": prefix.path("/health/ready"),
    }))
}
