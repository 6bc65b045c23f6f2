//! Reading the log, or one stream, in pages.

mod block_search;
mod filter_sql;
mod held_blocks;
mod instant;
mod page;
mod pieces;
mod range;
mod stream;
mod tag_search;
mod versions_at;

use gnomon_values::Instant;
use sqlx::{PgConnection, PgPool};

use self::{
    block_search::BlockSearch, held_blocks::Part, page::Filling, pieces::Pieces, range::Range, tag_search::TagSearch,
};
pub(super) use self::{
    instant::{end_at, position_at},
    versions_at::versions_at,
};
pub use self::{
    page::{LogPage, PageSize, StreamPage},
    versions_at::StreamAt,
};
use super::{
    direction::Direction,
    event::{Position, RecordedEvent, StreamVersion},
    event_query::EventQuery,
    filter::Filter,
    name::StreamName,
    row::{event_from_row, select_events},
};
use crate::postgres::{ANSWER_TIMEOUT, PgTimestamp, rows_within, within};

/// How much a filtered read searches before it returns what it has found, in positions that are read. Without a bound, a page of few events
/// would read the whole log while its reader waits.
const SEARCH: u64 = 1_000_000;
/// How far one statement of such a search goes.
const SEARCH_STEP: u64 = 50_000;
/// So many positions are read before it is asked which blocks hold what the filter lets through: who finds enough here need not ask.
const BEFORE_LOOK: u64 = 4096;
/// From this many positions on, a COPY is worth its planning.
const COPY_FROM: usize = 1000;

/// The position of the newest event. A later read contains every event up to it.
pub(crate) async fn head(pool: &PgPool) -> Result<Position, sqlx::Error> {
    let read = sqlx::query_scalar("SELECT position FROM gnomon.head").fetch_one(pool);
    within(ANSWER_TIMEOUT, "the head of the log", read).await
}

/// The position of the newest event, in the transaction that the connection is in.
pub(crate) async fn head_within(connection: &mut PgConnection) -> Result<Position, sqlx::Error> {
    let read = sqlx::query_scalar("SELECT position FROM gnomon.head").fetch_one(connection);
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
    pieces: Pieces,
}

impl Reader {
    pub(super) fn new(pool: PgPool) -> Self {
        Self { pieces: Pieces::new(pool) }
    }

    /// The connections on which it reads.
    pub(super) fn pool(&self) -> &PgPool {
        &self.pieces.pool
    }

    /// Reads the log forward, from the event after `after`.
    pub(super) async fn forward(
        &self,
        after: Position,
        size: PageSize,
        filter: &Filter,
    ) -> Result<LogPage, sqlx::Error> {
        let head = head(self.pool()).await?;
        let (events, left) = self.page(Range { low: after, high: head }, size, Direction::Forward, filter).await?;
        Ok(LogPage { events, next: Some(left.low), head })
    }

    /// Reads the log backward, from the event before `before`; `None` begins at the newest event.
    pub(super) async fn backward(
        &self,
        before: Option<Position>,
        size: PageSize,
        filter: &Filter,
    ) -> Result<LogPage, sqlx::Error> {
        let head = head(self.pool()).await?;
        let start = before.map_or(head, |before| Position(before.0.saturating_sub(1).min(head.0)));
        let whole = Range { low: Position(0), high: start };
        let (events, left) = self.page(whole, size, Direction::Backward, filter).await?;
        let next = (left.high > Position(0)).then(|| left.high.next());
        Ok(LogPage { events, next, head })
    }

    /// Reads the log forward as [`forward`](Self::forward) does, and faster if there are many events.
    pub(super) async fn batch(&self, after: Position, size: PageSize, filter: &Filter) -> Result<LogPage, sqlx::Error> {
        let head = head(self.pool()).await?;
        let many = u64::try_from(COPY_FROM).unwrap_or(u64::MAX);
        if TagSearch::of(filter).is_some() || head.0.saturating_sub(after.0) < many || size.events < COPY_FROM {
            return self.forward(after, size, filter).await;
        }
        let range = Range { low: after, high: head };
        let part = match BlockSearch::of(filter, Direction::Forward) {
            Some(mut blocks) if range.len() > BEFORE_LOOK => blocks.next(self.pool(), range, size.events).await?,
            _ => Part::whole(range.first(SEARCH_STEP, Direction::Forward)),
        };
        let piece = self.pieces.copy(&part.runs, size, filter).await?;
        let next = piece.cut_at().map_or(part.range.high, |last| last.position);
        Ok(LogPage { events: piece.events, next: Some(next), head })
    }

    /// The first event after `after`, up to and including `to`, that matches a query.
    pub(super) async fn first_match(
        &self,
        query: &EventQuery,
        after: Position,
        to: Position,
    ) -> Result<Option<RecordedEvent>, sqlx::Error> {
        let filter = Filter { query: Some(query.clone()), ..Filter::default() };
        let mut left = Range { low: after, high: to };
        while !left.is_empty() {
            let (events, rest) = self.page(left, PageSize::from(1), Direction::Forward, &filter).await?;
            if let Some(first) = events.into_iter().next() {
                return Ok(Some(first));
            }
            left = rest;
        }
        Ok(None)
    }

    /// Reads a page of a range, as far as it is full or enough was searched, and returns what is left of the range.
    async fn page(
        &self,
        range: Range,
        size: PageSize,
        direction: Direction,
        filter: &Filter,
    ) -> Result<(Vec<RecordedEvent>, Range), sqlx::Error> {
        let mut page = Filling::new(size);
        let left = match TagSearch::of(filter) {
            Some(search) => search.fill(&mut page, &self.pieces, range, direction).await?,
            None => self.scan(&mut page, range, direction, filter).await?,
        };
        Ok((page.events, left))
    }

    /// Fills a page with what the filter lets through.
    async fn scan(
        &self,
        page: &mut Filling,
        range: Range,
        direction: Direction,
        filter: &Filter,
    ) -> Result<Range, sqlx::Error> {
        let step = if filter.is_all() { SEARCH } else { SEARCH_STEP };
        let mut blocks = BlockSearch::of(filter, direction);
        let (mut left, mut searched) = (range, 0);
        while !left.is_empty() && !page.is_full() && searched < SEARCH {
            let part = match &mut blocks {
                Some(_) if searched == 0 => Part::whole(left.first(BEFORE_LOOK, direction)),
                Some(blocks) => blocks.next(self.pool(), left, page.room().events).await?,
                None => Part::whole(left.first(step.min(SEARCH - searched), direction)),
            };
            let is_end = part.runs.is_empty();
            searched += part.len();
            let piece = self.pieces.of_runs(&part.runs, page.room(), direction, filter).await?;
            left = match piece.cut_at() {
                Some(last) => left.behind(last.position, direction),
                None => left.without(part.range, direction),
            };
            page.add(piece.events);
            if is_end {
                break;
            }
        }
        Ok(left)
    }
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

/// The version that a stream had at an instant: of its newest event that was recorded then or before, 0 if there is none.
pub(super) async fn version_at(
    pool: &PgPool,
    stream: &StreamName,
    instant: Instant,
) -> Result<StreamVersion, sqlx::Error> {
    // No event is recorded before the one before it, so halving finds the last one, with as many looks as the version has bits.
    let read = sqlx::query_scalar(
        "WITH RECURSIVE halved (low, high) AS (
             SELECT 0::bigint, version FROM gnomon.streams WHERE stream = $1
             UNION ALL
             SELECT CASE WHEN recorded_at <= $2 THEN middle ELSE low END, CASE WHEN recorded_at <= $2 THEN high ELSE middle - 1 END
             FROM halved CROSS JOIN LATERAL (SELECT (low + high + 1) / 2 AS middle) AS half
             CROSS JOIN LATERAL (SELECT recorded_at FROM gnomon.events WHERE stream = $1 AND version = middle) AS event
             WHERE low < high
         )
         SELECT low FROM halved WHERE low = high",
    )
    .bind(stream.as_str())
    .bind(PgTimestamp(instant.0))
    .fetch_optional(pool);
    let found: Option<StreamVersion> = within(ANSWER_TIMEOUT, "the version of a stream at an instant", read).await?;
    Ok(found.unwrap_or_default())
}
