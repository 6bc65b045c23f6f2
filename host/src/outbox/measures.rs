//! How many messages wait, and for how long.

use sqlx::PgPool;

use super::sink_name::SinkName;
use crate::{
    event_log::Position,
    postgres::{ANSWER_TIMEOUT, sql_row, within},
};

/// Messages of a sink that are counted, at most: who has so many knows what to do.
const COUNTED: i64 = 100_000;
/// Sinks that are looked at: those that there are, and such that reactors name and nobody has made.
const MAX_NAMES: i64 = 200;

/// The messages of a sink.
#[derive(Clone, Debug, PartialEq)]
pub struct SinkReading {
    /// The sink.
    pub sink: SinkName,
    /// Messages that wait for it.
    pub pending: i64,
    /// Seconds since the oldest of them was enqueued.
    pub oldest_seconds: f64,
    /// Messages that have failed, without calls: their reactors know of it.
    pub failed: i64,
    /// The position up to which it has published the log, if it is to.
    pub published: Option<Position>,
    /// Whether it cannot publish the log.
    pub is_failing: bool,
}

sql_row!(SinkReading { sink, pending, oldest_seconds, failed, published, is_failing });

/// The messages of each sink that there is, or that a message is for.
pub(super) async fn read(pool: &PgPool) -> Result<Vec<SinkReading>, sqlx::Error> {
    // Each next name by the index, and not all rows.
    let read = sqlx::query_as(
        "WITH RECURSIVE named AS (
             (SELECT sink FROM gnomon.outbox_keys ORDER BY sink LIMIT 1)
             UNION ALL
             SELECT (SELECT keys.sink FROM gnomon.outbox_keys AS keys WHERE keys.sink > named.sink ORDER BY keys.sink LIMIT 1)
             FROM named WHERE named.sink IS NOT NULL
         ), failed AS (
             SELECT sink, count(*) AS messages FROM (
                 SELECT sink FROM gnomon.outbox WHERE state = 'failed' AND call IS NULL ORDER BY message LIMIT $1
             ) AS counted GROUP BY sink
         ), sinks AS (
             SELECT sink FROM gnomon.sinks UNION SELECT sink FROM named WHERE sink IS NOT NULL UNION SELECT sink FROM failed
             ORDER BY sink LIMIT $2
         )
         SELECT sinks.sink, waiting.messages AS pending, coalesce(oldest.seconds, 0)::float8 AS oldest_seconds,
                coalesce(failed.messages, 0) AS failed, publications.position AS published, publications.error IS NOT NULL AS is_failing
         FROM sinks LEFT JOIN failed USING (sink) LEFT JOIN gnomon.publications USING (sink)
         CROSS JOIN LATERAL (
             SELECT count(*) AS messages FROM (
                 SELECT FROM gnomon.outbox WHERE outbox.sink = sinks.sink AND state = 'pending' LIMIT $1
             ) AS counted
         ) AS waiting
         LEFT JOIN LATERAL (
             SELECT greatest(extract(epoch FROM clock_timestamp() - enqueued_at), 0) AS seconds FROM gnomon.outbox
             WHERE outbox.sink = sinks.sink AND state = 'pending' ORDER BY message LIMIT 1
         ) AS oldest ON true",
    )
    .bind(COUNTED)
    .bind(MAX_NAMES)
    .fetch_all(pool);
    within(ANSWER_TIMEOUT, "how many messages wait", read).await
}
