//! Reading the log, or one stream, in pages.

use std::{
    fmt::Write as _,
    sync::atomic::{AtomicUsize, Ordering},
};

use futures_util::TryStreamExt;
use sqlx::{PgPool, Postgres, QueryBuilder, postgres::PgArguments, query::Query};

use super::{
    direction::Direction,
    event::{Position, RecordedEvent, StreamVersion},
    event_query::{EventQuery, QueryItem},
    filter::{Filter, NameFilter},
    name::{EventType, StreamName, Tag},
    row::{event_from_copy, event_from_row, select_events},
    tag_search::{Candidates, TagSearch},
};
use crate::postgres::{ANSWER_TIMEOUT, BinaryRows, PgTimestamp, copy_out, rows_within, within};

/// How much a page may have. It has one event in any case, however large that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageSize {
    /// Events, at most.
    pub events: usize,
    /// Bytes of events: the page ends with the event that reaches them.
    pub bytes: usize,
}

impl From<usize> for PageSize {
    /// So many events, of any size.
    fn from(events: usize) -> Self {
        Self { events, bytes: usize::MAX }
    }
}

/// A page of the log.
#[derive(Clone, Debug)]
pub struct LogPage {
    /// The events, in the order of reading.
    pub events: Vec<RecordedEvent>,
    /// The position that the next page begins after; `None` at the oldest event when reading backward.
    ///
    /// It may be beyond the last event, as far as the log was searched for events that match. A page that ends early, because of its bytes,
    /// has it as well.
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
/// How many statements a search by tags has before it returns what it has found.
const TAG_SEARCHES: usize = 20;
/// Positions that one of them finds, at least and at most. Their events are read in one statement; all of them match if the query names no
/// types.
const TAG_CANDIDATES: [usize; 2] = [64, 2048];

/// The position of the newest event. A later read contains every event up to it.
pub(crate) async fn head(pool: &PgPool) -> Result<Position, sqlx::Error> {
    let read = sqlx::query_scalar("SELECT position FROM gnomon.head").fetch_one(pool);
    within(ANSWER_TIMEOUT, "the head of the log", read).await
}

/// The position of the newest event, and its stamp.
pub(super) async fn stamped_head(pool: &PgPool) -> Result<(Position, PgTimestamp), sqlx::Error> {
    let read = sqlx::query_as("SELECT position, recorded_at FROM gnomon.head").fetch_one(pool);
    within(ANSWER_TIMEOUT, "the head of the log", read).await
}

/// Reads pages.
#[derive(Debug)]
pub(super) struct Reader {
    pool: PgPool,
    /// Bytes of an event, on average over what was read last. Of large events few are asked for at once.
    typical_bytes: AtomicUsize,
}

/// What is taken for the size of an event until some were read.
const FIRST_TYPICAL_BYTES: usize = 1024;

/// A part of a page.
struct Piece {
    events: Vec<RecordedEvent>,
    /// Whether there may be more events in the range that was asked for.
    is_cut: bool,
}

/// A page that is being read.
struct Filling {
    size: PageSize,
    events: Vec<RecordedEvent>,
    bytes: usize,
}

impl Filling {
    fn new(size: PageSize) -> Self {
        Self { size, events: Vec::new(), bytes: 0 }
    }

    fn is_full(&self) -> bool {
        self.events.len() >= self.size.events || self.bytes >= self.size.bytes
    }

    fn left(&self) -> PageSize {
        PageSize { events: self.size.events - self.events.len(), bytes: self.size.bytes.saturating_sub(self.bytes) }
    }

    fn add(&mut self, events: Vec<RecordedEvent>) {
        self.bytes += events.iter().map(RecordedEvent::bytes).sum::<usize>();
        if self.events.is_empty() {
            self.events = events;
        } else {
            self.events.extend(events);
        }
    }
}

impl Reader {
    pub(super) fn new(pool: PgPool) -> Self {
        Self { pool, typical_bytes: AtomicUsize::new(FIRST_TYPICAL_BYTES) }
    }

    /// The connections on which it reads.
    pub(super) fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Reads the log forward, from the event after `after`.
    pub(super) async fn forward(
        &self,
        after: Position,
        size: PageSize,
        filter: &Filter,
    ) -> Result<LogPage, sqlx::Error> {
        let head = head(&self.pool).await?;
        if let Some(search) = TagSearch::of(filter) {
            return self.tagged_forward(search, after, head, size, filter).await;
        }
        let end = Position(head.0.min(after.0.saturating_add(SEARCH)));
        let mut page = Filling::new(size);
        let mut next = after;
        while next < end && !page.is_full() {
            let step = if filter.is_all() { end } else { Position(end.0.min(next.0 + SEARCH_STEP)) };
            let Piece { events, is_cut } = self.range(next, step, page.left(), Direction::Forward, filter).await?;
            next = events.last().filter(|_| is_cut).map_or(step, |last| last.position);
            page.add(events);
        }
        Ok(LogPage { events: page.events, next: Some(next), head })
    }

    /// Reads the log forward as [`forward`](Self::forward) does, and faster if there are many events.
    pub(super) async fn batch(&self, after: Position, size: PageSize, filter: &Filter) -> Result<LogPage, sqlx::Error> {
        let head = head(&self.pool).await?;
        if TagSearch::of(filter).is_some()
            || head.0.saturating_sub(after.0) < COPY_FROM
            || size.events < usize::try_from(COPY_FROM).unwrap_or(usize::MAX)
        {
            return self.forward(after, size, filter).await;
        }
        let end = Position(head.0.min(after.0.saturating_add(SEARCH_STEP)));
        let Piece { events, is_cut } = copy(&self.pool, after, end, size, filter).await?;
        let next = events.last().filter(|_| is_cut).map_or(end, |last| last.position);
        Ok(LogPage { events, next: Some(next), head })
    }

    /// Reads the log backward, from the event before `before`; `None` begins at the newest event.
    pub(super) async fn backward(
        &self,
        before: Option<Position>,
        size: PageSize,
        filter: &Filter,
    ) -> Result<LogPage, sqlx::Error> {
        let head = head(&self.pool).await?;
        let start = before.map_or(head, |before| Position(before.0.saturating_sub(1).min(head.0)));
        if let Some(search) = TagSearch::of(filter) {
            return self.tagged_backward(search, start, head, size, filter).await;
        }
        let end = Position(start.0.saturating_sub(SEARCH));
        let mut page = Filling::new(size);
        // Everything above this position has been searched.
        let mut searched = start;
        while searched > end && !page.is_full() {
            let step = if filter.is_all() { end } else { Position(end.0.max(searched.0.saturating_sub(SEARCH_STEP))) };
            let Piece { events, is_cut } = self.range(step, searched, page.left(), Direction::Backward, filter).await?;
            searched = events.last().filter(|_| is_cut).map_or(step, |last| Position(last.position.0 - 1));
            page.add(events);
        }
        let next = (searched > Position(0)).then(|| searched.next());
        Ok(LogPage { events: page.events, next, head })
    }

    /// Reads forward what the tags find.
    async fn tagged_forward(
        &self,
        search: TagSearch<'_>,
        after: Position,
        head: Position,
        size: PageSize,
        filter: &Filter,
    ) -> Result<LogPage, sqlx::Error> {
        let mut page = Filling::new(size);
        let mut next = after;
        for _ in 0..TAG_SEARCHES {
            if next >= head || page.is_full() {
                break;
            }
            let range = (next, head);
            let Candidates { positions, searched } =
                search.find(&self.pool, range, Direction::Forward, candidates(search, size)).await?;
            let Piece { events, is_cut } = self.at(&positions, page.left(), Direction::Forward, filter).await?;
            next = events.last().filter(|_| is_cut).map_or(searched, |last| last.position);
            page.add(events);
        }
        Ok(LogPage { events: page.events, next: Some(next), head })
    }

    /// Reads backward what the tags find, from `start` on.
    async fn tagged_backward(
        &self,
        search: TagSearch<'_>,
        start: Position,
        head: Position,
        size: PageSize,
        filter: &Filter,
    ) -> Result<LogPage, sqlx::Error> {
        let mut page = Filling::new(size);
        // Everything above this position has been searched.
        let mut above = start;
        for _ in 0..TAG_SEARCHES {
            if above == Position(0) || page.is_full() {
                break;
            }
            let range = (Position(0), above);
            let Candidates { positions, searched } =
                search.find(&self.pool, range, Direction::Backward, candidates(search, size)).await?;
            let Piece { events, is_cut } = self.at(&positions, page.left(), Direction::Backward, filter).await?;
            above = events.last().filter(|_| is_cut).map_or(searched, |last| Position(last.position.0 - 1));
            page.add(events);
        }
        let next = (above > Position(0)).then(|| above.next());
        Ok(LogPage { events: page.events, next, head })
    }

    /// Those of the events at these positions that the filter lets through.
    async fn at(
        &self,
        positions: &[Position],
        left: PageSize,
        direction: Direction,
        filter: &Filter,
    ) -> Result<Piece, sqlx::Error> {
        if positions.is_empty() {
            return Ok(Piece { events: Vec::new(), is_cut: false });
        }
        let limit = self.likely(left);
        let mut statement = QueryBuilder::new(select_events!("WHERE position = ANY("));
        statement.push_bind(positions).push(")");
        push_filter(&mut statement, filter);
        push_order(&mut statement, direction, limit);
        self.piece(statement.build(), limit, left.bytes).await
    }

    /// The first event after `after`, up to and including `to`, that matches.
    pub(super) async fn first_match(
        &self,
        query: &EventQuery,
        after: Position,
        to: Position,
    ) -> Result<Option<RecordedEvent>, sqlx::Error> {
        let filter = Filter { query: Some(query.clone()), ..Filter::default() };
        let one = PageSize::from(1);
        let mut next = after;
        while next < to {
            let (events, searched) = match TagSearch::of(&filter) {
                Some(search) => {
                    let page = self.tagged_forward(search, next, to, one, &filter).await?;
                    (page.events, page.next.unwrap_or(to))
                }
                None => {
                    let step = Position(to.0.min(next.0 + SEARCH_STEP));
                    (self.range(next, step, one, Direction::Forward, &filter).await?.events, step)
                }
            };
            if let Some(first) = events.into_iter().next() {
                return Ok(Some(first));
            }
            next = searched;
        }
        Ok(None)
    }

    /// The events after `after`, up to and including `to`: not all of those that there is room for, if they are large.
    async fn range(
        &self,
        after: Position,
        to: Position,
        left: PageSize,
        direction: Direction,
        filter: &Filter,
    ) -> Result<Piece, sqlx::Error> {
        let limit = self.likely(left);
        let mut statement = QueryBuilder::new(select_events!("WHERE position > "));
        statement.push_bind(after).push(" AND position <= ").push_bind(to);
        push_filter(&mut statement, filter);
        push_order(&mut statement, direction, limit);
        self.piece(statement.build(), limit, left.bytes).await
    }

    /// Reads a stream; `None` if it does not exist. `after` is the version to begin after, in the direction of reading.
    pub(super) async fn stream(
        &self,
        stream: &StreamName,
        after: Option<StreamVersion>,
        size: PageSize,
        direction: Direction,
    ) -> Result<Option<StreamPage>, sqlx::Error> {
        let Some(version) = version(&self.pool, stream).await? else { return Ok(None) };
        let statement = match direction {
            Direction::Forward => {
                select_events!("WHERE stream = $1 AND version > $2 AND version <= $3 ORDER BY version LIMIT $4")
            }
            Direction::Backward => {
                select_events!("WHERE stream = $1 AND version > $2 AND version <= $3 ORDER BY version DESC LIMIT $4")
            }
        };
        let (mut from, mut to) = match direction {
            Direction::Forward => (after.unwrap_or_default(), version),
            // Beyond the newest version there is nothing; a greater number than Postgres has is no reason to fail.
            Direction::Backward => (
                StreamVersion(0),
                after.map_or(version, |after| StreamVersion(after.0.saturating_sub(1).min(version.0))),
            ),
        };
        let mut page = Filling::new(size);
        while from < to && !page.is_full() {
            let limit = self.likely(page.left());
            let query = sqlx::query(statement).bind(stream.as_str()).bind(from).bind(to).bind(to_limit(limit));
            let Piece { events, is_cut } = self.piece(query, limit, page.left().bytes).await?;
            let Some(last) = events.last().map(|event| event.version).filter(|_| is_cut) else {
                page.add(events);
                break;
            };
            match direction {
                Direction::Forward => from = last,
                Direction::Backward => to = StreamVersion(last.0 - 1),
            }
            page.add(events);
        }
        let last = page.events.last().map(|event| event.version);
        let next = match direction {
            Direction::Forward => Some(last.unwrap_or(after.unwrap_or_default())),
            Direction::Backward => last.filter(|last| last.0 > 1),
        };
        Ok(Some(StreamPage { events: page.events, next, version }))
    }

    /// The number of events that fill what is left of a page, if they are as large as those before.
    fn likely(&self, left: PageSize) -> usize {
        (left.bytes / self.typical_bytes.load(Ordering::Relaxed)).clamp(1, left.events.max(1))
    }

    /// Reads the rows of a query with `limit` rows at most, up to the one that reaches `max_bytes`.
    async fn piece(
        &self,
        query: Query<'_, Postgres, PgArguments>,
        limit: usize,
        max_bytes: usize,
    ) -> Result<Piece, sqlx::Error> {
        let mut connection = self.pool.acquire().await?;
        let mut rows = query.fetch(&mut *connection);
        let (mut events, mut bytes) = (Vec::new(), 0);
        // The events are larger than those before: a few of them are read on and dropped, which is cheaper than another connection.
        let (mut is_full, mut dropped, mut has_ended) = (false, 0, true);
        while let Some(row) = within(ANSWER_TIMEOUT, "events of the log", rows.try_next()).await? {
            let event = event_from_row(&row)?;
            if is_full {
                dropped += event.bytes();
                if dropped > max_bytes {
                    has_ended = false;
                    break;
                }
                continue;
            }
            bytes += event.bytes();
            is_full = bytes >= max_bytes;
            events.push(event);
        }
        drop(rows);
        if !has_ended {
            connection.close_on_drop();
        }
        if !events.is_empty() {
            self.typical_bytes.store((bytes / events.len()).max(1), Ordering::Relaxed);
        }
        let is_cut = is_full || events.len() >= limit;
        Ok(Piece { events, is_cut })
    }
}

/// From this many positions on, a COPY is worth its planning. It returns events in a third of the time of a SELECT.
const COPY_FROM: u64 = 1000;
/// What stands after the last row of a COPY: the number of fields of no row.
const END_OF_ROWS: [u8; 2] = (-1_i16).to_be_bytes();
/// Bytes of a COPY that are read in any case: its header is in the message of the first row.
const LEAST_COPY: usize = 1024;

async fn copy(
    pool: &PgPool,
    after: Position,
    to: Position,
    size: PageSize,
    filter: &Filter,
) -> Result<Piece, sqlx::Error> {
    // COPY takes no parameters.
    let mut statement = format!("COPY ({} {after} AND position <= {to}", select_events!("WHERE position >"));
    for (column, names) in [("type", &filter.types), ("split_part(stream, '-', 1)", &filter.categories)] {
        if let NameFilter::Only(names) = names {
            let _ = write!(
                statement,
                " AND {column} = ANY (ARRAY[{}]::text[])",
                literals(names.iter().map(String::as_str))
            );
        }
    }
    if let Some(EventQuery { items }) = &filter.query {
        let item = |QueryItem { types, tags }: &QueryItem| {
            let mut conditions = vec!["true".to_owned()];
            if !types.is_empty() {
                let types = literals(types.iter().map(EventType::as_str));
                conditions.push(format!("type = ANY (ARRAY[{types}]::text[])"));
            }
            if !tags.is_empty() {
                conditions.push(format!("tags @> ARRAY[{}]::text[]", literals(tags.iter().map(Tag::as_str))));
            }
            conditions.join(" AND ")
        };
        let _ = write!(statement, " AND ({})", items.iter().map(item).collect::<Vec<_>>().join(" OR "));
    }
    let _ = write!(statement, " ORDER BY position LIMIT {}) TO STDOUT (FORMAT binary)", size.events);

    let (mut buffer, is_cut) = copy_out(pool, &statement, size.bytes.max(LEAST_COPY)).await?;
    if is_cut {
        // Postgres sends each row in a message of its own. The end of all rows was dropped with the others.
        buffer.extend_from_slice(&END_OF_ROWS);
    }
    let mut rows = BinaryRows::new(&buffer)?;
    let mut events = Vec::new();
    while rows.next_row()? {
        events.push(event_from_copy(&mut rows)?);
    }
    let is_cut = is_cut || events.len() >= size.events;
    Ok(Piece { events, is_cut })
}

/// Texts as SQL literals, with commas between.
fn literals<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    // An escape string, which does not depend on `standard_conforming_strings`.
    let literal = |text: &str| format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"));
    texts.map(literal).collect::<Vec<_>>().join(", ")
}

/// The positions that one search by tags is to find for a page.
fn candidates(search: TagSearch<'_>, size: PageSize) -> usize {
    let [least, most] = TAG_CANDIDATES;
    // Types may rule out nearly all of them.
    if search.has_types() { most } else { size.events.clamp(least, most) }
}

/// Adds what the filter demands to a condition.
fn push_filter<'q>(statement: &mut QueryBuilder<'q, Postgres>, filter: &'q Filter) {
    for (column, names) in [("type", &filter.types), ("split_part(stream, '-', 1)", &filter.categories)] {
        if let NameFilter::Only(names) = names {
            statement.push(" AND ").push(column).push(" = ANY(").push_bind(names).push(")");
        }
    }
    let Some(EventQuery { items }) = &filter.query else { return };
    for (index, QueryItem { types, tags }) in items.iter().enumerate() {
        statement.push(if index == 0 { " AND (true" } else { " OR true" });
        if !types.is_empty() {
            let types: Vec<&str> = types.iter().map(EventType::as_str).collect();
            statement.push(" AND type = ANY(").push_bind(types).push(")");
        }
        if !tags.is_empty() {
            let tags: Vec<&str> = tags.iter().map(Tag::as_str).collect();
            statement.push(" AND tags @> ").push_bind(tags);
        }
    }
    statement.push(if items.is_empty() { " AND false" } else { ")" });
}

/// Adds the order of the events, and how many there may be.
fn push_order(statement: &mut QueryBuilder<'_, Postgres>, direction: Direction, limit: usize) {
    statement.push(match direction {
        Direction::Forward => " ORDER BY position LIMIT ",
        Direction::Backward => " ORDER BY position DESC LIMIT ",
    });
    statement.push_bind(to_limit(limit));
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

fn to_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
