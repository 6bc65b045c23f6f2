//! The statement that appends: it moves the head, and writes events, their tags, types and blocks, and streams.
//!
//! Alone it is a transaction of its own, which takes the lock of the head and writes only if the head is where it was assumed to be. Within a
//! transaction that has the lock it does the same, and nothing can be otherwise.

use std::collections::BTreeSet;

use sqlx::{PgConnection, Postgres, QueryBuilder, Row as _};
use uuid::Uuid;

use super::{
    head::Head,
    noted_blocks::NewBlocks,
    plan::{AppendPlan, PlannedEvent, literal_of_tags, tags_of},
    seen_types::TypeOfCategory,
};
use crate::{
    event_log::{
        event::{Position, StreamVersion},
        name::StreamName,
    },
    postgres::PgTimestamp,
};

/// What a plan takes for true. Under the lock that is the head alone, and it is true.
pub(super) struct Assumed {
    pub(super) head: Head,
    /// Ids that are not in the log.
    pub(super) unused: Vec<Uuid>,
    /// Versions that streams have; 0 if there is no such stream.
    pub(super) versions: Vec<(StreamName, StreamVersion)>,
    /// Streams of which nothing is taken for true: the versions of their events are counted from 1, and what they have is added here.
    pub(super) open: Vec<StreamName>,
}

/// What is to be written of the events themselves.
#[derive(Clone, Copy, Debug)]
pub(super) enum Events {
    /// Events and tags.
    Insert,
    /// Nothing: they were copied before, with this stamp.
    Copied(PgTimestamp),
}

/// Who hears of the new head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notified {
    /// Other hosts.
    OtherHosts,
    /// Nobody: there are no other hosts, and this one knows.
    Nobody,
}

/// What is told of the events: noted, as far as it may not be there yet, and heard.
#[derive(Clone, Copy, Debug)]
pub(super) struct New<'n> {
    pub(super) types: &'n BTreeSet<TypeOfCategory>,
    pub(super) blocks: &'n NewBlocks<'n>,
    pub(super) notified: Notified,
}

/// What was written.
pub(super) struct Written {
    /// The stamp of the events.
    pub(super) stamp: PgTimestamp,
    /// The version that each open stream had before.
    pub(super) bases: Vec<StreamVersion>,
}

impl Assumed {
    /// What is true under the lock.
    pub(super) fn locked(head: Head) -> Self {
        Self { head, unused: Vec::new(), versions: Vec::new(), open: Vec::new() }
    }
}

/// Writes what is planned. Returns `None`, and has written nothing, if something else is true than was assumed.
pub(super) async fn write(
    connection: &mut PgConnection,
    plan: &AppendPlan<'_>,
    assumed: &Assumed,
    events: Events,
    new: New<'_>,
) -> Result<Option<Written>, sqlx::Error> {
    // What is not needed is left out. Each form of the statement is prepared when it is first used.
    let mut sql = QueryBuilder::new("WITH advanced AS (");
    push_head(&mut sql, plan.head, assumed, events);
    sql.push(" RETURNING recorded_at AS now)");
    let is_open = !assumed.open.is_empty();
    if is_open {
        push_bases(&mut sql, &assumed.open);
    }
    if let Events::Insert = events {
        push_events(&mut sql, &plan.events, is_open);
        push_tags(&mut sql, &plan.events);
    }
    push_streams(&mut sql, plan, is_open);
    push_types(&mut sql, new.types);
    push_blocks(&mut sql, new.blocks);
    let bases = if is_open { "ARRAY(SELECT version FROM base ORDER BY number)" } else { "'{}'::bigint[]" };
    sql.push(" SELECT now, ").push(bases);
    if new.notified == Notified::OtherHosts {
        sql.push(", pg_notify('gnomon_head', ").push_bind(plan.head).push("::text)");
    }
    sql.push(" FROM advanced");
    let Some(row) = sql.build().fetch_optional(connection).await? else { return Ok(None) };
    Ok(Some(Written { stamp: row.try_get(0)?, bases: row.try_get(1)? }))
}

/// Moves the head, if all is true that was assumed. Everything else is written only if this has a row.
fn push_head<'e>(
    sql: &mut QueryBuilder<'e, Postgres>,
    to: Position,
    Assumed { head, unused, versions, open: _ }: &'e Assumed,
    events: Events,
) {
    sql.push("UPDATE gnomon.head SET position = ")
        .push_bind(to)
        .push(", blocks_to = ")
        .push_bind(to)
        .push(", recorded_at = ");
    match events {
        // The clock is read under the lock. No event has an earlier stamp than the one before it, also if the clock is set back.
        Events::Insert => sql.push("greatest(clock_timestamp(), recorded_at)"),
        Events::Copied(stamp) => sql.push_bind(stamp),
    };
    sql.push(" WHERE position = ").push_bind(head.position).push(" AND recorded_at = ").push_bind(head.stamp);
    if !unused.is_empty() {
        sql.push(" AND NOT EXISTS (SELECT FROM gnomon.events WHERE id = ANY (").push_bind(unused).push("))");
    }
    if !versions.is_empty() {
        let (names, versions): (Vec<_>, Vec<_>) =
            versions.iter().map(|(name, version)| (name.as_str(), *version)).unzip();
        sql.push(" AND NOT EXISTS (SELECT FROM unnest(");
        sql.separated(", ").push_bind(names).push_bind(versions);
        sql.push(
            ") AS assumed (stream, version) LEFT JOIN gnomon.streams ON streams.stream = assumed.stream
              WHERE coalesce(streams.version, 0) <> assumed.version)",
        );
    }
}

/// The versions of open streams before this statement, which are those at the head.
fn push_bases<'e>(sql: &mut QueryBuilder<'e, Postgres>, open: &'e [StreamName]) {
    sql.push(", base AS MATERIALIZED (SELECT open.stream, coalesce(streams.version, 0) AS version, number FROM ");
    match open {
        [stream] => sql.push("(VALUES (").push_bind(stream.as_str()).push(", 1))"),
        streams => {
            let names: Vec<_> = streams.iter().map(StreamName::as_str).collect();
            sql.push("unnest(").push_bind(names).push(") WITH ORDINALITY")
        }
    };
    sql.push(" AS open (stream, number) LEFT JOIN gnomon.streams ON streams.stream = open.stream)");
}

/// The version of what is planned: in an open stream it counts from the base.
fn version(is_open: bool) -> &'static str {
    match is_open {
        true => "planned.version + coalesce((SELECT base.version FROM base WHERE base.stream = planned.stream), 0)",
        false => "planned.version",
    }
}

fn push_events<'e>(sql: &mut QueryBuilder<'e, Postgres>, events: &'e [PlannedEvent<'_>], is_open: bool) {
    sql.push(
        ", appended AS (
         INSERT INTO gnomon.events (position, version, time, recorded_at, id, schema_version, stream, type, data, metadata, tags)
         SELECT position, ",
    );
    sql.push(version(is_open)).push(
        ", coalesce(time, now), now, id, schema_version, stream, type, data::json, metadata::json, tags::text[]
         FROM advanced, ",
    );
    // One row is no set to be returned by a function: Postgres takes the values where they are needed.
    if let [event] = events {
        sql.push("(VALUES (");
        let mut values = sql.separated(", ");
        values.push_bind(event.position).push_bind(event.version);
        values.push_bind(event.event.time.map(|time| PgTimestamp(time.0)));
        values.push_bind(event.event.id.uuid()).push_bind(event.event.schema_version);
        values.push_bind(event.stream.as_str()).push_bind(event.event.event_type.as_str());
        values.push_bind(event.event.data.as_str());
        values.push_bind(event.event.metadata.as_ref().map(|json| json.as_str()));
        values.push_bind(literal_of_tags(&event.event.tags));
        sql.push("))");
    } else {
        push_arrays(sql, events);
    }
    sql.push(" AS planned (position, version, time, id, schema_version, stream, type, data, metadata, tags))");
}

fn push_arrays<'e>(sql: &mut QueryBuilder<'e, Postgres>, events: &'e [PlannedEvent<'_>]) {
    sql.push("unnest(");
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
    sql.push(")");
}

fn push_streams<'e>(sql: &mut QueryBuilder<'e, Postgres>, plan: &'e AppendPlan<'_>, is_open: bool) {
    let mut changed: Vec<_> = plan.changed_streams().collect();
    // In the order of the index, so that its pages are visited one after the other.
    changed.sort_unstable_by(|(one, ..), (other, ..)| one.as_str().cmp(other.as_str()));
    sql.push(", moved AS (INSERT INTO gnomon.streams (stream, version, last_position) SELECT stream, ");
    sql.push(version(is_open)).push(", last_position FROM ");
    if let [(name, version, last_position)] = &*changed {
        sql.push("advanced, (VALUES (");
        sql.separated(", ").push_bind(name.as_str()).push_bind(*version).push_bind(*last_position);
        sql.push("))");
    } else {
        let names: Vec<_> = changed.iter().map(|(name, ..)| name.as_str()).collect();
        let versions: Vec<_> = changed.iter().map(|(_, version, _)| *version).collect();
        let last_positions: Vec<_> = changed.iter().map(|(.., last_position)| *last_position).collect();
        // Side by side in the SELECT, where Postgres does not write the arrays down as a table first.
        sql.push("(SELECT unnest(").push_bind(names).push("), unnest(").push_bind(versions).push("), unnest(");
        sql.push_bind(last_positions).push(") FROM advanced)");
    }
    sql.push(
        " AS planned (stream, version, last_position)
         ON CONFLICT (stream) DO UPDATE SET version = excluded.version, last_position = excluded.last_position)",
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

fn push_blocks<'e>(sql: &mut QueryBuilder<'e, Postgres>, new_blocks: &NewBlocks<'e>) {
    if new_blocks.is_empty() {
        return;
    }
    let (mut kinds, mut names, mut spans, mut blocks) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (kind, name, span, of_span) in new_blocks.iter() {
        kinds.push(kind.as_str());
        names.push(name);
        spans.push(span);
        blocks.push(of_span.to_bits());
    }
    sql.push(", noted AS (INSERT INTO gnomon.event_blocks AS known (kind, name, span, blocks) SELECT unnoted.* FROM advanced, unnest(");
    sql.separated(", ").push_bind(kinds).push_bind(names).push_bind(spans).push_bind(blocks);
    // Another host may have noted them.
    sql.push(
        ") AS unnoted ON CONFLICT (kind, name, span) DO UPDATE SET blocks = known.blocks | excluded.blocks
         WHERE known.blocks | excluded.blocks <> known.blocks)",
    );
}
