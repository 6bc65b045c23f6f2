//! `POST /v1/streams/{stream}/events`

use axum::{
    Json,
    extract::{FromRequest as _, Request, State},
    http::StatusCode,
};

use super::cloud_events;
use crate::{
    api,
    event_log::{Append, AppendCondition, ExpectedVersion, StreamName},
    http::{
        body::read_body,
        content_type::{check_charset, is_media_type, unsupported},
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
    request: Request,
) -> Result<(StatusCode, Json<Option<api::Appended>>), Problem> {
    let headers = request.headers().clone();
    if cloud_events::are_in(&headers) {
        check_charset(&headers)?;
        let max = api.settings.max_body_bytes as u64;
        let body = read_body(request.into_body(), max, "max_body_bytes", api.settings.work.body_timeout).await?;
        let events = cloud_events::parse(&headers, &body)?;
        let append = Append { stream: StreamName::new(stream)?, expected: ExpectedVersion::Any, events };
        return respond(&api, append, None).await;
    }
    if !is_media_type(&headers, "application/json") {
        let wanted = format!("application/json, {} or {}", cloud_events::ONE, cloud_events::BATCH);
        return Err(unsupported(&headers, &wanted));
    }
    let JsonBody(mut body) = JsonBody::<api::Append>::from_request(request, &api).await?;
    keep_trace(&headers, &mut body.events);
    let append = Append {
        stream: StreamName::new(stream)?,
        expected: body.expected_version.into(),
        events: new_events(body.events, "events")?,
    };
    let condition = body.condition.map(append_condition).transpose()?;
    respond(&api, append, condition).await
}

async fn respond(
    api: &Api,
    append: Append,
    condition: Option<AppendCondition>,
) -> Result<(StatusCode, Json<Option<api::Appended>>), Problem> {
    let appended = append_span().scope(api.log.append(vec![append], condition)).await?.pop();
    let repeated = appended.as_ref().is_some_and(|appended| appended.repeated);
    let status = if repeated { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Json(appended.map(Into::into))))
}
