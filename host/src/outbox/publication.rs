//! How far sinks have published the log: all SQL on that.

use std::time::Duration;

use sqlx::PgPool;
use uuid::Uuid;

use super::sink_name::SinkName;
use crate::{
    event_log::Position,
    postgres::{ANSWER_TIMEOUT, sql_row, within},
};

/// How long a lease lasts after it was taken or prolonged.
pub(super) const LEASE: Duration = Duration::from_secs(15);

/// How far a sink has published the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// The position of the last event that the stream is known to have.
    pub position: Position,
    /// The number that this event has in the stream.
    pub sequence: i64,
    /// Why no more are published.
    pub error: Option<String>,
}

sql_row!(Publication { position, sequence, error });

/// Takes the lease of a sink's publication, or prolongs it; `None` if another host has it.
pub(super) async fn acquire(pool: &PgPool, sink: &SinkName, lease: Uuid) -> Result<Option<Publication>, sqlx::Error> {
    let acquire = sqlx::query_as(
        "INSERT INTO gnomon.publications AS held (sink, lease, leased_until) SELECT sink, $2, clock_timestamp() + $3 FROM gnomon.sinks WHERE sink = $1
         ON CONFLICT (sink) DO UPDATE SET lease = excluded.lease, leased_until = excluded.leased_until
         WHERE held.leased_until < clock_timestamp() OR held.lease = excluded.lease
         RETURNING position, sequence, error",
    )
    .bind(sink)
    .bind(lease)
    .bind(LEASE)
    .fetch_optional(pool);
    within(ANSWER_TIMEOUT, "the lease of a publication", acquire).await
}

/// Notes how far the log is published, and prolongs the lease. `false` if another host has it.
pub(super) async fn note(
    pool: &PgPool,
    sink: &SinkName,
    lease: Uuid,
    publication: &Publication,
) -> Result<bool, sqlx::Error> {
    let note = sqlx::query(
        "UPDATE gnomon.publications SET position = $3, sequence = $4, error = $5, leased_until = clock_timestamp() + $6
         WHERE sink = $1 AND lease = $2",
    )
    .bind(sink)
    .bind(lease)
    .bind(publication.position)
    .bind(publication.sequence)
    .bind(&publication.error)
    .bind(LEASE)
    .execute(pool);
    Ok(within(ANSWER_TIMEOUT, "how far the log is published", note).await?.rows_affected() > 0)
}

/// Gives the lease back, so that another host need not wait until it ends.
pub(super) async fn release(pool: &PgPool, sink: &SinkName, lease: Uuid) -> Result<(), sqlx::Error> {
    let release =
        sqlx::query("UPDATE gnomon.publications SET leased_until = '-infinity' WHERE sink = $1 AND lease = $2")
            .bind(sink)
            .bind(lease)
            .execute(pool);
    within(ANSWER_TIMEOUT, "the lease of a publication", release).await.map(drop)
}

/// Notes why no more are published.
pub(super) async fn note_error(pool: &PgPool, sink: &SinkName, lease: Uuid, error: &str) -> Result<(), sqlx::Error> {
    let note = sqlx::query("UPDATE gnomon.publications SET error = $3 WHERE sink = $1 AND lease = $2")
        .bind(sink)
        .bind(lease)
        .bind(error)
        .execute(pool);
    within(ANSWER_TIMEOUT, "why the log is not published", note).await.map(drop)
}
