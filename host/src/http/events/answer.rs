//! Answers with events of the log: a page of them, or all that come.

use axum::{http::HeaderMap, response::Response};
use futures_util::TryStreamExt;

use crate::{
    api,
    event_log::{Filter, Followed, PageSize, Position, RecordedEvent},
    http::{
        convert, page,
        problem::{Code, Problem},
        sending, sse,
        state::Api,
    },
};

/// What a client wants to read of the log.
pub(super) struct Wanted {
    pub(super) filter: Filter,
    pub(super) after: Option<api::After>,
    pub(super) limit: Option<u64>,
    pub(super) direction: api::Direction,
    pub(super) upcast: bool,
}

/// Answers with a page, or follows if the client accepts that.
pub(super) async fn answer(api: &Api, wanted: Wanted, headers: &HeaderMap) -> Result<Response, Problem> {
    if let Some(query) = &wanted.filter.query {
        api.log.check_query(query)?;
    }
    if sse::wanted(headers) {
        return follow(api, wanted, headers).await;
    }
    sse::refuse_last_event_id(headers)?;
    let Wanted { filter, after, limit, direction, upcast } = wanted;
    let limit = page::limit(limit, &api.settings)?;
    let after = after.map(page::begin).transpose()?.map(Position);
    let size = PageSize { events: limit, bytes: api.settings.max_page_bytes };
    let reserved = page::reserve(api, size).await?;
    let mut page = api.log.read(direction.into(), after, size, &filter).await?;
    if let Some(after) = after.filter(|after| direction == api::Direction::Forward && *after > page.head) {
        return Err(page::beyond_head(after, page.head));
    }
    let events: Vec<api::Event> = if upcast {
        let (events, next) = upcasted(api, std::mem::take(&mut page.events), size.bytes).await?;
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
        bytes += event.data.len() + event.metadata.as_ref().map_or(0, |metadata| metadata.len());
        bytes += event.tags.iter().map(|tag| tag.len()).sum::<usize>();
        last = Some(event.position);
        shown.push(convert::upcasted(event)?);
    }
    Ok((shown, None))
}

async fn follow(api: &Api, wanted: Wanted, headers: &HeaderMap) -> Result<Response, Problem> {
    if wanted.direction == api::Direction::Backward {
        return Err(Problem::new(Code::InvalidQuery, "the log is followed forward only"));
    }
    if wanted.upcast {
        return Err(Problem::new(
            Code::InvalidQuery,
            "`upcast=true` is for pages; followers get the events of the log",
        ));
    }
    sse::refuse_limit(wanted.limit)?;
    let after = match (sse::last_event_id(headers)?, wanted.after) {
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
    let pages = api.log.follow(after, wanted.filter, move |bytes| follower.clone().reserve(bytes));
    let pieces = pages.map_ok(|(page, room)| room.hold(sse::together(page.into_iter().map(message))));
    Ok(sse::respond(pieces, api.closing.clone()))
}

fn message(followed: Followed) -> sse::Message {
    match followed {
        Followed::Event(event) => sse::Message::new(event.position.0, convert::event(*event)),
        Followed::Searched(position) => sse::Message::id(position.0),
    }
}
