//! `POST /v1/events`: appends to several streams, or an import.

use axum::{
    Json,
    extract::{FromRequest, Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};

use super::{
    import::import,
    wire::{Event, Expected},
};
use crate::{
    event_log::{Append, Appended, StreamName},
    http::{
        Api,
        extract::{JsonBody, NoParams, is_media_type, unsupported},
        problem::Problem,
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    appends: Vec<Part>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    stream: StreamName,
    #[serde(default)]
    expected_version: Expected,
    events: Vec<Event>,
}

#[derive(Serialize)]
struct Answer {
    appends: Vec<Appended>,
}

pub(in crate::http) async fn append(
    State(api): State<Api>,
    NoParams: NoParams,
    request: Request,
) -> Result<Response, Problem> {
    if is_media_type(request.headers(), "application/x-ndjson") {
        return import(&api, request.into_body()).await;
    }
    if !is_media_type(request.headers(), "application/json") {
        return Err(unsupported(request.headers(), "application/json or application/x-ndjson"));
    }
    let JsonBody(body) = JsonBody::<Body>::from_request(request, &api).await?;
    let appends = body.appends.into_iter().map(|part| Append {
        stream: part.stream,
        expected: part.expected_version.into(),
        events: part.events.into_iter().map(Into::into).collect(),
    });
    let appends = api.log.append(appends.collect()).await?;
    let repeated = appends.iter().all(|appended| appended.repeated);
    let status = if repeated { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Json(Answer { appends })).into_response())
}
