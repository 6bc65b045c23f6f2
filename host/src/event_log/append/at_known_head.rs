//! Committing a group in one statement, at the head that this host knows.
//!
//! The statement takes the lock of the head, and writes only if the head is still there: then nobody has appended since, and all that
//! was decided without the lock is right.

use std::collections::BTreeSet;

use sqlx::{PgConnection, Postgres, QueryBuilder, Row as _};
use uuid::Uuid;

use super::{
    commit::{COPY_FROM, CommitError, Committed, literal_of_tags, stream_versions, tags_of},
    known_end::{Head, KnownEnd},
    plan::{AppendPlan, PlannedEvent},
    request::Group,
    seen_types::{SeenTypes, TypeOfCategory},
};
use crate::{
    event_log::{
        event::{EventId, NewEvent, StreamVersion},
        name::StreamName,
    },
    postgres::PgTimestamp,
};

/// Commits a group. Returns `None`, and has written nothing, if more has to be known, or one statement is not enough: the head is elsewhere,
/// an event is in the log already, all is refused, there are many events, or an import.
pub(super) async fn commit(
    connection: &mut PgConnection,
    group: &Group,
    known: &mut KnownEnd,
    seen: &mut SeenTypes,
) -> Result<Option<Committed>, CommitError> {
    let Some(head) = known.head().filter(|_| group.imports.is_empty()) else { return Ok(None) };
    let conditions: Vec<_> = group.appends.iter().filter_map(|request| request.work.condition.as_ref()).collect();
    let newer = known.newer(head, &conditions);
    if newer.is_none() && !conditions.is_empty() {
        return Ok(None);
    }
    let versions = versions(connection, group, known).await?;
    let mut plan = AppendPlan::new(head.position, versions, []).with_newer(newer);
    let appended = group.appends.iter().map(|request| plan.append(&request.work)).collect();
    // If all is refused, nothing is written, and nothing shows whether the head is still there.
    if plan.events.is_empty() || plan.events.len() >= COPY_FROM || plan.head > head.partitioned_to {
        return Ok(None);
    }
    let new_types = seen.unseen(&plan.events);
    let given = group.appends.iter().flat_map(|request| &*request.work.appends).flat_map(|append| &append.events);
    let given: Vec<Uuid> = given.filter_map(given_id).collect();
    let Some(stamp) = write(connection, &plan, head, given, &new_types).await? else { return Ok(None) };
    seen.add(new_types);
    known.advance(&plan, Head { position: plan.head, stamp, ..head });
    Ok(Some(Committed { appended, imported: Vec::new(), head: plan.head }))
}

/// The versions of the streams of a group. What is read is right if the head has not moved when all is written.
async fn versions(
    connection: &mut PgConnection,
    group: &Group,
    known: &mut KnownEnd,
) -> Result<Vec<(StreamName, StreamVersion)>, sqlx::Error> {
    let (mut versions, mut unknown) = (Vec::new(), Vec::new());
    for append in group.appends.iter().flat_map(|request| &*request.work.appends) {
        match known.version(&append.stream) {
            Some(version) => versions.push((append.stream.clone(), version)),
            None => unknown.push(append.stream.as_str()),
        }
    }
    if !unknown.is_empty() {
        versions.extend(stream_versions(connection, unknown).await?);
    }
    Ok(versions)
}

/// Writes what was planned at a head, and commits it. Returns the stamp of the events; `None` if nothing was written, since the head is
/// elsewhere, or one of the `given` ids is in the log: those of requests that were refused as well, since a repeat is none.
async fn write(
    connection: &mut PgConnection,
    plan: &AppendPlan<'_>,
    head: Head,
    given: Vec<Uuid>,
    new_types: &BTreeSet<TypeOfCategory>,
) -> Result<Option<PgTimestamp>, CommitError> {
    // What is not needed is left out. Each form of the statement is prepared when it is first used.
    let mut sql = QueryBuilder::new("WITH advanced AS (UPDATE gnomon.head SET position = ");
    sql.push_bind(plan.head).push(", recorded_at = greatest(clock_timestamp(), recorded_at)");
    sql.push(" WHERE position = ").push_bind(head.position).push(" AND recorded_at = ").push_bind(head.stamp);
    if !given.is_empty() {
        sql.push(" AND NOT EXISTS (SELECT FROM gnomon.events WHERE id = ANY (").push_bind(given).push("))");
    }
    sql.push(" RETURNING recorded_at AS now)");
    push_events(&mut sql, &plan.events);
    push_streams(&mut sql, plan);
    push_tags(&mut sql, &plan.events);
    push_types(&mut sql, new_types);
    sql.push(" SELECT now, pg_notify('gnomon_head', ").push_bind(plan.head).push("::text) FROM advanced");
    let written = sql.build().fetch_optional(connection).await.map_err(CommitError::of_statement)?;
    Ok(written.map(|row| row.try_get(0)).transpose()?)
}

fn given_id(event: &NewEvent) -> Option<Uuid> {
    match event.id {
        EventId::Given(id) => Some(id),
        EventId::Made(_) => None,
    }
}

fn push_events<'e>(sql: &mut QueryBuilder<'e, Postgres>, events: &'e [PlannedEvent<'_>]) {
    sql.push(
        ", appended AS (
         INSERT INTO gnomon.events (position, version, time, recorded_at, id, schema_version, stream, type, data, metadata, tags)
         SELECT position, version, coalesce(time, now), now, id, schema_version, stream, type, data::json, metadata::json, tags::text[]
         FROM advanced, unnest(",
    );
    let texts = |text: fn(&'e PlannedEvent<'_>) -> Option<&'e str>| events.iter().map(text).collect::<Vec<_>>();
    let mut arrays = sql.separated(", ");
    arrays.push_bind(events.iter().map(|event| event.position).collect::<Vec<_>>());
    arrays.push_bind(events.iter().map(|event| event.version).collect::<Vec<_>>());
    arrays.push_bind(events.iter().map(|event| event.event.time.map(|time| PgTimestamp(time.0))).collect::<Vec<_>>());
    arrays.push_bind(events.iter().map(|event| event.event.id.uuid()).collect::<Vec<_>>());
    arrays.push_bind(events.iter().map(|event| event.event.schema_version).collect::<Vec<_>>());
    arrays.push_bind(texts(|event| Some(event.stream.as_str())));
    arrays.push_bind(texts(|event| Some(event.event.event_type.as_str())));
    arrays.push_bind(texts(|event| Some(event.event.data.as_str())));
    arrays.push_bind(texts(|event| event.event.metadata.as_ref().map(|json| json.as_str())));
    arrays.push_bind(events.iter().map(|event| literal_of_tags(&event.event.tags)).collect::<Vec<_>>());
    sql.push(") AS event (position, version, time, id, schema_version, stream, type, data, metadata, tags))");
}

fn push_streams<'e>(sql: &mut QueryBuilder<'e, Postgres>, plan: &'e AppendPlan<'_>) {
    let (mut names, mut versions, mut last_positions) = (Vec::new(), Vec::new(), Vec::new());
    for (stream, version, last_position) in plan.changed_streams() {
        names.push(stream.as_str());
        versions.push(version);
        last_positions.push(last_position);
    }
    sql.push(", moved AS (INSERT INTO gnomon.streams (stream, version, last_position) SELECT stream.* FROM advanced, unnest(");
    sql.separated(", ").push_bind(names).push_bind(versions).push_bind(last_positions);
    sql.push(
        ") AS stream ON CONFLICT (stream) DO UPDATE SET version = excluded.version, last_position = excluded.last_position)",
    );
}

fn push_tags<'e>(sql: &mut QueryBuilder<'e, Postgres>, events: &'e [PlannedEvent<'_>]) {
    let (names, positions): (Vec<_>, Vec<_>) = tags_of(events).map(|(tag, position)| (tag.as_str(), position)).unzip();
    if !names.is_empty() {
        sql.push(", tagged AS (INSERT INTO gnomon.event_tags (tag, position) SELECT tag.* FROM advanced, unnest(");
        sql.separated(", ").push_bind(names).push_bind(positions);
        sql.push(") AS tag)");
    }
}

fn push_types<'e>(sql: &mut QueryBuilder<'e, Postgres>, new_types: &'e BTreeSet<TypeOfCategory>) {
    let (categories, types): (Vec<_>, Vec<_>) =
        new_types.iter().map(|(category, name)| (category.as_str(), name.as_str())).unzip();
    if !types.is_empty() {
        sql.push(", typed AS (INSERT INTO gnomon.event_types (category, type) SELECT type.* FROM advanced, unnest(");
        sql.separated(", ").push_bind(categories).push_bind(types);
        sql.push(") AS type ON CONFLICT DO NOTHING)");
    }
}
