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
    let filter = Filter { types: page::list(query.types), categories: page::list(query.category) };
    if sse::wanted(&headers) {
        if query.direction == Direction::Backward {
            return Err(Problem::new(Code::InvalidQuery, "the log is followed forward only"));
        }
        if query.upcast {
            return Err(Problem::new(Code::InvalidQuery, "`upcast=true` is for pages; followers get the originals"));
        }
        let after = match (sse::last_event_id(&headers)?, query.after) {
            (Some(seen), _) | (None, Some(After::Number(seen))) => Position(seen),
            (None, Some(After::Head)) => *api.log.head().borrow(),
            (None, None) => Position(0),
        };
        let events = api.log.follow(after, filter).map_ok(|batch| batch.iter().map(followed).collect());
        return Ok(sse::respond(events, api.closing.clone()));
    }
    let limit = page::limit(query.limit, &api.settings)?;
    let after = match query.after {
        Some(After::Number(position)) => Some(Position(position)),
        Some(After::Head) => return Err(Problem::new(Code::InvalidQuery, "`after=head` is for followers only")),
        None => None,
    };
    let page = api.log.read(query.direction, after, limit, &filter).await?;
    let (next, head) = (page.next, page.head);
    if !query.upcast {
        return Ok(Json(Page { events: page.events, next, head }).into_response());
    }
    let events = api.operations.upcast(page.events).await?;
    let events = events.into_iter().map(UpcastedEvent::try_from).collect::<Result<Vec<_>, _>>()?;
    Ok(Json(Page { events, next, head }).into_response())
}

fn followed(followed: &Followed) -> Event {
    match followed {
        Followed::Event(event) => sse_event(event.position.0, event),
        // An id without data moves the client's Last-Event-ID and tells its program nothing.
        Followed::Searched(position) => Event::default().id(position.to_string()),
    }
}
