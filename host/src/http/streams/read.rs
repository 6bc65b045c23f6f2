//! `GET /v1/streams/{stream}/events`

use axum::{extract::State, http::HeaderMap, response::Response};
use futures_util::TryStreamExt;

use crate::{
    api,
    event_log::{PageSize, RecordedEvent, StreamName, StreamVersion},
    http::{
        convert,
        extract::{Params, PathParams},
        page,
        problem::{Code, Problem},
        sending, sse,
        state::Api,
    },
};

pub(in crate::http) async fn read(
    State(api): State<Api>,
    PathParams(stream): PathParams<String>,
    Params(query): Params<api::ReadStreamQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let name = StreamName::new(stream)?;
    if sse::wanted(&headers) {
        return follow(&api, name, &query, &headers).await;
    }
    sse::refuse_last_event_id(&headers)?;
    let limit = page::limit(query.limit, &api.settings)?;
    let after = query.after.map(page::begin).transpose()?.map(StreamVersion);
    let size = PageSize { events: limit, bytes: api.settings.max_page_bytes };
    let reserved = page::reserve(&api, size).await?;
    let found = api.log.read_stream(&name, after, size, query.direction.into()).await?;
    let Some(page) = found else {
        return Err(Problem::new(Code::StreamNotFound, format!("there is no stream `{name}`")));
    };
    if let Some(after) = after.filter(|after| query.direction == api::Direction::Forward && *after > page.version) {
        return Err(page::beyond_stream(&name, after, page.version));
    }
    let events = page.events.into_iter().map(convert::event).collect::<Result<Vec<_>, _>>()?;
    let (version, next) = (page.version.0, page.next.map(|next| next.0));
    sending::json(&api::StreamPage { stream: name.into(), version, events, next }, reserved)
}

async fn follow(
    api: &Api,
    name: StreamName,
    query: &api::ReadStreamQuery,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    if query.direction == api::Direction::Backward {
        return Err(Problem::new(Code::InvalidQuery, "a stream is followed forward only"));
    }
    sse::refuse_limit(query.limit)?;
    let version = api.log.stream_version(&name).await?;
    let after = match (sse::last_event_id(headers)?, query.after) {
        (Some(seen), _) | (None, Some(api::After::Number(seen))) => StreamVersion(seen),
        (None, Some(api::After::Head)) => version,
        (None, None) => StreamVersion(0),
    };
    if after > version {
        return Err(page::beyond_stream(&name, after, version));
    }
    let follower = api.sending.follower();
    let pages = api.log.follow_stream(name, after, move |bytes| follower.clone().reserve(bytes));
    let message = |event: RecordedEvent| sse::Message::new(event.version.0, convert::event(event));
    let pieces = pages.map_ok(move |(page, room)| room.hold(sse::together(page.into_iter().map(message))));
    Ok(sse::respond(pieces, api.closing.clone()))
}
