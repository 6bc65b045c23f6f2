//! Reading the log, or one stream, in pages.

use std::fmt::Write as _;

use sqlx::PgPool;

use super::{
    event::{Position, RecordedEvent, StreamVersion},
    filter::{Filter, NameFilter},
    name::StreamName,
    row::{event_from_copy, event_from_row, select_events},
};
use crate::postgres::{ANSWER_TIMEOUT, BinaryRows, copy_out, rows_within, within};

/// The direction in which a page is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// From older to newer.
    #[default]
    Forward,
    /// From newer to older.
    Backward,
}

/// A page of the log.
#[derive(Clone, Debug)]
pub struct LogPage {
    /// The events, in the order of reading.
    pub events: Vec<RecordedEvent>,
    /// The position that the next page begins after; `None` at the oldest event when reading backward.
    ///
    /// It may be beyond the last event, as far as the log was searched for events that match.
    pub next: Option<Position>,
    /// The newest event's position when the page was read.
    pub head: Position,
}

/// A page of a stream.
#[derive(Clone, Debug)]
pub struct StreamPage {
    /// The events, in the order of reading.
    pub events: Vec<RecordedEvent>,
    /// The version that the next page begins after; `None` at the oldest event when reading backward.
    pub next: Option<StreamVersion>,
    /// The newest event's version when the page was read.
    pub version: StreamVersion,
}

/// How far a filtered read searches before it returns what it has found, in positions. Without a bound, a page of a rare type
/// would read the whole log while its reader waits.
const SEARCH: u64 = 1_000_000;
/// How far one statement of such a search goes.
const SEARCH_STEP: u64 = 50_000;

/// The position of the newest event. A later read contains every event up to it.
pub(crate) async fn head(pool: &PgPool) -> Result<Position, sqlx::Error> {
    let read = sqlx::query_scalar("SELECT position FROM gnomon.head").fetch_one(pool);
    within(ANSWER_TIMEOUT, "the head of the log", read).await
}

/// Reads the log forward, from the event after `after`.
pub(super) async fn forward(
    pool: &PgPool,
    after: Position,
    limit: usize,
    filter: &Filter,
) -> Result<LogPage, sqlx::Error> {
    let head = head(pool).await?;
    let end = Position(head.0.min(after.0.saturating_add(SEARCH)));
    let mut events = Vec::new();
    let mut next = after;
    while next < end && events.len() < limit {
        let step = if filter.is_all() { end } else { Position(end.0.min(next.0 + SEARCH_STEP)) };
        let left = limit - events.len();
        let found = range(pool, next, step, left, Direction::Forward, filter).await?;
        next = match found.last() {
            Some(last) if found.len() == left => last.position,
            _ => step,
        };
        events.extend(found);
    }
    Ok(LogPage { events, next: Some(next), head })
}

/// From this many positions on, a COPY is worth its planning. It returns events in a third of the time of a SELECT.
const COPY_FROM: u64 = 1000;

/// Reads the log forward as [`forward`] does, and faster if there are many events.
pub(super) async fn batch(
    pool: &PgPool,
    after: Position,
    limit: usize,
    filter: &Filter,
) -> Result<LogPage, sqlx::Error> {
    let head = head(pool).await?;
    if head.0.saturating_sub(after.0) < COPY_FROM || limit < usize::try_from(COPY_FROM).unwrap_or(usize::MAX) {
        return forward(pool, after, limit, filter).await;
    }
    let end = Position(head.0.min(after.0.saturating_add(SEARCH_STEP)));
    let events = copy(pool, after, end, limit, filter).await?;
    let next = match events.last() {
        Some(last) if events.len() == limit => last.position,
        _ => end,
    };
    Ok(LogPage { events, next: Some(next), head })
}

async fn copy(
    pool: &PgPool,
    after: Position,
    to: Position,
    limit: usize,
    filter: &Filter,
) -> Result<Vec<RecordedEvent>, sqlx::Error> {
    // COPY takes no parameters.
    let mut statement = format!("COPY ({} {after} AND position <= {to}", select_events!("WHERE position >"));
    for (column, names) in [("type", &filter.types), ("split_part(stream, '-', 1)", &filter.categories)] {
        if let NameFilter::Only(names) = names {
            let _ = write!(statement, " AND {column} = ANY (ARRAY[{}]::text[])", literals(names));
        }
    }
    let _ = write!(statement, " ORDER BY position LIMIT {limit}) TO STDOUT (FORMAT binary)");

    let buffer = copy_out(pool, &statement).await?;
    let mut rows = BinaryRows::new(&buffer)?;
    let mut events = Vec::with_capacity(limit);
    while rows.next_row()? {
        events.push(event_from_copy(&mut rows)?);
    }
    Ok(events)
}

/// Texts as SQL literals, with commas between.
fn literals(texts: &[String]) -> String {
    // An escape string, which does not depend on `standard_conforming_strings`.
    let literal = |text: &String| format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"));
    texts.iter().map(literal).collect::<Vec<_>>().join(", ")
}

/// Reads the log backward, from the event before `before`; `None` begins at the newest event.
pub(super) async fn backward(
    pool: &PgPool,
    before: Option<Position>,
    limit: usize,
    filter: &Filter,
) -> Result<LogPage, sqlx::Error> {
    let head = head(pool).await?;
    let start = before.map_or(head, |before| Position(before.0.saturating_sub(1).min(head.0)));
    let end = Position(start.0.saturating_sub(SEARCH));
    let mut events = Vec::new();
    // Everything above this position has been searched.
    let mut searched = start;
    while searched > end && events.len() < limit {
        let step = if filter.is_all() { end } else { Position(end.0.max(searched.0.saturating_sub(SEARCH_STEP))) };
        let left = limit - events.len();
        let found = range(pool, step, searched, left, Direction::Backward, filter).await?;
        searched = match found.last() {
            Some(last) if found.len() == left => Position(last.position.0 - 1),
            _ => step,
        };
        events.extend(found);
    }
    let next = (searched > Position(0)).then(|| searched.next());
    Ok(LogPage { events, next, head })
}

/// The events after `after`, up to and including `to`.
async fn range(
    pool: &PgPool,
    after: Position,
    to: Position,
    limit: usize,
    direction: Direction,
    filter: &Filter,
) -> Result<Vec<RecordedEvent>, sqlx::Error> {
    macro_rules! statement {
        ($order:literal) => {
            select_events!(
                "WHERE position > $1 AND position <= $2 \
                   AND ($4::text[] IS NULL OR type = ANY($4)) \
                   AND ($5::text[] IS NULL OR split_part(stream, '-', 1) = ANY($5)) \
                 ORDER BY position ",
                $order,
                " LIMIT $3"
            )
        };
    }
    let statement = match direction {
        Direction::Forward => statement!("ASC"),
        Direction::Backward => statement!("DESC"),
    };
    let events = sqlx::query(statement)
        .bind(after)
        .bind(to)
        .bind(to_limit(limit))
        .bind(filter.types.names())
        .bind(filter.categories.names())
        .fetch(pool);
    rows_within("events of the log", events).await?.iter().map(event_from_row).collect()
}

/// The events at these positions, in their order.
pub(super) async fn at(pool: &PgPool, positions: &[Position]) -> Result<Vec<RecordedEvent>, sqlx::Error> {
    let events = sqlx::query(select_events!("WHERE position = ANY($1) ORDER BY position")).bind(positions).fetch(pool);
    rows_within("events of the log", events).await?.iter().map(event_from_row).collect()
}

/// The version of a stream's newest event; `None` if the stream does not exist.
pub(super) async fn version(pool: &PgPool, stream: &StreamName) -> Result<Option<StreamVersion>, sqlx::Error> {
    let read = sqlx::query_scalar("SELECT version FROM gnomon.streams WHERE stream = $1")
        .bind(stream.as_str())
        .fetch_optional(pool);
    within(ANSWER_TIMEOUT, "the version of a stream", read).await
}

/// Reads a stream; `None` if it does not exist. `after` is the version to begin after, in the direction of reading.
pub(super) async fn stream(
    pool: &PgPool,
    stream: &StreamName,
    after: Option<StreamVersion>,
    limit: usize,
    direction: Direction,
) -> Result<Option<StreamPage>, sqlx::Error> {
    let Some(version) = version(pool, stream).await? else { return Ok(None) };
    let (statement, from, to) = match direction {
        Direction::Forward => (
            select_events!("WHERE stream = $1 AND version > $2 AND version <= $3 ORDER BY version LIMIT $4"),
            after.unwrap_or_default(),
            version,
        ),
        Direction::Backward => (
            select_events!("WHERE stream = $1 AND version > $2 AND version <= $3 ORDER BY version DESC LIMIT $4"),
            StreamVersion(0),
            after.map_or(version, |after| StreamVersion(after.0.saturating_sub(1))),
        ),
    };
    let rows = sqlx::query(statement).bind(stream.as_str()).bind(from).bind(to).bind(to_limit(limit)).fetch(pool);
    let rows = rows_within("events of a stream", rows).await?;
    let events = rows.iter().map(event_from_row).collect::<Result<Vec<_>, _>>()?;
    let last = events.last().map(|event| event.version);
    let next = match direction {
        Direction::Forward => Some(last.unwrap_or(from)),
        Direction::Backward => last.filter(|last| last.0 > 1),
    };
    Ok(Some(StreamPage { events, next, version }))
}

fn to_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
