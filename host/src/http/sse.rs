//! Answers that follow: server-sent events.
//!
//! <https://html.spec.whatwg.org/multipage/server-sent-events.html>

use std::{convert::Infallible, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderName, header},
    response::{IntoResponse, Response},
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

/// An empty comment.
const COMMENT: &[u8] = b":\n\n";

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

/// The pieces of an answer that follows, each of some messages: text, and the memory that it takes.
pub(super) type Piece = Bytes;

/// Answers with pieces, after a comment that tells client and proxies at once that the answer has begun, until the host stops or reading fails;
/// the client reconnects by itself. After a failure the last message is an event `error`, without an id.
pub(super) fn respond(
    pieces: impl Stream<Item = Result<Piece, impl Into<Problem> + Send + 'static>> + Send + 'static,
    closing: CancellationToken,
) -> Response {
    let (id, prefix) = (RequestId::current(), ForwardedPrefix::current());
    let until_failure = stream::unfold(Some(Box::pin(pieces)), move |pieces| {
        // The pieces are read after the handler has returned.
        let read = async {
            let mut pieces = pieces?;
            // Dropped at its end, the wait for the next piece loses nothing.
            Some(match tokio::time::timeout(KEEP_ALIVE, pieces.next()).await {
                Err(_) => (Bytes::from_static(COMMENT), Some(pieces)),
                Ok(Some(Ok(piece))) => (piece, Some(pieces)),
                Ok(Some(Err(error))) => (Message::error(&error.into()).0.into(), None),
                Ok(None) => return None,
            })
        };
        id.clone().scope(prefix.clone().scope(read))
    });
    let pieces = stream::iter([Bytes::from_static(COMMENT)]).chain(until_failure).map(Ok::<_, Infallible>);
    let body = Body::from_stream(pieces.take_until(closing.cancelled_owned()));
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-cache"),
        // By default nginx gathers the answer, and sends nothing before it has some KiB.
        (ACCEL_BUFFERING, "no"),
    ];
    (headers, body).into_response()
}

/// A message for a follower, as it is sent.
pub(super) struct Message(String);

impl Message {
    /// A message; `id` is the `Last-Event-ID` with which its reader reconnects after it. Content that cannot be shown becomes an event
    /// `error` with that id, so that the reader gets past it.
    pub(super) fn new(id: u64, content: Result<impl Serialize, Problem>) -> Self {
        let text = content.and_then(|content| serde_json::to_string(&content).map_err(|error| internal(&error)));
        match text {
            Ok(text) => Self::of(None, Some(&text), Some(&id.to_string())),
            Err(problem) => Self::of(Some("error"), Some(&json(&problem)), Some(&id.to_string())),
        }
    }

    /// A message without data, which moves the `Last-Event-ID` of its reader. Its program gets nothing.
    pub(super) fn id(id: u64) -> Self {
        Self::of(None, None, Some(&id.to_string()))
    }

    /// An event with a name.
    pub(super) fn named(event: &str, data: &str) -> Self {
        Self::of(Some(event), Some(data), None)
    }

    /// An event with a name, which moves the `Last-Event-ID` of its reader. The id has no line break.
    pub(super) fn with_id(event: &str, data: &str, id: &str) -> Self {
        Self::of(Some(event), Some(data), Some(id))
    }

    /// A problem as an event, since the status of the answer is sent already.
    fn error(problem: &Problem) -> Self {
        Self::of(Some("error"), Some(&json(problem)), None)
    }

    fn of(event: Option<&str>, data: Option<&str>, id: Option<&str>) -> Self {
        let mut text = String::with_capacity(data.map_or(0, str::len) + 64);
        let mut line = |name: &str, value: &str| {
            for part in [name, ": ", value, "\n"] {
                text.push_str(part);
            }
        };
        if let Some(event) = event {
            line("event", event);
        }
        // In JSON, line breaks are white space between tokens and never part of a string.
        for data in data.into_iter().flat_map(|data| data.split(['\n', '\r'])) {
            line("data", data);
        }
        if let Some(id) = id {
            line("id", id);
        }
        text.push('\n');
        Self(text)
    }
}

/// The text of several messages.
pub(super) fn together(messages: impl IntoIterator<Item = Message>) -> String {
    let mut messages = messages.into_iter();
    let mut text = messages.next().map(|message| message.0).unwrap_or_default();
    messages.for_each(|message| text.push_str(&message.0));
    text
}

fn json(problem: &Problem) -> String {
    // A problem can always be written as JSON.
    serde_json::to_string(problem).unwrap_or_else(|_| "the host failed".to_owned())
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderValue, header};

    use super::*;

    #[test]
    fn data_of_several_lines_is_one_message() {
        let messages =
            [Message::new(7, Ok::<_, Problem>([1])), Message::id(8), Message::of(Some("x"), Some("{\r\n\n1}"), None)];
        assert_eq!(together(messages), "data: [1]\nid: 7\n\nid: 8\n\nevent: x\ndata: {\ndata: \ndata: \ndata: 1}\n\n");
    }

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
