//! `GET /v1/events`

use axum::{extract::State, http::HeaderMap, response::Response};
use futures_util::TryStreamExt;

use crate::{
    api,
    event_log::{Filter, Followed, PageSize, Position, RecordedEvent},
    http::{
        convert,
        extract::Params,
        names, page,
        problem::{Code, Problem},
        sending, sse,
        state::Api,
    },
};

pub(in crate::http) async fn read(
    State(api): State<Api>,
    Params(query): Params<api::ReadEventsQuery>,
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
    let size = PageSize { events: limit, bytes: api.settings.max_page_bytes };
    let reserved = page::reserve(&api, size).await?;
    let mut page = api.log.read(query.direction.into(), after, size, &filter).await?;
    if let Some(after) = after.filter(|after| query.direction == api::Direction::Forward && *after > page.head) {
        return Err(page::beyond_head(after, page.head));
    }
    let events: Vec<api::Event> = if query.upcast {
        let (events, next) = upcasted(&api, std::mem::take(&mut page.events), size.bytes).await?;
        page.next = next.or(page.next);
        events
    } else {
        page.events.into_iter().map(convert::event).collect::<Result<_, _>>()?
    };
    sending::json(&api::EventsPage { events, next: page.next.map(|next| next.0), head: page.head.0 }, reserved)
}

/// The events as the upcasters make them. They may make them larger: then those at the end are left out, and the position of the last event
/// that is there comes with them.
async fn upcasted(
    api: &Api,
    events: Vec<RecordedEvent>,
    max_bytes: usize,
) -> Result<(Vec<api::Event>, Option<Position>), Problem> {
    let made = api.operations.upcast(events).await?;
    let (mut shown, mut bytes, mut last) = (Vec::with_capacity(made.len()), 0, None);
    for event in made {
        // What is made of one event is together.
        if bytes >= max_bytes && last.is_some_and(|last| last != event.position) {
            return Ok((shown, last));
        }
        bytes += event.data.len() + event.metadata.as_ref().map_or(0, String::len);
        last = Some(event.position);
        shown.push(convert::upcasted(event)?);
    }
    Ok((shown, None))
}

async fn follow(
    api: &Api,
    filter: Filter,
    query: &api::ReadEventsQuery,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    if query.direction == api::Direction::Backward {
        return Err(Problem::new(Code::InvalidQuery, "the log is followed forward only"));
    }
    if query.upcast {
        return Err(Problem::new(
            Code::InvalidQuery,
            "`upcast=true` is for pages; followers get the events of the log",
        ));
    }
    sse::refuse_limit(query.limit)?;
    let after = match (sse::last_event_id(headers)?, query.after) {
        (Some(seen), _) | (None, Some(api::After::Number(seen))) => Position(seen),
        (None, Some(api::After::Head)) => *api.log.head().borrow(),
        (None, None) => Position(0),
    };
    // Read from Postgres: the client may have seen events of another host, of which this host has not been notified yet.
    let head = api.log.read_head().await?;
    if after > head {
        return Err(page::beyond_head(after, head));
    }
    let follower = api.sending.follower();
    let pages = api.log.follow(after, filter, move |bytes| follower.clone().reserve(bytes));
    let pieces = pages.map_ok(|(page, room)| room.hold(sse::together(page.into_iter().map(message))));
    Ok(sse::respond(pieces, api.closing.clone()))
}

fn message(followed: Followed) -> sse::Message {
    match followed {
        Followed::Event(event) => sse::Message::new(event.position.0, convert::event(*event)),
        Followed::Searched(position) => sse::Message::id(position.0),
    }
}
