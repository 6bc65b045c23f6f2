//! Snapshots in Postgres: all SQL on them.

use std::{sync::Arc, time::Duration};

use sha2::{Digest as _, Sha256};
use sqlx::PgPool;
use uuid::Uuid;

use super::{lineage::Lineage, spacing::Taken};
use crate::{
    event_log::{Position, StreamName, StreamVersion},
    past::reading::EventStamp,
    postgres::{ANSWER_TIMEOUT, PgTimestamp, rows_within, sql_row, within},
    read_model::{Table, WriteSet, decode_rows},
};

/// Bytes that a snapshot takes beside its rows, about: its key, and what Postgres needs.
const OVERHEAD: i64 = 200;
/// Snapshots of a stream that are looked at together.
const MAX_LISTED: i64 = 100_000;
/// A snapshot that was not noted as used for so long is noted when it is.
const NOTE_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// The rows of a stream behind an event.
#[derive(Debug)]
pub(in crate::past) struct Snapshot {
    pub(in crate::past) stamp: EventStamp,
    /// `None` if they are not what was written.
    pub(in crate::past) rows: Option<WriteSet>,
    /// Whether it should be noted that it is used.
    pub(in crate::past) is_noted_long_ago: bool,
}

/// A snapshot without its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::past) struct StoredSnapshot {
    pub(in crate::past) stamp: EventStamp,
    /// The SHA-256 of its rows.
    pub(in crate::past) digest: Vec<u8>,
    /// Whether that is what was written.
    pub(in crate::past) is_intact: bool,
}

struct SnapshotRow {
    version: StreamVersion,
    position: Position,
    event: Uuid,
    recorded_at: PgTimestamp,
    digest: Vec<u8>,
    contents: Vec<u8>,
    is_noted_long_ago: bool,
}

sql_row!(SnapshotRow { version, position, event, recorded_at, digest, contents, is_noted_long_ago });

/// The newest snapshot of a stream up to a version, and before the event at a position.
pub(super) async fn nearest(
    pool: &PgPool,
    lineage: Lineage,
    stream: &StreamName,
    to: StreamVersion,
    before: Option<Position>,
    tables: &[Arc<Table>],
) -> Result<Option<Snapshot>, sqlx::Error> {
    let read = sqlx::query_as(
        "SELECT version, position, event, recorded_at, digest, contents, used_at < clock_timestamp() - $5 AS is_noted_long_ago
         FROM gnomon.snapshots
         WHERE lineage = $1 AND stream = $2 AND version <= $3 AND ($4::bigint IS NULL OR position < $4)
         ORDER BY version DESC LIMIT 1",
    )
    .bind(lineage.0.as_slice())
    .bind(stream.as_str())
    .bind(to)
    .bind(before)
    .bind(NOTE_AFTER)
    .fetch_optional(pool);
    let row: Option<SnapshotRow> = within(ANSWER_TIMEOUT, "a snapshot of a stream", read).await?;
    Ok(row.map(|row| {
        let SnapshotRow { version, position, event: id, recorded_at, digest, contents, is_noted_long_ago } = row;
        let stamp = EventStamp { version, position, id, recorded_at: recorded_at.instant() };
        let is_intact = digest == sealed(&stamp, &Sha256::digest(&contents));
        let rows = if is_intact { decode_rows(tables, &contents) } else { None };
        Snapshot { stamp, rows, is_noted_long_ago }
    }))
}

/// The digest that stands beside the rows: of them, and of the event to which they belong.
fn sealed(stamp: &EventStamp, contents: &[u8]) -> Vec<u8> {
    let EventStamp { version, position, id, recorded_at } = stamp;
    let mut hash = Sha256::new();
    hash.update(version.0.to_be_bytes());
    hash.update(position.0.to_be_bytes());
    hash.update(id.as_bytes());
    hash.update(recorded_at.0.to_be_bytes());
    hash.update(contents);
    hash.finalize().to_vec()
}

/// Keeps snapshots of a stream, in the stead of others of the same versions. Returns how many bytes they take.
pub(super) async fn keep(
    pool: &PgPool,
    lineage: Lineage,
    stream: &StreamName,
    taken: &[Taken],
) -> Result<u64, sqlx::Error> {
    let bytes = |taken: &Taken| i64::try_from(taken.contents.len()).unwrap_or(i64::MAX).saturating_add(OVERHEAD);
    let write = sqlx::query(
        "INSERT INTO gnomon.snapshots (lineage, stream, version, position, event, recorded_at, bytes, digest, contents)
         SELECT $1, $2, * FROM unnest($3::bigint[], $4::bigint[], $5::uuid[], $6::timestamptz[], $7::bigint[], $8::bytea[], $9::bytea[])
         ON CONFLICT (lineage, stream, version) DO UPDATE
         SET position = excluded.position, event = excluded.event, recorded_at = excluded.recorded_at, bytes = excluded.bytes,
             digest = excluded.digest, contents = excluded.contents, used_at = excluded.used_at",
    )
    .bind(lineage.0.as_slice())
    .bind(stream.as_str())
    .bind(taken.iter().map(|taken| taken.stamp.version).collect::<Vec<_>>())
    .bind(taken.iter().map(|taken| taken.stamp.position).collect::<Vec<_>>())
    .bind(taken.iter().map(|taken| taken.stamp.id).collect::<Vec<_>>())
    .bind(taken.iter().map(|taken| PgTimestamp(taken.stamp.recorded_at.0)).collect::<Vec<_>>())
    .bind(taken.iter().map(bytes).collect::<Vec<_>>())
    .bind(taken.iter().map(|taken| sealed(&taken.stamp, &Sha256::digest(&taken.contents))).collect::<Vec<_>>())
    .bind(taken.iter().map(|taken| taken.contents.as_slice()).collect::<Vec<_>>())
    .execute(pool);
    within(ANSWER_TIMEOUT, "snapshots of a stream", write).await?;
    Ok(taken.iter().map(|taken| bytes(taken).unsigned_abs()).sum())
}

/// Notes that a snapshot is used.
pub(super) async fn note_used(
    pool: &PgPool,
    lineage: Lineage,
    stream: &StreamName,
    version: StreamVersion,
) -> Result<(), sqlx::Error> {
    let note = sqlx::query(
        "UPDATE gnomon.snapshots SET used_at = clock_timestamp() WHERE lineage = $1 AND stream = $2 AND version = $3",
    )
    .bind(lineage.0.as_slice())
    .bind(stream.as_str())
    .bind(version)
    .execute(pool);
    within(ANSWER_TIMEOUT, "the use of a snapshot", note).await.map(drop)
}

/// Removes a snapshot that is not one of this log, or not what was written.
pub(super) async fn forget(
    pool: &PgPool,
    lineage: Lineage,
    stream: &StreamName,
    stamp: &EventStamp,
) -> Result<(), sqlx::Error> {
    let forget = sqlx::query(
        "DELETE FROM gnomon.snapshots WHERE lineage = $1 AND stream = $2 AND version = $3 AND position = $4 AND event = $5",
    )
    .bind(lineage.0.as_slice())
    .bind(stream.as_str())
    .bind(stamp.version)
    .bind(stamp.position)
    .bind(stamp.id)
    .execute(pool);
    within(ANSWER_TIMEOUT, "the removal of a snapshot", forget).await.map(drop)
}

/// Removes those that were not used for longest, until the others take no more than so many bytes.
pub(super) async fn sweep(pool: &PgPool, max_bytes: u64) -> Result<u64, sqlx::Error> {
    let sweep = sqlx::query(
        "DELETE FROM gnomon.snapshots USING (
             SELECT lineage, stream, version, sum(bytes) OVER (ORDER BY used_at DESC, lineage, stream, version) AS so_far
             FROM gnomon.snapshots
         ) AS counted
         WHERE so_far > $1 AND snapshots.lineage = counted.lineage AND snapshots.stream = counted.stream
           AND snapshots.version = counted.version",
    )
    .bind(i64::try_from(max_bytes).unwrap_or(i64::MAX))
    .execute(pool);
    Ok(within(ANSWER_TIMEOUT, "the removal of old snapshots", sweep).await?.rows_affected())
}

/// The snapshots of a stream, by version.
pub(in crate::past) async fn of_stream(
    pool: &PgPool,
    lineage: Lineage,
    stream: &StreamName,
) -> Result<Vec<StoredSnapshot>, sqlx::Error> {
    type Listed = (StreamVersion, Position, Uuid, PgTimestamp, Vec<u8>, Vec<u8>);
    let listed = sqlx::query_as(
        "SELECT version, position, event, recorded_at, digest, sha256(contents) FROM gnomon.snapshots
         WHERE lineage = $1 AND stream = $2 ORDER BY version LIMIT $3",
    )
    .bind(lineage.0.as_slice())
    .bind(stream.as_str())
    .bind(MAX_LISTED)
    .fetch(pool);
    let listed: Vec<Listed> = rows_within("the snapshots of a stream", listed).await?;
    let snapshot = |(version, position, id, recorded_at, digest, contents): Listed| {
        let stamp = EventStamp { version, position, id, recorded_at: recorded_at.instant() };
        let is_intact = digest == sealed(&stamp, &contents);
        StoredSnapshot { stamp, digest: contents, is_intact }
    };
    Ok(listed.into_iter().map(snapshot).collect())
}

/// Removes snapshots of a stream, unless they are others by now.
pub(in crate::past) async fn remove(
    pool: &PgPool,
    lineage: Lineage,
    stream: &StreamName,
    wrong: &[StoredSnapshot],
) -> Result<(), sqlx::Error> {
    let remove = sqlx::query(
        "DELETE FROM gnomon.snapshots USING unnest($3::bigint[], $4::bytea[]) AS wrong (version, digest)
         WHERE lineage = $1 AND stream = $2 AND snapshots.version = wrong.version AND sha256(contents) = wrong.digest",
    )
    .bind(lineage.0.as_slice())
    .bind(stream.as_str())
    .bind(wrong.iter().map(|snapshot| snapshot.stamp.version).collect::<Vec<_>>())
    .bind(wrong.iter().map(|snapshot| snapshot.digest.as_slice()).collect::<Vec<_>>())
    .execute(pool);
    within(ANSWER_TIMEOUT, "the removal of snapshots", remove).await.map(drop)
}

/// Streams of which there are snapshots, drawn at random.
pub(in crate::past) async fn some_streams(
    pool: &PgPool,
    lineage: Lineage,
    limit: usize,
) -> Result<Vec<StreamName>, sqlx::Error> {
    let streams = sqlx::query_scalar(
        "SELECT stream FROM (SELECT DISTINCT stream FROM gnomon.snapshots WHERE lineage = $1) AS streams ORDER BY random() LIMIT $2",
    )
    .bind(lineage.0.as_slice())
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(pool);
    let streams: Vec<String> = within(ANSWER_TIMEOUT, "streams that have snapshots", streams).await?;
    // Written under a name that was checked.
    Ok(streams.into_iter().filter_map(|stream| StreamName::new(stream).ok()).collect())
}

/// Removes all snapshots of a stream; their versions.
pub(in crate::past) async fn remove_stream(
    pool: &PgPool,
    lineage: Lineage,
    stream: &StreamName,
) -> Result<Vec<StreamVersion>, sqlx::Error> {
    let remove =
        sqlx::query_scalar("DELETE FROM gnomon.snapshots WHERE lineage = $1 AND stream = $2 RETURNING version")
            .bind(lineage.0.as_slice())
            .bind(stream.as_str())
            .fetch_all(pool);
    within(ANSWER_TIMEOUT, "the removal of the snapshots of a stream", remove).await
}
