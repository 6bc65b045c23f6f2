//! Reading one stream, in pages.

use super::{PageSize, Reader, StreamPage, page::Filling, pieces::to_limit, version};
use crate::event_log::{Direction, StreamName, StreamVersion, row::select_events};

const FORWARD: &str = select_events!("WHERE stream = $1 AND version > $2 AND version <= $3 ORDER BY version LIMIT $4");
const BACKWARD: &str =
    select_events!("WHERE stream = $1 AND version > $2 AND version <= $3 ORDER BY version DESC LIMIT $4");

impl Reader {
    /// Reads a stream; `None` if it does not exist. `after` is the version to begin after, in the direction of reading.
    pub(in crate::event_log) async fn stream(
        &self,
        stream: &StreamName,
        after: Option<StreamVersion>,
        size: PageSize,
        direction: Direction,
    ) -> Result<Option<StreamPage>, sqlx::Error> {
        let Some(version) = version(self.pool(), stream).await? else { return Ok(None) };
        let statement = match direction {
            Direction::Forward => FORWARD,
            Direction::Backward => BACKWARD,
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
            let limit = self.pieces.likely(page.room());
            let (low, high) = of_piece(direction, from, to, limit);
            let query = sqlx::query(statement).bind(stream.as_str()).bind(low).bind(high).bind(to_limit(limit));
            let piece = self.pieces.read(query, limit, page.room().bytes).await?;
            let Some(last) = piece.cut_at().map(|event| event.version) else {
                page.add(piece.events);
                break;
            };
            match direction {
                Direction::Forward => from = last,
                Direction::Backward => to = StreamVersion(last.0 - 1),
            }
            page.add(piece.events);
        }
        let last = page.events.last().map(|event| event.version);
        let next = match direction {
            Direction::Forward => Some(last.unwrap_or(after.unwrap_or_default())),
            Direction::Backward => last.filter(|last| last.0 > 1),
        };
        Ok(Some(StreamPage { events: page.events, next, version }))
    }
}

/// The versions of the next piece: behind the first of these, up to the second. Versions have no gaps, so these are as many as the piece may have.
///
/// With all that are left, Postgres may read and sort all of them for a piece: without statistics, it takes each stream for a short one.
fn of_piece(
    direction: Direction,
    from: StreamVersion,
    to: StreamVersion,
    limit: usize,
) -> (StreamVersion, StreamVersion) {
    let limit = limit as u64;
    match direction {
        Direction::Forward => (from, to.min(StreamVersion(from.0.saturating_add(limit)))),
        Direction::Backward => (from.max(StreamVersion(to.0.saturating_sub(limit))), to),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use sqlx::{Connection as _, Executor as _, PgConnection};

    use super::*;
    use crate::{
        event_log::{
            EventLog, EventLogSettings,
            tests::{event, stream},
        },
        postgres::{migrate, test_database::TestDatabase},
    };

    fn version(version: u64) -> StreamVersion {
        StreamVersion(version)
    }

    #[test]
    fn a_piece_is_of_as_many_versions_as_it_may_have() {
        for (direction, from, to, limit, expected) in [
            (Direction::Forward, 3, 100, 10, (3, 13)),
            (Direction::Forward, 3, 8, 10, (3, 8)),
            (Direction::Forward, 3, u64::MAX, usize::MAX, (3, u64::MAX)),
            (Direction::Backward, 0, 100, 10, (90, 100)),
            (Direction::Backward, 0, 8, 10, (0, 8)),
            (Direction::Backward, 0, 8, usize::MAX, (0, 8)),
        ] {
            let found = of_piece(direction, version(from), version(to), limit);
            assert_eq!(found, (version(expected.0), version(expected.1)));
        }
    }

    /// The most rows that a node of a plan had.
    fn most_rows(plan: &Value) -> u64 {
        let own = plan["Actual Rows"].as_f64().map_or(0, |rows| rows as u64);
        plan["Plans"].as_array().into_iter().flatten().map(most_rows).fold(own, u64::max)
    }

    /// Plans that sort are forced here: with one that Postgres takes since it knows nothing of the table, a piece costs what it has, too.
    #[tokio::test]
    async fn a_piece_of_a_long_stream_reads_no_more_rows_than_it_has() {
        let database = TestDatabase::create().await;
        let pool = database.pool().await;
        migrate(&pool).await.unwrap();
        let log = EventLog::open(pool.clone(), EventLogSettings::default()).await.unwrap();
        log.import((0..5000).map(|_| (stream("count-1"), event("Counted"))).collect(), 1).await.unwrap();
        let mut connection = PgConnection::connect_with(&database.connect_options()).await.unwrap();
        connection.execute("SET enable_indexscan = off; SET enable_seqscan = off").await.unwrap();
        for (statement, direction) in [(FORWARD, Direction::Forward), (BACKWARD, Direction::Backward)] {
            let explain = format!("EXPLAIN (ANALYZE, FORMAT JSON) {statement}");
            let read = async |connection: &mut PgConnection, (from, to): (StreamVersion, StreamVersion)| {
                let plan: Value = sqlx::query_scalar(&explain)
                    .bind("count-1")
                    .bind(from)
                    .bind(to)
                    .bind(10_i64)
                    .fetch_one(connection)
                    .await
                    .unwrap();
                most_rows(&plan[0]["Plan"])
            };
            let all = (version(0), version(5000));
            assert_eq!(read(&mut connection, all).await, 5000, "the plan sorts");
            assert_eq!(read(&mut connection, of_piece(direction, all.0, all.1, 10)).await, 10);
        }
        let page = log.read_stream(&stream("count-1"), Some(version(4990)), 100, Direction::Forward).await.unwrap();
        assert_eq!(page.unwrap().events.len(), 10);
    }
}
