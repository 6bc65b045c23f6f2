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
    event_log::{Append, AppendError, ExpectedVersion, NewEvent},
    http::{
        caller::By,
        content_type::{check_charset, is_media_type, unsupported},
        convert::{append_condition, invalid_field, new_events, stream_name, stream_of_tags},
        extract::{JsonBody, NoParams},
        named_actor::NamedActor,
        problem::Problem,
        state::Api,
        traces::{append_span, keep_trace},
    },
};

pub(in crate::http) async fn append(
    State(api): State<Api>,
    NoParams: NoParams,
    by: By,
    request: Request,
) -> Result<Response, Problem> {
    if is_media_type(request.headers(), "application/x-ndjson") {
        check_charset(request.headers())?;
        return import(&api, &by, request.into_body()).await;
    }
    if !is_media_type(request.headers(), "application/json") {
        return Err(unsupported(request.headers(), "application/json or application/x-ndjson"));
    }
    let headers = request.headers().clone();
    let JsonBody(mut body) = JsonBody::<api::AppendMany>::from_request(request, &api).await?;
    let actor = NamedActor::of(&api, &by)?;
    for (index, append) in body.appends.iter_mut().enumerate() {
        actor.name_in(&mut append.events, &format!("appends[{index}].events"))?;
    }
    keep_trace(&headers, body.appends.iter_mut().flat_map(|append| &mut append.events));
    let appends = body.appends.into_iter().enumerate().map(appends_of).collect::<Result<Vec<_>, _>>()?;
    let condition = body.condition.map(append_condition).transpose()?;
    let appends: Vec<Append> = appends.into_iter().flatten().collect();
    by.check_appends(&appends)?;
    by.check_condition(condition.as_ref())?;
    let appended = append_span().scope(api.log.append(appends, condition)).await?;
    let repeated = appended.iter().all(|appended| appended.repeated);
    let status = if repeated { StatusCode::OK } else { StatusCode::CREATED };
    let appends = appended.into_iter().map(Into::into).collect();
    Ok((status, Json(api::AppendedMany { appends })).into_response())
}

/// What the append at `index` of the request appends: to its stream, or to those of its events.
fn appends_of((index, append): (usize, api::AppendTo)) -> Result<Vec<Append>, Problem> {
    let path = format!("appends[{index}]");
    let api::AppendTo { stream, expected_version, events } = append;
    let stream = stream.map(|stream| stream_name(stream, &path)).transpose()?;
    let events_path = format!("{path}.events");
    let events = new_events(events, &events_path)?;
    match stream {
        Some(stream) => Ok(vec![Append { stream, expected: expected_version.into(), events }]),
        None if expected_version != api::ExpectedVersion::Any => {
            let reason =
                "events without a stream expect no version of one; give the stream, or guard them with a `condition`";
            Err(invalid_field(format!("{path}.expected_version"), reason))
        }
        None => without_stream(events, &events_path),
    }
}

/// Appends each event to the stream of its first tag: one append for each run of events of one stream. `path` is the field that has the
/// events.
fn without_stream(events: Vec<NewEvent>, path: &str) -> Result<Vec<Append>, Problem> {
    let mut runs: Vec<Append> = Vec::new();
    for (index, event) in events.into_iter().enumerate() {
        let stream = stream_of_tags(&event, &format!("{path}[{index}]."))?;
        match runs.last_mut().filter(|run| run.stream == stream) {
            Some(run) => run.events.push(event),
            None => runs.push(Append { stream, expected: ExpectedVersion::Any, events: vec![event] }),
        }
    }
    // Without events there is no stream, so the log would see no append to refuse.
    if runs.is_empty() { Err(AppendError::Empty.into()) } else { Ok(runs) }
}
