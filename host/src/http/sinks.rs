//! `/v1/sinks`

use axum::{Json, extract::State, http::StatusCode};
use serde_json::{Value, json};

use super::{
    convert::sink_settings,
    extract::{JsonBody, NoParams, Params, PathParams},
    needs::Needs,
    openapi::Operation,
    page,
    problem::{Code, Problem},
    state::Api,
};
use crate::{
    api,
    outbox::{ChangeSinkError, MAX_SINKS, SinkHistoryEntry, SinkName, SinkNameError},
};

/// `GET /v1/sinks`
pub(super) async fn list(State(api): State<Api>, NoParams: NoParams) -> Result<Json<api::Sinks>, Problem> {
    let sinks = api.outbox.sinks().await?.into_iter().map(Into::into).collect();
    Ok(Json(api::Sinks { sinks }))
}

/// `GET /v1/sinks/{sink}`
pub(super) async fn get(
    State(api): State<Api>,
    NoParams: NoParams,
    PathParams(name): PathParams<String>,
) -> Result<Json<api::Sink>, Problem> {
    Ok(Json(api.outbox.sink(&SinkName::new(name)?).await?.into()))
}

/// `PUT /v1/sinks/{sink}`
pub(super) async fn put(
    State(api): State<Api>,
    NoParams: NoParams,
    PathParams(name): PathParams<String>,
    JsonBody(settings): JsonBody<api::SinkSettings>,
) -> Result<(StatusCode, Json<api::Sink>), Problem> {
    let (name, settings) = (SinkName::new(name)?, sink_settings(settings)?);
    let (sink, is_new) = api.outbox.put_sink(&name, &settings).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(sink.into())))
}

/// `DELETE /v1/sinks/{sink}`
pub(super) async fn delete(
    State(api): State<Api>,
    NoParams: NoParams,
    PathParams(name): PathParams<String>,
) -> Result<StatusCode, Problem> {
    api.outbox.delete_sink(&SinkName::new(name)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /v1/sinks/{sink}/retry`
pub(super) async fn retry(
    State(api): State<Api>,
    NoParams: NoParams,
    PathParams(name): PathParams<String>,
) -> Result<Json<api::SinkRetried>, Problem> {
    let retried = api.outbox.retry_sink(&SinkName::new(name)?).await?;
    Ok(Json(api::SinkRetried { retried }))
}

/// `GET /v1/sinks/{sink}/history`
pub(super) async fn history(
    State(api): State<Api>,
    PathParams(name): PathParams<String>,
    Params(query): Params<api::HistoryQuery>,
) -> Result<Json<api::SinkHistoryPage>, Problem> {
    let (name, limit) = (SinkName::new(name)?, page::limit(query.limit, &api.settings)?);
    let history = api.outbox.sink_history(&name, query.after, limit).await?;
    if history.is_empty() && query.after.is_none() {
        return Err(Problem::new(Code::SinkNotFound, format!("there is no sink `{name}`, and never was")));
    }
    let next = history.last().filter(|_| history.len() == limit).map(|last| last.entry);
    Ok(Json(api::SinkHistoryPage { history: history.into_iter().map(Into::into).collect(), next }))
}

impl From<SinkHistoryEntry> for api::SinkHistoryEntry {
    fn from(entry: SinkHistoryEntry) -> Self {
        let SinkHistoryEntry { entry, at, message, change, cause, actor, address, request_id } = entry;
        Self { entry, at: at.instant(), message, change, cause, actor, address, request_id }
    }
}

impl From<SinkNameError> for Problem {
    fn from(error: SinkNameError) -> Self {
        Self::new(Code::InvalidPath, error.to_string())
    }
}

impl From<ChangeSinkError> for Problem {
    fn from(error: ChangeSinkError) -> Self {
        let detail = error.to_string();
        match error {
            ChangeSinkError::TooMany => {
                Self::new(Code::TooManySinks, detail).with("limit", "max_sinks").with("max", MAX_SINKS)
            }
            ChangeSinkError::InUse { .. } => Self::new(Code::SinkInUse, detail),
            ChangeSinkError::Unknown(_) => Self::new(Code::SinkNotFound, detail),
            ChangeSinkError::Postgres(error) => error.into(),
        }
    }
}

/// The operations of these routes.
pub(super) fn describe() -> Vec<Operation> {
    vec![
        Operation::get(Needs::OPERATE_HOST, "/v1/sinks", "list_sinks", "Lists the sinks, by name.").answers::<api::Sinks>(
            200,
            "The sinks.",
            json!({"sinks": [example()]}),
        ),
        Operation::get(Needs::OPERATE_HOST, "/v1/sinks/{sink}", "get_sink", "Returns a sink.")
            .answers::<api::Sink>(200, "The sink.", example())
            .problems(&[Code::SinkNotFound]),
        Operation::put(Needs::ADMIN, "/v1/sinks/{sink}", "put_sink", "Makes a sink, or changes it.")
            .about("What is left out has its default, whatever it was before. Messages that wait go to the sink as it is then.")
            .takes::<api::SinkSettings>(json!({
                "kind": "webhook", "url": "https://example.com/hook", "secret": "env:GNOMON_SECRET_ORDERS",
            }))
            .answers::<api::Sink>(201, "The new sink.", example())
            .answers::<api::Sink>(200, "The changed sink.", example())
            .problems(&[Code::TooManySinks]),
        Operation::delete(Needs::ADMIN, "/v1/sinks/{sink}", "delete_sink", "Removes a sink for which no messages wait.")
            .answers_nothing(204, "It is removed.")
            .problems(&[Code::SinkNotFound, Code::SinkInUse]),
        Operation::post(Needs::OPERATE_HOST, "/v1/sinks/{sink}/retry", "retry_sink", "Sends what waits for a sink, and what has failed, now.")
            .about(
                "Messages that wait for their next try are sent without the pause. Of those that have failed, the 1,000 oldest are sent again, calls \
                 excepted: their reactors were told.",
            )
            .answers::<api::SinkRetried>(200, "How many that had failed are sent again.", json!({"retried": 3}))
            .problems(&[Code::SinkNotFound]),
        Operation::get(
            Needs::OPERATE_HOST,
            "/v1/sinks/{sink}/history",
            "list_sink_history",
            "Every change of a sink, and what was done to its messages, newest first.",
        )
        .query::<api::HistoryQuery>()
        .answers::<api::SinkHistoryPage>(
            200,
            "The page.",
            json!({"next": null, "history": [{
                "entry": 9, "at": "2026-01-01T10:17:00Z", "message": "0197a3a5-7d0c-5b6e-9b5e-3f6a0b1c2d3e", "change": "message_dropped",
                "cause": "an operator dropped it; its state was failed",
            }]}),
        )
        .problems(&[Code::SinkNotFound]),
    ]
}

fn example() -> Value {
    json!({
        "name": "orders", "kind": "webhook", "url": "https://example.com/hook", "secret": "env:GNOMON_SECRET_ORDERS", "content_mode": "structured",
        "timeout_seconds": 10, "max_tries": 20, "created_at": "2026-01-01T10:17:00Z", "changed_at": "2026-01-01T10:17:00Z",
    })
}
