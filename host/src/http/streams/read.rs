//! `GET /v1/streams/{stream}/events`

use axum::{
    Json,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};

use crate::{
    event_log::{Direction, RecordedEvent, StreamName, StreamVersion},
    http::{
        Api,
        events::wire::sse_event,
        extract::{Params, PathParams},
        page::{self, After},
        problem::{Code, Problem},
        sse,
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Query {
    after: Option<After>,
    limit: Option<usize>,
    #[serde(default)]
    direction: Direction,
}

#[derive(Serialize)]
struct Page {
    stream: StreamName,
    /// The version of the newest event.
    version: StreamVersion,
    events: Vec<RecordedEvent>,
    /// What to give as `after` for the next page; null when there is nothing further back.
    next: Option<StreamVersion>,
}

pub(in crate::http) async fn read(
    State(api): State<Api>,
    PathParams(stream): PathParams<String>,
    Params(query): Params<Query>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let name = StreamName::new(stream)?;
    if sse::wanted(&headers) {
        return follow(&api, name, &query, &headers).await;
    }
    sse::refuse_last_event_id(&headers)?;
    let limit = page::limit(query.limit, &api.settings)?;
    let after = query.after.map(After::for_page).transpose()?.map(StreamVersion);
    let found = api.log.read_stream(&name, after, limit, query.direction).await?;
    let Some(page) = found else {
        return Err(Problem::new(Code::StreamNotFound, format!("there is no stream `{name}`")));
    };
    if let Some(after) = after.filter(|after| query.direction == Direction::Forward && *after > page.version) {
        return Err(page::beyond_stream(&name, after, page.version));
    }
    Ok(Json(Page { stream: name, version: page.version, events: page.events, next: page.next }).into_response())
}

async fn follow(api: &Api, name: StreamName, query: &Query, headers: &HeaderMap) -> Result<Response, Problem> {
    if query.direction == Direction::Backward {
        return Err(Problem::new(Code::InvalidQuery, "a stream is followed forward only"));
    }
    sse::refuse_limit(query.limit)?;
    let version = api.log.stream_version(&name).await?;
    let after = match (sse::last_event_id(headers)?, query.after) {
        (Some(seen), _) | (None, Some(After::Number(seen))) => StreamVersion(seen),
        (None, Some(After::Head)) => version,
        (None, None) => StreamVersion(0),
    };
    if after > version {
        return Err(page::beyond_stream(&name, after, version));
    }
    let events = api.log.follow_stream(name, after);
    let events = events.map_ok(|batch| batch.iter().map(|event| sse_event(event.version.0, event)).collect());
    Ok(sse::respond(events, api.closing.clone()))
}
