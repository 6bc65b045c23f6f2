//! Reading the events of one statement, as many as there is room for.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::TryStreamExt;
use sqlx::{PgPool, Postgres, postgres::PgArguments, query::Query};

use super::{filter_sql, page::PageSize, range::Range};
use crate::{
    event_log::{
        direction::Direction,
        event::{Position, RecordedEvent},
        filter::Filter,
        row::{copy_events, event_from_copy, event_from_row, select_events},
    },
    postgres::{ANSWER_TIMEOUT, BinaryRows, copy_out, within},
};

/// A part of a page.
pub(super) struct Piece {
    pub(super) events: Vec<RecordedEvent>,
    /// Whether there may be more events than these.
    pub(super) is_cut: bool,
}

impl Piece {
    /// The last event, if what comes behind it is left.
    pub(super) fn cut_at(&self) -> Option<&RecordedEvent> {
        self.events.last().filter(|_| self.is_cut)
    }
}

/// Reads pieces.
#[derive(Debug)]
pub(super) struct Pieces {
    pub(super) pool: PgPool,
    /// Bytes of an event, on average over what was read last. Of large events few are asked for at once.
    typical_bytes: AtomicUsize,
}

/// What is taken for the size of an event until some were read.
const FIRST_TYPICAL_BYTES: usize = 1024;
/// What stands after the last row of a COPY: the number of fields of no row.
const END_OF_ROWS: [u8; 2] = (-1_i16).to_be_bytes();
/// Bytes of a COPY that are read in any case: its header is in the message of the first row.
const LEAST_COPY: usize = 1024;

impl Pieces {
    pub(super) fn new(pool: PgPool) -> Self {
        Self { pool, typical_bytes: AtomicUsize::new(FIRST_TYPICAL_BYTES) }
    }

    /// Those of some ranges that the filter lets through.
    pub(super) async fn of_runs(
        &self,
        runs: &[Range],
        room: PageSize,
        direction: Direction,
        filter: &Filter,
    ) -> Result<Piece, sqlx::Error> {
        let limit = self.likely(room);
        let (conditions, lists) = filter_sql::with_parameters(filter, 4);
        let order = format!("{conditions} ORDER BY position {} LIMIT $3", direction.sql());
        let statement = match runs {
            [] => return Ok(Piece { events: Vec::new(), is_cut: false }),
            [_] => format!("{}{order}", select_events!("WHERE position > $1 AND position <= $2")),
            // Each run is read as a range is, so Postgres has no choice of how to.
            _ => format!(
                "SELECT event.* FROM unnest($1, $2) AS run (low, high), LATERAL ({}{order}) AS event
                 ORDER BY event.position {} LIMIT $3",
                select_events!("WHERE position > run.low AND position <= run.high"),
                direction.sql()
            ),
        };
        let query = match runs {
            [run] => sqlx::query(&statement).bind(run.low).bind(run.high),
            runs => {
                let (lows, highs): (Vec<_>, Vec<_>) = runs.iter().map(|run| (run.low, run.high)).unzip();
                sqlx::query(&statement).bind(lows).bind(highs)
            }
        };
        let query = query.bind(to_limit(limit));
        self.read(lists.into_iter().fold(query, |query, texts| query.bind(texts)), limit, room.bytes).await
    }

    /// Those at these positions that the filter lets through.
    pub(super) async fn at(
        &self,
        positions: &[Position],
        room: PageSize,
        direction: Direction,
        filter: &Filter,
    ) -> Result<Piece, sqlx::Error> {
        if positions.is_empty() {
            return Ok(Piece { events: Vec::new(), is_cut: false });
        }
        let limit = self.likely(room);
        let (conditions, lists) = filter_sql::with_parameters(filter, 3);
        let select = select_events!("WHERE position = ANY ($1)");
        let statement = format!("{select}{conditions} ORDER BY position {} LIMIT $2", direction.sql());
        let query = sqlx::query(&statement).bind(positions).bind(to_limit(limit));
        self.read(lists.into_iter().fold(query, |query, texts| query.bind(texts)), limit, room.bytes).await
    }

    /// The number of events that fill what is left of a page, if they are as large as those before.
    pub(super) fn likely(&self, room: PageSize) -> usize {
        (room.bytes / self.typical_bytes.load(Ordering::Relaxed)).clamp(1, room.events.max(1))
    }

    /// Reads the rows of a query with `limit` rows at most, up to the one that reaches `max_bytes`.
    pub(super) async fn read(
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

    /// Those of some ranges that the filter lets through, forward, by COPY: in a third of the time of a SELECT, if there are many.
    pub(super) async fn copy(&self, runs: &[Range], size: PageSize, filter: &Filter) -> Result<Piece, sqlx::Error> {
        // COPY takes no parameters.
        let (conditions, limit) = (filter_sql::with_literals(filter), size.events);
        let select = match runs {
            [] => return Ok(Piece { events: Vec::new(), is_cut: false }),
            [Range { low, high }] => {
                format!("{} {low} AND position <= {high}{conditions}", copy_events!("WHERE position >"))
            }
            runs => {
                let list = |bound: fn(&Range) -> Position| {
                    runs.iter().map(|run| bound(run).to_string()).collect::<Vec<_>>().join(", ")
                };
                format!(
                    "SELECT event.* FROM unnest(ARRAY[{}]::bigint[], ARRAY[{}]::bigint[]) AS run (low, high),
                     LATERAL ({}{conditions} ORDER BY position LIMIT {limit}) AS event",
                    list(|run| run.low),
                    list(|run| run.high),
                    copy_events!("WHERE position > run.low AND position <= run.high"),
                )
            }
        };
        let statement = format!("COPY ({select} ORDER BY position LIMIT {limit}) TO STDOUT (FORMAT binary)");
        let (mut buffer, is_cut) = copy_out(&self.pool, &statement, size.bytes.max(LEAST_COPY)).await?;
        if is_cut {
            // Postgres sends each row in a message of its own. The end of all rows was dropped with the others.
            buffer.extend_from_slice(&END_OF_ROWS);
        }
        let mut rows = BinaryRows::new(buffer.into())?;
        let mut events = Vec::new();
        while rows.next_row()? {
            events.push(event_from_copy(&mut rows)?);
        }
        let is_cut = is_cut || events.len() >= size.events;
        Ok(Piece { events, is_cut })
    }
}

pub(super) fn to_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
