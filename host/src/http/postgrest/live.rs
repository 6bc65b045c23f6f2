//! The rows of a query as they change: server-sent events.

use std::{fmt::Write as _, sync::Arc};

use axum::{
    http::{HeaderMap, Method},
    response::Response,
};
use futures_util::stream;

use super::{
    error::PostgrestError, position::Wanted, profile::accepted_profile, range::requested_range, refusal::ReadTableError,
};
use crate::{
    http::{
        prefer::Preferences,
        problem::{Code, Problem},
        sse,
        state::Api,
    },
    queries::{Count, LiveBatch, LiveEvent, LiveId, LiveRows, ReadRequest},
    read_model::Identifier,
};

/// The bytes after which a piece of an answer ends.
const PIECE: usize = 64 * 1024;

/// Answers a request with the rows that match, and then each change.
pub(super) async fn follow(
    api: &Api,
    projection: &Identifier,
    table: &str,
    query: &str,
    headers: &HeaderMap,
) -> Result<Response, ReadTableError> {
    accepted_profile(projection.as_str(), headers)?;
    let preferences = Preferences::from_headers(headers);
    preferences.check()?;
    check(&preferences, headers)?;
    Wanted::of(api, projection, &preferences, headers)?.wait(api).await?;
    let last_id = match headers.get("last-event-id") {
        None => None,
        Some(value) => Some(value.to_str().map_err(|_| {
            let detail = format!("Last-Event-ID must be the id of an event; it is {value:?}");
            ReadTableError::Other(Problem::new(Code::InvalidHeader, detail))
        })?),
    };
    let rows = api.queries.follow(ReadRequest::new(projection, table, query, &api.sending.reads), last_id).await?;
    let pieces = stream::unfold(Pieces { rows, batch: None }, async |mut pieces| {
        let piece = pieces.next().await?;
        Some((Ok::<_, Problem>(piece.into()), pieces))
    });
    Ok(sse::respond(pieces, api.closing.clone()))
}

/// Refuses what an answer that follows cannot have.
fn check(preferences: &Preferences, headers: &HeaderMap) -> Result<(), PostgrestError> {
    if requested_range(&Method::GET, headers)?.is_some() {
        return Err(PostgrestError::not_live("A live query has no range.", "Use limit and offset."));
    }
    if preferences.count() != Count::Uncounted {
        return Err(PostgrestError::not_live(
            "The rows of a live query are not counted.",
            "Follow select=count(), or count the rows that the client has.",
        ));
    }
    match preferences.zone() {
        Some(zone) if !zone.eq_ignore_ascii_case("UTC") => Err(PostgrestError::not_live(
            "A live query has its instants in UTC.",
            "Leave out timezone from Prefer, and show instants in another time zone where they are shown.",
        )),
        _ => Ok(()),
    }
}

/// The text of events, in pieces that are made when they are sent.
struct Pieces {
    rows: LiveRows,
    /// The events that are being sent, and how many of them are.
    batch: Option<(Arc<LiveBatch>, usize)>,
}

impl Pieces {
    async fn next(&mut self) -> Option<String> {
        let (batch, sent) = match self.batch.take() {
            Some(rest) => rest,
            None => (self.rows.next().await?, 0),
        };
        let mut text = String::new();
        for (at, event) in batch.events().iter().enumerate().skip(sent) {
            text.push_str(&sse::together([message(event)]));
            if text.len() >= PIECE && at + 1 < batch.events().len() {
                self.batch = Some((batch, at + 1));
                return Some(text);
            }
        }
        Some(text)
    }
}

/// An event as it is sent. Keys and rows are JSON already.
fn message(event: &LiveEvent) -> sse::Message {
    match event {
        // Whoever reconnects in the middle of it begins again.
        LiveEvent::Snapshot { reason, position, build } => {
            let data = format!("{{\"reason\":\"{}\",\"position\":{position},\"build\":{build}}}", reason.as_str());
            sse::Message::with_id("snapshot", &data, LiveId::NONE)
        }
        LiveEvent::Row { change, position, key, row } => {
            let mut data = format!("{{\"position\":{position},\"key\":{key}");
            if let Some(row) = row {
                let _ = write!(data, ",\"row\":{row}");
            }
            sse::Message::named(change.as_str(), &(data + "}"))
        }
        LiveEvent::Answer { position, rows } => {
            sse::Message::named("answer", &format!("{{\"position\":{position},\"rows\":{rows}}}"))
        }
        LiveEvent::Swapped { position, build } => {
            sse::Message::named("swap", &format!("{{\"position\":{position},\"build\":{build}}}"))
        }
        LiveEvent::Current { position, build, id } => {
            let data = format!("{{\"position\":{position},\"build\":{build}}}");
            sse::Message::with_id("position", &data, &id.to_string())
        }
        LiveEvent::End { reason } => {
            sse::Message::named("end", &format!("{{\"reason\":{}}}", serde_json::Value::from(reason.as_str())))
        }
    }
}
