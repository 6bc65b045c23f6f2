//! Events as they come, in the form that browsers follow: server-sent events.
//!
//! <https://html.spec.whatwg.org/multipage/server-sent-events.html>

use std::{convert::Infallible, time::Duration};

use axum::{
    http::{HeaderMap, header},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::{Stream, StreamExt, stream};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::problem::{Code, Problem};

/// A line that says nothing, so that neither side takes the connection for dead.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Whether the client wants to follow.
pub(super) fn wanted(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.split(',').any(|part| part.trim().starts_with("text/event-stream")))
}

/// Where a client that comes back begins: behind what it saw last.
pub(super) fn last_event_id(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get("last-event-id") else { return Ok(None) };
    let number = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    number
        .map(Some)
        .ok_or_else(|| Problem::new(Code::InvalidHeader, format!("Last-Event-ID must be a number; it is {value:?}")))
}

/// Refuses a page to a client that means to go on where it was.
pub(super) fn refuse_last_event_id(headers: &HeaderMap) -> Result<(), Problem> {
    if headers.contains_key("last-event-id") {
        let detail = "Last-Event-ID is for followers, with `Accept: text/event-stream`; a page begins behind `after`";
        return Err(Problem::new(Code::InvalidHeader, detail));
    }
    Ok(())
}

/// Refuses an end to a client that follows.
pub(super) fn refuse_limit(limit: Option<u64>) -> Result<(), Problem> {
    if limit.is_some() {
        return Err(Problem::new(Code::InvalidQuery, "`limit` is for pages; followers get all that comes"));
    }
    Ok(())
}

/// Answers with events in batches, until the host closes or reading fails; the client then comes back by itself. A failure is
/// told by a last event, `error`, which has no id.
pub(super) fn respond(
    events: impl Stream<Item = Result<Vec<Event>, sqlx::Error>> + Send + 'static,
    closing: CancellationToken,
) -> Response {
    let until_failure = stream::unfold(Some(Box::pin(events)), |events| async {
        let mut events = events?;
        Some(match events.next().await? {
            Ok(batch) => (batch, Some(events)),
            Err(error) => (vec![error_event(&Problem::from(error))], None),
        })
    });
    let events = until_failure
        .flat_map(|batch| stream::iter(batch).map(Ok::<_, Infallible>))
        .take_until(closing.cancelled_owned());
    Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response()
}

/// A problem, told on a stream whose answer has begun already.
pub(super) fn error_event(problem: &Problem) -> Event {
    let event = || Event::default().event("error");
    event().json_data(problem).unwrap_or_else(|error| event().data(error.to_string()))
}

/// A message for a follower; `id` is what it gives back when it comes again. What cannot be shown is told as an error, and does
/// not end the stream for ever at this place.
pub(super) fn message(id: u64, content: Result<impl Serialize, Problem>) -> Event {
    let message = content.and_then(|content| {
        Event::default().json_data(content).map_err(|error| Problem::new(Code::Internal, error.to_string()))
    });
    message.unwrap_or_else(|problem| error_event(&problem)).id(id.to_string())
}
