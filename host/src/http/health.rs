//! `/health/live`, `/health/ready` and `/`

use std::time::Duration;

use axum::{Json, extract::State};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    extract::NoParams,
    forwarded_prefix::ForwardedPrefix,
    needs::Needs,
    openapi::Operation,
    problem::{Code, Problem},
    server_error::unavailable,
    state::Api,
};
use crate::{event_log::log_id, postgres::ConnectError};

/// The path that tells whether a host is ready.
pub(super) const READY: &str = "/health/ready";
/// How long Postgres may take to answer.
const POSTGRES_TIMEOUT: Duration = Duration::from_secs(2);

/// `GET /health/live`: the host runs.
pub(super) async fn live(NoParams: NoParams) -> Json<Value> {
    Json(json!({"status": "live"}))
}

/// `GET /health/ready`: Postgres answers queries, and appends can be made. The answer says to which log.
pub(super) async fn ready(State(api): State<Api>, NoParams: NoParams) -> Result<Json<Value>, Problem> {
    Ok(Json(json!({"status": "ready", "log": check(&api).await?})))
}

/// Whether Postgres answers queries and appends can be made; to which log.
pub(super) async fn check(api: &Api) -> Result<Uuid, Problem> {
    let (log, appends) = tokio::join!(log(api), can_append(api));
    let log = log?;
    appends.map(|()| log)
}

async fn log(api: &Api) -> Result<Uuid, Problem> {
    match tokio::time::timeout(POSTGRES_TIMEOUT, log_id(&api.database.lookups)).await {
        Ok(Ok(log)) => Ok(log),
        Ok(Err(error)) => Err(error.into()),
        // The pool says only that it has no connection; a connection beside it shows why.
        Err(_) => Err(match tokio::time::timeout(POSTGRES_TIMEOUT, api.database.diagnose()).await {
            Ok(Err(error)) => unavailable(Code::DatabaseUnavailable, &without_address(&error), &error),
            Ok(Ok(())) | Err(_) => Problem::new(Code::DatabaseUnavailable, "Postgres does not answer in time"),
        }),
    }
}

async fn can_append(api: &Api) -> Result<(), Problem> {
    let error = match tokio::time::timeout(POSTGRES_TIMEOUT, api.log.check_appends()).await {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "an append is being tried again, or waits for the log's lock".to_owned(),
    };
    Err(unavailable(Code::LogUnavailable, &format!("appends cannot be made: {error}"), &error))
}

/// What clients may know of an error: where Postgres is, and as whom the host connects, is in the log only.
fn without_address(error: &ConnectError) -> String {
    match error {
        ConnectError::NoneLeft { needed, error, .. } => {
            format!("Postgres has no connection left for this host, which needs {needed} (--max-connections): {error}")
        }
        _ => "cannot connect to Postgres; the host's log says why".to_owned(),
    }
}

/// `GET /`: the name and version of the program, and the paths to begin with.
pub(super) async fn index(NoParams: NoParams) -> Json<Value> {
    let prefix = ForwardedPrefix::current();
    Json(json!({
        "name": "gnomon",
        "version": env!("CARGO_PKG_VERSION"),
        "events": prefix.path("/v1/events"),
        "streams": prefix.path("/v1/streams"),
        "modules": prefix.path("/v1/modules"),
        "projections": prefix.path("/v1/projections"),
        "read_models": prefix.path("/v1/read-models"),
        "health": prefix.path(READY),
        "openapi": prefix.path("/openapi.json"),
        "docs": prefix.path("/docs"),
    }))
}

/// The operations of these routes, and of the pages of errors.
pub(super) fn describe() -> Vec<Operation> {
    let object = |names: &[&str]| {
        let members: serde_json::Map<String, Value> =
            names.iter().map(|name| ((*name).to_owned(), json!({"type": "string"}))).collect();
        json!({"type": "object", "properties": members, "required": names})
    };
    let json = "application/json";
    let ready = json!({"status": "ready", "log": "5e8aa3a4-7a4f-4c5b-9d1f-0c6f8c1d2b01"});
    let names =
        ["name", "version", "events", "streams", "modules", "projections", "read_models", "health", "openapi", "docs"];
    vec![
        Operation::get(
            Needs::Nothing,
            "/",
            "index",
            "The name and version of the program, and the paths to begin with.",
        )
        .answers_as(200, "The paths.", json, object(&names), None),
        Operation::get(Needs::Nothing, "/health/live", "health_live", "The host runs.").answers_as(
            200,
            "It does.",
            json,
            object(&["status"]),
            Some(json!({"status": "live"})),
        ),
        Operation::get(Needs::Nothing, READY, "health_ready", "Postgres answers queries, and appends can be made.")
            .answers_as(200, "So it is.", json, object(&["status", "log"]), Some(ready))
            .problems(&[Code::DatabaseUnavailable, Code::LogUnavailable, Code::Starting]),
        Operation::get(Needs::Nothing, "/errors/{code}", "error_page", "The page that explains an error code.")
            .answers_as(200, "The page.", "text/markdown", json!({"type": "string"}), None)
            .problems(&[Code::NotFound]),
    ]
}
