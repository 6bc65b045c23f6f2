//! `POST /v1/streams/{stream}/events`

use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;

use crate::{
    event_log::{Append, Appended, StreamName},
    http::{
        Api,
        events::wire::{Event, Expected},
        extract::{JsonBody, NoParams, PathParams},
        problem::Problem,
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Body {
    #[serde(default)]
    expected_version: Expected,
    events: Vec<Event>,
}

pub(in crate::http) async fn append(
    State(api): State<Api>,
    NoParams: NoParams,
    PathParams(stream): PathParams<String>,
    JsonBody(body): JsonBody<Body>,
) -> Result<(StatusCode, Json<Option<Appended>>), Problem> {
    let append = Append {
        stream: StreamName::new(stream)?,
        expected: body.expected_version.into(),
        events: body.events.into_iter().map(Into::into).collect(),
    };
    let appended = api.log.append(vec![append]).await?.pop();
    let repeated = appended.as_ref().is_some_and(|appended| appended.repeated);
    Ok((if repeated { StatusCode::OK } else { StatusCode::CREATED }, Json(appended)))
}
