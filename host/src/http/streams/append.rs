//! `POST /v1/streams/{stream}/events`

use axum::{
    Json,
    extract::{FromRequest as _, Request, State},
    http::StatusCode,
};

use super::cloud_events;
use crate::{
    api,
    event_log::{Append, AppendCondition, StreamName},
    http::{
        body::read_body,
        caller::By,
        content_type::{check_charset, is_media_type, unsupported},
        convert::{append_condition, new_events},
        extract::{JsonBody, Params, PathParams},
        named_actor::NamedActor,
        problem::{Code, Problem},
        state::Api,
        traces::{append_span, keep_trace},
    },
};

pub(in crate::http) async fn append(
    State(api): State<Api>,
    Params(query): Params<api::AppendQuery>,
    PathParams(stream): PathParams<String>,
    by: By,
    request: Request,
) -> Result<(StatusCode, Json<Option<api::Appended>>), Problem> {
    let headers = request.headers().clone();
    if cloud_events::are_in(&headers) {
        check_charset(&headers)?;
        let max = api.settings.max_body_bytes as u64;
        let body = read_body(request.into_body(), max, "max_body_bytes", api.settings.work.body_timeout).await?;
        let events = cloud_events::parse(&headers, &body, &NamedActor::of(&api, &by)?)?;
        let expected = query.expected_version.unwrap_or_default().into();
        return respond(&api, Append { stream: StreamName::new(stream)?, expected, events }, None).await;
    }
    if query.expected_version.is_some() {
        let detail =
            "query string: `expected_version` is a parameter for CloudEvents only; here it is a member of the body";
        return Err(Problem::new(Code::InvalidQuery, detail));
    }
    if !is_media_type(&headers, "application/json") {
        let wanted = format!("application/json, {} or {}", cloud_events::ONE, cloud_events::BATCH);
        return Err(unsupported(&headers, &wanted));
    }
    let JsonBody(mut body) = JsonBody::<api::Append>::from_request(request, &api).await?;
    NamedActor::of(&api, &by)?.name_in(&mut body.events, "events")?;
    keep_trace(&headers, &mut body.events);
    let append = Append {
        stream: StreamName::new(stream)?,
        expected: body.expected_version.into(),
        events: new_events(body.events, "events")?,
    };
    let condition = body.condition.map(append_condition).transpose()?;
    by.check_condition(condition.as_ref())?;
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
