//! `GET /v1/events`

use axum::{
    Json,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response, sse::Event},
};
use futures_util::TryStreamExt;

use crate::{
    api,
    event_log::{Filter, Followed, Position},
    http::{
        convert,
        extract::Params,
        names, page,
        problem::{Code, Problem},
        sse,
        state::Api,
    },
};

pub(in crate::http) async fn read(
    State(api): State<Api>,
    Params(query): Params<api::EventsQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let filter = Filter {
        types: names::types(query.types.as_deref())?,
        categories: names::categories(query.category.as_deref())?,
    };
    if sse::wanted(&headers) {
        return follow(&api, filter, &query, &headers).await;
    }
    sse::refuse_last_event_id(&headers)?;
    let limit = page::limit(query.limit, &api.settings)?;
    let after = query.after.map(page::begin).transpose()?.map(Position);
    let page = api.log.read(query.direction.into(), after, limit, &filter).await?;
    if let Some(after) = after.filter(|after| query.direction == api::Direction::Forward && *after > page.head) {
        return Err(page::beyond_head(after, page.head));
    }
    let events: Result<Vec<api::Event>, Problem> = if query.upcast {
        api.operations.upcast(page.events).await?.into_iter().map(convert::upcasted).collect()
    } else {
        page.events.into_iter().map(convert::event).collect()
    };
    let (next, head) = (page.next.map(|next| next.0), page.head.0);
    Ok(Json(api::EventsPage { events: events?, next, head }).into_response())
}

async fn follow(api: &Api, filter: Filter, query: &api::EventsQuery, headers: &HeaderMap) -> Result<Response, Problem> {
    if query.direction == api::Direction::Backward {
        return Err(Problem::new(Code::InvalidQuery, "the log is followed forward only"));
    }
    if query.upcast {
        return Err(Problem::new(Code::InvalidQuery, "`upcast=true` is for pages; followers get the originals"));
    }
    sse::refuse_limit(query.limit)?;
    let after = match (sse::last_event_id(headers)?, query.after) {
        (Some(seen), _) | (None, Some(api::After::Number(seen))) => Position(seen),
        (None, Some(api::After::Head)) => *api.log.head().borrow(),
        (None, None) => Position(0),
    };
    // The head in Postgres: the client may have seen, from another host, more than this one has heard of.
    let head = api.log.read_head().await?;
    if after > head {
        return Err(page::beyond_head(after, head));
    }
    let events = api.log.follow(after, filter).map_ok(|batch| batch.into_iter().map(followed).collect());
    Ok(sse::respond(events, api.closing.clone()))
}

fn followed(followed: Followed) -> Event {
    match followed {
        Followed::Event(event) => sse::message(event.position.0, convert::event(*event)),
        // An id without data moves the client's Last-Event-ID and tells its program nothing.
        Followed::Searched(position) => Event::default().id(position.to_string()),
    }
}
