//! `/v1/outbox`

use axum::{Json, extract::State, http::StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    convert::message,
    extract::{NoParams, Params, PathParams},
    needs::Needs,
    openapi::Operation,
    page,
    problem::{Code, Problem},
    server_error::unavailable,
    state::Api,
};
use crate::{
    api,
    outbox::{MessageError, MessageState, SinkName, WantedMessages},
};

/// `GET /v1/outbox`
pub(super) async fn list(
    State(api): State<Api>,
    Params(query): Params<api::MessagesQuery>,
) -> Result<Json<api::MessagesPage>, Problem> {
    let wrong = |error: &dyn std::fmt::Display| Problem::new(Code::InvalidQuery, error.to_string());
    let limit = page::limit(query.limit, &api.settings)?;
    let wanted = WantedMessages {
        sink: query.sink.map(SinkName::new).transpose().map_err(|error| wrong(&error))?,
        reactor: query.reactor,
        state: query.state.map(MessageState::try_from).transpose().map_err(|error| wrong(&error))?,
        after: i64::try_from(query.after.unwrap_or_default()).unwrap_or(i64::MAX),
        limit,
    };
    let found = api.outbox.messages(&wanted).await?;
    let next = found.last().filter(|_| found.len() == limit).map(|last| last.number.unsigned_abs());
    let messages = found.into_iter().map(message).collect::<Result<_, _>>()?;
    Ok(Json(api::MessagesPage { messages, next }))
}

/// `GET /v1/outbox/{message}`
pub(super) async fn get(
    State(api): State<Api>,
    NoParams: NoParams,
    PathParams(id): PathParams<String>,
) -> Result<Json<api::Message>, Problem> {
    shown(&api, parse(&id)?).await
}

/// `POST /v1/outbox/{message}/retry`
pub(super) async fn retry(
    State(api): State<Api>,
    NoParams: NoParams,
    PathParams(id): PathParams<String>,
) -> Result<Json<api::Message>, Problem> {
    let id = parse(&id)?;
    api.outbox.retry(id).await?;
    shown(&api, id).await
}

/// `DELETE /v1/outbox/{message}`
pub(super) async fn delete(
    State(api): State<Api>,
    NoParams: NoParams,
    PathParams(id): PathParams<String>,
) -> Result<StatusCode, Problem> {
    api.outbox.drop_message(parse(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn parse(id: &str) -> Result<Uuid, Problem> {
    let shown: String = id.chars().take(50).collect();
    Uuid::parse_str(id).map_err(|_| {
        Problem::new(Code::InvalidPath, format!("`{}` is not the id of a message, a UUID", shown.escape_debug()))
    })
}

async fn shown(api: &Api, id: Uuid) -> Result<Json<api::Message>, Problem> {
    message(api.outbox.message(id).await?).map(Json)
}

impl From<MessageError> for Problem {
    fn from(error: MessageError) -> Self {
        let detail = error.to_string();
        match error {
            MessageError::Unknown(_) => Self::new(Code::MessageNotFound, detail),
            MessageError::Delivered(_) => Self::new(Code::WrongMessageState, detail).with("state", "delivered"),
            MessageError::Answered(_) => Self::new(Code::WrongMessageState, detail).with("state", "failed"),
            MessageError::Answer(..) => unavailable(Code::LogUnavailable, &detail, &detail),
            MessageError::Postgres(error) => error.into(),
        }
    }
}

/// The operations of these routes.
pub(super) fn describe() -> Vec<Operation> {
    let data = json!({"flight": "UA 1545", "minutes": 137});
    let whole = || {
        let mut whole = example();
        whole["data"] = data.clone();
        whole
    };
    vec![
        Operation::get(
            Needs::OPERATE_HOST,
            "/v1/outbox",
            "list_messages",
            "Lists messages that reactors send, the oldest first.",
        )
        .about("Messages that were delivered are listed for a while, a day by default.")
        .query::<api::MessagesQuery>()
        .answers::<api::MessagesPage>(
            200,
            "A page of messages.",
            json!({"messages": [example()], "next": null}),
        ),
        Operation::get(Needs::OPERATE_HOST, "/v1/outbox/{message}", "get_message", "Returns a message, with its data.")
            .answers::<api::Message>(200, "The message.", whole())
            .problems(&[Code::MessageNotFound]),
        Operation::post(
            Needs::OPERATE_HOST,
            "/v1/outbox/{message}/retry",
            "retry_message",
            "Sends a message now that has failed, or waits.",
        )
        .about("It has all its tries again. A call that has failed is not made again: its reactor was told.")
        .answers::<api::Message>(200, "The message, which is pending.", whole())
        .problems(&[Code::MessageNotFound, Code::WrongMessageState]),
        Operation::delete(
            Needs::OPERATE_HOST,
            "/v1/outbox/{message}",
            "drop_message",
            "Removes a message, which is then not sent.",
        )
        .about("A try that is under way may still be taken. The reactor of a call is told that it has failed.")
        .answers_nothing(204, "It is removed.")
        .problems(&[Code::MessageNotFound, Code::LogUnavailable]),
    ]
}

fn example() -> Value {
    json!({
        "id": "0197a3a5-7d0c-5b6e-9b5e-3f6a0b1c2d3e", "reactor": "delays", "sink": "orders", "type": "FlightDelayed", "subject": "UA 1545",
        "position": 12, "key": "flight-UA1545", "state": "pending", "tries": 1, "error": "it answered 503 Service Unavailable",
        "enqueued_at": "2026-01-01T10:17:00Z", "next_try_at": "2026-01-01T10:17:01.5Z",
    })
}
