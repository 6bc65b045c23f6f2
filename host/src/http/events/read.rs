//! `GET /v1/events`

use axum::{
    Json,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response, sse::Event},
};
use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};

use super::{upcasted::UpcastedEvent, wire::sse_event};
use crate::{
    event_log::{Direction, Filter, Followed, Position},
    http::{
        Api,
        extract::Params,
        names,
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
    types: Option<String>,
    category: Option<String>,
    /// Whether to show what the active upcasters make of the events.
    #[serde(default)]
    upcast: bool,
}

#[derive(Serialize)]
struct Page<E> {
    events: Vec<E>,
    /// What to give as `after` for the next page; null when there is nothing further back.
    next: Option<Position>,
    /// The position of the newest event.
    head: Position,
}

pub(in crate::http) async fn read(
    State(api): State<Api>,
    Params(query): Params<Query>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let filter = Filter {
        types: names::types(query.types.as_deref())?.into_iter().map(Into::into).collect(),
        categories: names::categories(query.category.as_deref())?.into_iter().map(Into::into).collect(),
    };
    if sse::wanted(&headers) {
        return follow(&api, filter, &query, &headers).await;
    }
    sse::refuse_last_event_id(&headers)?;
    let limit = page::limit(query.limit, &api.settings)?;
    let after = query.after.map(After::for_page).transpose()?.map(Position);
    let page = api.log.read(query.direction, after, limit, &filter).await?;
    if let Some(after) = after.filter(|after| query.direction == Direction::Forward && *after > page.head) {
        return Err(page::beyond_head(after, page.head));
    }
    let (next, head) = (page.next, page.head);
    if !query.upcast {
        return Ok(Json(Page { events: page.events, next, head }).into_response());
    }
    let events = api.projector.upcast(page.events).await?;
    let events = events.into_iter().map(UpcastedEvent::try_from).collect::<Result<Vec<_>, _>>()?;
    Ok(Json(Page { events, next, head }).into_response())
}

async fn follow(api: &Api, filter: Filter, query: &Query, headers: &HeaderMap) -> Result<Response, Problem> {
    if query.direction == Direction::Backward {
        return Err(Problem::new(Code::InvalidQuery, "the log is followed forward only"));
    }
    if query.upcast {
        return Err(Problem::new(Code::InvalidQuery, "`upcast=true` is for pages; followers get the originals"));
    }
    sse::refuse_limit(query.limit)?;
    let after = match (sse::last_event_id(headers)?, query.after) {
        (Some(seen), _) | (None, Some(After::Number(seen))) => Position(seen),
        (None, Some(After::Head)) => *api.log.head().borrow(),
        (None, None) => Position(0),
    };
    // The head in Postgres: the client may have seen, from another host, more than this one has heard of.
    let head = api.log.read_head().await?;
    if after > head {
        return Err(page::beyond_head(after, head));
    }
    let events = api.log.follow(after, filter).map_ok(|batch| batch.iter().map(followed).collect());
    Ok(sse::respond(events, api.closing.clone()))
}

fn followed(followed: &Followed) -> Event {
    match followed {
        Followed::Event(event) => sse_event(event.position.0, event),
        // An id without data moves the client's Last-Event-ID and tells its program nothing.
        Followed::Searched(position) => Event::default().id(position.to_string()),
    }
}
