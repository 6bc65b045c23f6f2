//! Committing a group in one statement, at the head that this host knows.
//!
//! The statement takes the lock of the head, and writes only if the head is still there: then nobody has appended since, and all that
//! was decided without the lock is right. Of streams whose versions are not known it reads them, or checks what their writers expect.

use std::collections::{BTreeSet, HashMap};

use sqlx::{PgConnection, Postgres, QueryBuilder, Row as _};
use uuid::Uuid;

use super::{
    Appended, ExpectedVersion,
    commit::{COPY_FROM, CommitError, Committed, literal_of_tags, tags_of},
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
    let Bases { known: versions, guessed, open } = Bases::of(group, known);
    let versions = versions.into_iter().chain(guessed.iter().cloned());
    let mut plan = AppendPlan::new(head.position, versions, []).with_newer(newer);
    let mut appended: Vec<_> = group.appends.iter().map(|request| plan.append(&request.work)).collect();
    // If all is refused, nothing is written, and nothing shows whether the head is still there.
    if plan.events.is_empty() || plan.events.len() >= COPY_FROM || plan.head > head.partitioned_to {
        return Ok(None);
    }
    let new_types = seen.unseen(&plan.events);
    let given = group.appends.iter().flat_map(|request| &*request.work.appends).flat_map(|append| &append.events);
    let given: Vec<Uuid> = given.filter_map(given_id).collect();
    let assumed = Assumed { head, given, guessed, open };
    let Some(written) = write(connection, &plan, &assumed, &new_types).await? else { return Ok(None) };
    let bases = assumed.open.into_iter().zip(written.bases).collect();
    plan.add_to_versions(&bases);
    for Appended { stream, first_version, last_version, .. } in appended.iter_mut().flatten().flatten() {
        if let Some(base) = bases.get(stream) {
            (first_version.0, last_version.0) = (first_version.0 + base.0, last_version.0 + base.0);
        }
    }
    seen.add(new_types);
    known.advance(&plan, Head { position: plan.head, stamp: written.stamp, ..head });
    Ok(Some(Committed { appended, imported: Vec::new(), head: plan.head }))
}

/// The versions of the streams of a group before it.
#[derive(Default)]
struct Bases {
    known: Vec<(StreamName, StreamVersion)>,
    /// What their writers expect, which is checked at the head.
    guessed: Vec<(StreamName, StreamVersion)>,
    /// Those of any version, which is read at the head: until then their events count from 1.
    open: Vec<StreamName>,
}

impl Bases {
    fn of(group: &Group, known: &mut KnownEnd) -> Self {
        let (mut bases, mut unknown) = (Self::default(), HashMap::new());
        for append in group.appends.iter().flat_map(|request| &*request.work.appends) {
            match known.version(&append.stream) {
                Some(version) => bases.known.push((append.stream.clone(), version)),
                None => unknown.entry(&append.stream).or_insert_with(Vec::new).push(append.expected),
            }
        }
        for (stream, expected) in unknown {
            // If one of them is wrong, this is decided under the lock.
            let guess = expected.iter().find_map(|expected| match expected {
                ExpectedVersion::Any => None,
                ExpectedVersion::NoStream => Some(StreamVersion(0)),
                ExpectedVersion::Exact(version) => Some(*version),
            });
            match guess {
                Some(version) => bases.guessed.push((stream.clone(), version)),
                None => bases.open.push(stream.clone()),
            }
        }
        bases
    }
}

/// What a plan takes for true, without the lock.
struct Assumed {
    head: Head,
    /// The ids that clients gave, those of requests that were refused as well: none is in the log, or a request is a repeat.
    given: Vec<Uuid>,
    guessed: Vec<(StreamName, StreamVersion)>,
    /// Streams of which nothing is taken for true.
    open: Vec<StreamName>,
}

/// What a statement has written.
struct Written {
    /// The stamp of the events.
    stamp: PgTimestamp,
    /// The version that each open stream had before.
    bases: Vec<StreamVersion>,
}

/// Writes what was planned, and commits it. Returns `None`, and has written nothing, if something else is true than was assumed.
async fn write(
    connection: &mut PgConnection,
    plan: &AppendPlan<'_>,
    Assumed { head, given, guessed, open }: &Assumed,
    new_types: &BTreeSet<TypeOfCategory>,
) -> Result<Option<Written>, CommitError> {
    // What is not needed is left out. Each form of the statement is prepared when it is first used.
    let mut sql = QueryBuilder::new("WITH advanced AS (UPDATE gnomon.head SET position = ");
    sql.push_bind(plan.head).push(", recorded_at = greatest(clock_timestamp(), recorded_at)");
    sql.push(" WHERE position = ").push_bind(head.position).push(" AND recorded_at = ").push_bind(head.stamp);
    if !given.is_empty() {
        sql.push(" AND NOT EXISTS (SELECT FROM gnomon.events WHERE id = ANY (").push_bind(given).push("))");
    }
    if !guessed.is_empty() {
        let (names, versions): (Vec<_>, Vec<_>) =
            guessed.iter().map(|(name, version)| (name.as_str(), *version)).unzip();
        sql.push(" AND NOT EXISTS (SELECT FROM unnest(");
        sql.separated(", ").push_bind(names).push_bind(versions);
        sql.push(
            ") AS guess (stream, version) LEFT JOIN gnomon.streams ON streams.stream = guess.stream
              WHERE coalesce(streams.version, 0) <> guess.version)",
        );
    }
    sql.push(" RETURNING recorded_at AS now)");
    if !open.is_empty() {
        // As the log has them before this statement, which is as they are at the head.
        sql.push(
            ", base AS MATERIALIZED (
             SELECT open.stream, coalesce(streams.version, 0) AS version, number
             FROM unnest(",
        );
        sql.push_bind(open.iter().map(StreamName::as_str).collect::<Vec<_>>());
        sql.push(
            ") WITH ORDINALITY AS open (stream, number) LEFT JOIN gnomon.streams ON streams.stream = open.stream)",
        );
    }
    let is_open = !open.is_empty();
    push_events(&mut sql, &plan.events, is_open);
    push_streams(&mut sql, plan, is_open);
    push_tags(&mut sql, &plan.events);
    push_types(&mut sql, new_types);
    let bases = if is_open { "ARRAY(SELECT version FROM base ORDER BY number)" } else { "'{}'::bigint[]" };
    sql.push(" SELECT now, ")
        .push(bases)
        .push(", pg_notify('gnomon_head', ")
        .push_bind(plan.head)
        .push("::text) FROM advanced");
    let Some(row) = sql.build().fetch_optional(connection).await.map_err(CommitError::of_statement)? else {
        return Ok(None);
    };
    Ok(Some(Written { stamp: row.try_get(0)?, bases: row.try_get(1)? }))
}

fn given_id(event: &NewEvent) -> Option<Uuid> {
    match event.id {
        EventId::Given(id) => Some(id),
        EventId::Made(_) => None,
    }
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
    sql.push(") AS planned (position, version, time, id, schema_version, stream, type, data, metadata, tags))");
}

fn push_streams<'e>(sql: &mut QueryBuilder<'e, Postgres>, plan: &'e AppendPlan<'_>, is_open: bool) {
    let (mut names, mut versions, mut last_positions) = (Vec::new(), Vec::new(), Vec::new());
    for (stream, version, last_position) in plan.changed_streams() {
        names.push(stream.as_str());
        versions.push(version);
        last_positions.push(last_position);
    }
    sql.push(", moved AS (INSERT INTO gnomon.streams (stream, version, last_position) SELECT stream, ");
    sql.push(version(is_open)).push(", last_position FROM advanced, unnest(");
    sql.separated(", ").push_bind(names).push_bind(versions).push_bind(last_positions);
    sql.push(
        ") AS planned (stream, version, last_position)
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
