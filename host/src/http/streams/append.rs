//! `POST /v1/streams/{stream}/events`

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
};

use tracing::Instrument as _;

use crate::{
    api,
    event_log::{Append, StreamName},
    http::{
        convert::{append_condition, new_events},
        extract::{JsonBody, NoParams, PathParams},
        problem::Problem,
        state::Api,
        traces::{append_span, keep_trace},
    },
};

pub(in crate::http) async fn append(
    State(api): State<Api>,
    NoParams: NoParams,
    PathParams(stream): PathParams<String>,
    headers: HeaderMap,
    JsonBody(mut body): JsonBody<api::Append>,
) -> Result<(StatusCode, Json<Option<api::Appended>>), Problem> {
    keep_trace(&headers, &mut body.events);
    let append = Append {
        stream: StreamName::new(stream)?,
        expected: body.expected_version.into(),
        events: new_events(body.events, "events")?,
    };
    let condition = body.condition.map(append_condition).transpose()?;
    let appended = api.log.append(vec![append], condition).instrument(append_span()).await?.pop();
    let repeated = appended.as_ref().is_some_and(|appended| appended.repeated);
    let status = if repeated { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Json(appended.map(Into::into))))
}
