//! Reading what a plan needs, and writing what is planned, in a transaction that locks the head of the log first.

use std::collections::HashSet;

use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    head::Head,
    plan::{AppendPlan, PlannedEvent, tags_of},
    statement::{self, Assumed, Events, New},
};
use crate::{
    event_log::{
        event::{Position, RecordedEvent, StreamVersion},
        name::{StreamName, Tag},
        row::{event_from_row, select_events},
    },
    postgres::{BinaryCopy, PgTimestamp},
};

/// Locks the head. Returns it with Postgres' clock, read under the lock, and never before the stamp of the last event: later events have no
/// earlier stamps, whichever host appends them, and whether or not the clock is set back.
pub(super) async fn lock_head(connection: &mut PgConnection) -> Result<(Head, PgTimestamp), sqlx::Error> {
    let (position, stamp, partitioned_to, now) = sqlx::query_as(
        "SELECT position, recorded_at, partitioned_to, greatest(clock_timestamp(), recorded_at) FROM gnomon.head FOR UPDATE",
    )
    .fetch_one(connection)
    .await?;
    Ok((Head { position, stamp, partitioned_to }, now))
}

/// The versions of streams that have events.
pub(super) async fn stream_versions<'s>(
    connection: &mut PgConnection,
    streams: impl IntoIterator<Item = &'s str>,
) -> Result<Vec<(StreamName, StreamVersion)>, sqlx::Error> {
    let streams: HashSet<&str> = streams.into_iter().collect();
    let rows: Vec<(String, StreamVersion)> =
        sqlx::query_as("SELECT stream, version FROM gnomon.streams WHERE stream = ANY($1)")
            .bind(streams.into_iter().collect::<Vec<_>>())
            .fetch_all(connection)
            .await?;
    Ok(rows.into_iter().map(|(stream, version)| (StreamName::trusted(stream), version)).collect())
}

/// The events of the log that have these ids.
pub(super) async fn events_with_ids(
    connection: &mut PgConnection,
    ids: Vec<Uuid>,
) -> Result<Vec<RecordedEvent>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sqlx::query(select_events!("WHERE id = ANY($1)")).bind(ids).fetch_all(connection).await?;
    rows.iter().map(event_from_row).collect()
}

/// Writes what is planned behind the locked head, and returns the head that it leaves. `now` is Postgres' clock, read under the lock.
pub(super) async fn write_planned(
    connection: &mut PgConnection,
    plan: &AppendPlan<'_>,
    mut head: Head,
    now: PgTimestamp,
    partition_events: u64,
    new: New<'_>,
) -> Result<Head, sqlx::Error> {
    head.partitioned_to = add_partitions(connection, head.partitioned_to, plan.head, partition_events).await?;
    let mut events = Events::Insert;
    if plan.is_large() {
        copy_events(connection, &plan.events, now).await?;
        events = Events::Copied(now);
    }
    let written = statement::write(connection, plan, &Assumed::locked(head), events, new).await?;
    let moved = || sqlx::Error::Protocol("the head of the log moved while it was locked".to_owned());
    (head.position, head.stamp) = (plan.head, written.ok_or_else(moved)?.stamp);
    Ok(head)
}

/// Adds partitions until the table reaches to `head`. Returns how far it reaches then.
async fn add_partitions(
    connection: &mut PgConnection,
    mut partitioned_to: Position,
    head: Position,
    partition_events: u64,
) -> Result<Position, sqlx::Error> {
    while partitioned_to < head {
        let last = Position(partitioned_to.0 + partition_events);
        sqlx::query("SELECT gnomon.add_partition($1, $2)")
            .bind(partitioned_to.next())
            .bind(last)
            .execute(&mut *connection)
            .await?;
        partitioned_to = last;
    }
    Ok(partitioned_to)
}

async fn copy_events(
    connection: &mut PgConnection,
    events: &[PlannedEvent<'_>],
    now: PgTimestamp,
) -> Result<(), sqlx::Error> {
    let bytes = events.iter().map(|event| event.event.bytes() + 160).sum();
    let mut rows = BinaryCopy::with_capacity(bytes);
    for event in events {
        rows.row(11);
        rows.i64(event.position.wire());
        rows.i64(event.version.wire());
        rows.timestamp(event.time(now));
        rows.timestamp(now);
        rows.bytes(event.event.id.uuid().as_bytes());
        rows.i32(event.event.schema_version.wire());
        rows.bytes(event.stream.as_str().as_bytes());
        rows.bytes(event.event.event_type.as_str().as_bytes());
        rows.bytes(event.event.data.as_str().as_bytes());
        match &event.event.metadata {
            Some(metadata) => rows.bytes(metadata.as_str().as_bytes()),
            None => rows.null(),
        }
        match event.event.tags.as_slice() {
            [] => rows.null(),
            tags => rows.texts(tags.iter().map(Tag::as_str)),
        }
    }
    let statement = "COPY gnomon.events (position, version, time, recorded_at, id, schema_version, stream, type, data, metadata, tags)
                     FROM STDIN (FORMAT binary)";
    copy_rows(connection, statement, rows).await?;

    let mut tags = tags_of(events).peekable();
    if tags.peek().is_none() {
        return Ok(());
    }
    let mut rows = BinaryCopy::with_capacity(64 * events.len());
    for (tag, position) in tags {
        rows.row(2);
        rows.bytes(tag.as_str().as_bytes());
        rows.i64(position.wire());
    }
    copy_rows(connection, "COPY gnomon.event_tags (tag, position) FROM STDIN (FORMAT binary)", rows).await
}

async fn copy_rows(connection: &mut PgConnection, statement: &str, rows: BinaryCopy) -> Result<(), sqlx::Error> {
    let mut copy = connection.copy_in_raw(statement).await?;
    copy.send(rows.finish()).await?;
    copy.finish().await?;
    Ok(())
}
