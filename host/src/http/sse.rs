//! Answers that follow: server-sent events.
//!
//! <https://html.spec.whatwg.org/multipage/server-sent-events.html>

use std::{convert::Infallible, time::Duration};

use axum::{
    http::{HeaderMap, HeaderName},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::{Stream, StreamExt, stream};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::{
    forwarded_prefix::ForwardedPrefix,
    media_range::accepted,
    problem::{Code, Problem},
    request_id::RequestId,
    server_error::internal,
};

/// How often an empty comment is sent while there are no events, so that neither side takes the connection for dead.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Tells nginx not to gather the answer: by default it sends nothing before it has some KiB.
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Whether the client asks to follow: `Accept: text/event-stream`, and nothing that it wants more is a page.
pub(super) fn wanted(headers: &HeaderMap) -> bool {
    let ranges = accepted(headers);
    let quality = |media_type: &str| {
        let same = ranges.iter().filter(|range| range.media_type() == media_type);
        same.map(|range| range.quality).max_by(f32::total_cmp)
    };
    let events = quality("text/event-stream").unwrap_or_default();
    events > 0.0 && quality("application/json").is_none_or(|page| page <= events)
}

/// The header `Last-Event-ID` of a client that reconnects: its events begin after this one.
pub(super) fn last_event_id(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get("last-event-id") else { return Ok(None) };
    let number = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    number
        .map(Some)
        .ok_or_else(|| Problem::new(Code::InvalidHeader, format!("Last-Event-ID must be a number; it is {value:?}")))
}

/// Refuses `Last-Event-ID` in a request for a page.
pub(super) fn refuse_last_event_id(headers: &HeaderMap) -> Result<(), Problem> {
    if headers.contains_key("last-event-id") {
        let detail = "Last-Event-ID is for followers, with `Accept: text/event-stream`; a page begins after `after`";
        return Err(Problem::new(Code::InvalidHeader, detail));
    }
    Ok(())
}

/// Refuses `limit` in a request that follows.
pub(super) fn refuse_limit(limit: Option<u64>) -> Result<(), Problem> {
    if limit.is_some() {
        return Err(Problem::new(Code::InvalidQuery, "`limit` is for pages; followers get every event"));
    }
    Ok(())
}

/// Answers with events in batches, after a comment that tells client and proxies at once that the answer has begun, until the host stops or reading fails; the client reconnects by itself. After a failure the
/// last event is `error`, without an id.
pub(super) fn respond(
    events: impl Stream<Item = Result<Vec<Event>, impl Into<Problem> + Send + 'static>> + Send + 'static,
    closing: CancellationToken,
) -> Response {
    let (id, prefix) = (RequestId::current(), ForwardedPrefix::current());
    let until_failure = stream::unfold(Some(Box::pin(events)), move |events| {
        // The events are read after the handler has returned.
        let read = async {
            let mut events = events?;
            Some(match events.next().await? {
                Ok(batch) => (batch, Some(events)),
                Err(error) => (vec![error_event(&error.into())], None),
            })
        };
        id.clone().scope(prefix.clone().scope(read))
    });
    let begun = stream::iter([vec![Event::default().comment("")]]);
    let events = begun
        .chain(until_failure)
        .flat_map(|batch| stream::iter(batch).map(Ok::<_, Infallible>))
        .take_until(closing.cancelled_owned());
    // `Cache-Control: no-cache` comes with it.
    let events = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    ([(ACCEL_BUFFERING, "no")], events).into_response()
}

/// A problem as an event, since the status of the answer is sent already.
fn error_event(problem: &Problem) -> Event {
    let event = || Event::default().event("error");
    // A problem can always be written as JSON.
    event().json_data(problem).unwrap_or_else(|_| event().data("the host failed"))
}

/// A message for a follower; `id` is the `Last-Event-ID` with which it reconnects after it. Content that cannot be shown becomes
/// an event `error` with that id, so that the follower gets past it.
pub(super) fn message(id: u64, content: Result<impl Serialize, Problem>) -> Event {
    let message = content.and_then(|content| Event::default().json_data(content).map_err(|error| internal(&error)));
    message.unwrap_or_else(|problem| error_event(&problem)).id(id.to_string())
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderValue, header};

    use super::*;

    #[test]
    fn a_client_follows_if_it_wants_events_at_least_as_much_as_a_page() {
        for (accept, follows) in [
            ("text/event-stream", true),
            ("Text/Event-Stream; charset=utf-8", true),
            ("application/json, text/event-stream", true),
            ("text/event-stream, */*", true),
            ("application/json;q=0.5, text/event-stream;q=0.5", true),
            ("text/event-stream;q=0.001", true),
            ("text/event-stream;q=0", false),
            ("text/event-stream; q=0.0, */*", false),
            ("application/json, text/event-stream;q=0.5", false),
            ("text/event-streams", false),
            ("*/*", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(wanted(&headers), follows, "{accept}");
        }
        assert!(!wanted(&HeaderMap::new()));
    }
}
