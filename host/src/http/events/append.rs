//! `POST /v1/events`: appends to several streams, or an import.

use axum::{
    Json,
    extract::{FromRequest, Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};

use super::import::import;
use crate::{
    api,
    event_log::Append,
    http::{
        content_type::{check_charset, is_media_type, unsupported},
        convert::{new_events, stream_name},
        extract::{JsonBody, NoParams},
        problem::Problem,
        state::Api,
    },
};

pub(in crate::http) async fn append(
    State(api): State<Api>,
    NoParams: NoParams,
    request: Request,
) -> Result<Response, Problem> {
    if is_media_type(request.headers(), "application/x-ndjson") {
        check_charset(request.headers())?;
        return import(&api, request.into_body()).await;
    }
    if !is_media_type(request.headers(), "application/json") {
        return Err(unsupported(request.headers(), "application/json or application/x-ndjson"));
    }
    let JsonBody(body) = JsonBody::<api::AppendMany>::from_request(request, &api).await?;
    let appends = body.appends.into_iter().enumerate().map(append_to).collect::<Result<Vec<_>, _>>()?;
    let appended = api.log.append(appends).await?;
    let repeated = appended.iter().all(|appended| appended.repeated);
    let status = if repeated { StatusCode::OK } else { StatusCode::CREATED };
    let appends = appended.into_iter().map(Into::into).collect();
    Ok((status, Json(api::AppendedMany { appends })).into_response())
}

/// The append at `index` of the request.
fn append_to((index, append): (usize, api::AppendTo)) -> Result<Append, Problem> {
    let path = format!("appends[{index}]");
    Ok(Append {
        stream: stream_name(append.stream, &path)?,
        expected: append.expected_version.into(),
        events: new_events(append.events, &format!("{path}.events"))?,
    })
}
