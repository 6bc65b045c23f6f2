//! Which versions streams had at a position of the log.

use sqlx::PgPool;

use crate::{
    event_log::{Position, StreamName, StreamVersion},
    postgres::{rows_within, sql_row},
};

/// A stream, and how far it was at a position of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamAt {
    /// The stream.
    pub stream: StreamName,
    /// The version of its newest event up to the position; 0 if there is none.
    pub version: StreamVersion,
    /// The version of its newest event.
    pub newest: StreamVersion,
}

struct Row {
    stream: String,
    version: StreamVersion,
    newest: StreamVersion,
}

sql_row!(Row { stream, version, newest });

/// Those of the streams that there are, in any order.
pub(in crate::event_log) async fn versions_at(
    pool: &PgPool,
    streams: &[StreamName],
    position: Position,
) -> Result<Vec<StreamAt>, sqlx::Error> {
    // No event of a stream has an earlier position than the one before it, so halving finds the last one, as for an instant.
    let read = sqlx::query_as(
        "WITH RECURSIVE halved (stream, newest, low, high) AS (
             SELECT stream, version, CASE WHEN last_position <= $2 THEN version ELSE 0 END,
                    CASE WHEN last_position <= $2 THEN version ELSE version - 1 END
             FROM gnomon.streams WHERE stream = ANY($1)
             UNION ALL
             SELECT halved.stream, newest, CASE WHEN position <= $2 THEN middle ELSE low END,
                    CASE WHEN position <= $2 THEN high ELSE middle - 1 END
             FROM halved CROSS JOIN LATERAL (SELECT (low + high + 1) / 2 AS middle) AS half
             CROSS JOIN LATERAL (
                 SELECT position FROM gnomon.events AS event WHERE event.stream = halved.stream AND version = middle
             ) AS event
             WHERE low < high
         )
         SELECT stream, low AS version, newest FROM halved WHERE low = high",
    )
    .bind(streams.iter().map(StreamName::as_str).collect::<Vec<_>>())
    .bind(position)
    .fetch(pool);
    let rows: Vec<Row> = rows_within("the versions of streams at a position", read).await?;
    let at = |Row { stream, version, newest }| StreamAt { stream: StreamName::trusted(stream), version, newest };
    Ok(rows.into_iter().map(at).collect())
}

#[cfg(test)]
mod tests {
    use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

    use super::*;
    use crate::{
        event_log::{
            EventLog, EventLogSettings,
            tests::{event, stream},
        },
        postgres::{migrate, test_database::TestDatabase},
    };

    #[tokio::test]
    async fn the_version_at_a_position_is_that_of_the_last_event_up_to_there() {
        let database = TestDatabase::create().await;
        let pool = database.pool().await;
        migrate(&pool).await.unwrap();
        let log = EventLog::open(pool.clone(), EventLogSettings::default()).await.unwrap();
        let mut random = StdRng::seed_from_u64(7);
        let names = ["a-1", "a-2", "b"];
        let of_events: Vec<&str> = (0..200).map(|_| names[random.random_range(0..3)]).collect();
        log.import(of_events.iter().map(|name| (stream(name), event("Counted"))).collect(), 1).await.unwrap();
        let asked: Vec<StreamName> = ["a-1", "a-2", "b", "nobody"].map(stream).into();
        for position in (0..=200).step_by(7).chain([1, 199, 200, 5000]) {
            let mut found = versions_at(&pool, &asked, Position(position)).await.unwrap();
            found.sort_by(|one, other| one.stream.cmp(&other.stream));
            let count = |name: &str, until: usize| {
                StreamVersion(of_events.iter().take(until).filter(|of| **of == name).count() as u64)
            };
            let expected = names.map(|name| StreamAt {
                stream: stream(name),
                version: count(name, usize::try_from(position).unwrap()),
                newest: count(name, 200),
            });
            assert_eq!(found, expected, "{position}");
        }
        assert_eq!(versions_at(&pool, &[], Position(1)).await.unwrap(), []);
    }
}
