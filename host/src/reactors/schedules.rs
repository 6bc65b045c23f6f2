//! Schedules: what reactors want to hear at a time.

use std::{collections::BTreeMap, time::Duration};

use sqlx::PgConnection;

use super::reactor::ReactorId;
use crate::{
    event_log::{JsonText, Position},
    postgres::{PgTimestamp, sql_row},
};

/// An event that a reactor wants at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Schedule {
    pub(crate) name: String,
    pub(crate) due_at: PgTimestamp,
    pub(crate) data: JsonText,
    /// The event that it answers, and which of its effects it is.
    pub(crate) position: Position,
    pub(crate) number: u32,
}

/// A change of the schedule of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ScheduleChange {
    /// It is this one.
    Set(Schedule),
    /// There is none.
    Cancel(String),
}

/// Changes schedules, one after the other.
pub(crate) async fn change_schedules(
    connection: &mut PgConnection,
    reactor: ReactorId,
    changes: &[ScheduleChange],
) -> Result<(), sqlx::Error> {
    // What is left of a name at the end.
    let mut last: BTreeMap<&str, Option<&Schedule>> = BTreeMap::new();
    for change in changes {
        match change {
            ScheduleChange::Set(schedule) => last.insert(&schedule.name, Some(schedule)),
            ScheduleChange::Cancel(name) => last.insert(name, None),
        };
    }
    let cancelled: Vec<&str> = last.iter().filter(|(_, set)| set.is_none()).map(|(name, _)| *name).collect();
    if !cancelled.is_empty() {
        sqlx::query("DELETE FROM gnomon.schedules WHERE reactor = $1 AND name = ANY($2)")
            .bind(reactor)
            .bind(cancelled)
            .execute(&mut *connection)
            .await?;
    }
    let set: Vec<&Schedule> = last.into_values().flatten().collect();
    if set.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO gnomon.schedules (reactor, name, due_at, data, position, number)
         SELECT $1, name, due_at, data::json, position, number
         FROM unnest($2::text[], $3::timestamptz[], $4::text[], $5::bigint[], $6::integer[])
             AS new (name, due_at, data, position, number)
         ON CONFLICT (reactor, name) DO UPDATE
         SET due_at = excluded.due_at, data = excluded.data, position = excluded.position, number = excluded.number",
    )
    .bind(reactor)
    .bind(set.iter().map(|schedule| schedule.name.as_str()).collect::<Vec<_>>())
    .bind(set.iter().map(|schedule| schedule.due_at).collect::<Vec<_>>())
    .bind(set.iter().map(|schedule| schedule.data.as_str()).collect::<Vec<_>>())
    .bind(set.iter().map(|schedule| schedule.position).collect::<Vec<_>>())
    .bind(set.iter().map(|schedule| schedule.number.cast_signed()).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

struct DueRow {
    name: String,
    due_at: PgTimestamp,
    data: String,
    position: Position,
    number: i32,
}

sql_row!(DueRow { name, due_at, data, position, number });

/// Takes the first `limit` schedules whose time has come by the clock of Postgres, in the order of their times.
pub(crate) async fn take_due(
    connection: &mut PgConnection,
    reactor: ReactorId,
    limit: usize,
) -> Result<Vec<Schedule>, sqlx::Error> {
    let rows: Vec<DueRow> = sqlx::query_as(
        "WITH taken AS (
             DELETE FROM gnomon.schedules WHERE reactor = $1 AND name IN (
                 SELECT name FROM gnomon.schedules WHERE reactor = $1 AND due_at <= clock_timestamp()
                 ORDER BY due_at, name LIMIT $2
             )
             RETURNING name, due_at, data::text AS data, position, number
         )
         SELECT * FROM taken ORDER BY due_at, name",
    )
    .bind(reactor)
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    let schedule = |DueRow { name, due_at, data, position, number }| {
        // It was checked when the reactor made it.
        let data = JsonText::parse(&data).map_err(|error| sqlx::Error::Decode(error.into()))?;
        Ok(Schedule { name, due_at, data, position, number: number.cast_unsigned() })
    };
    rows.into_iter().map(schedule).collect()
}

/// How long it takes by the clock of Postgres until the first schedule is due; `None` if there is none.
pub(crate) async fn next_due(
    connection: &mut PgConnection,
    reactor: ReactorId,
) -> Result<Option<Duration>, sqlx::Error> {
    let seconds: Option<f64> = sqlx::query_scalar(
        "SELECT extract(epoch FROM min(due_at) - clock_timestamp())::float8 FROM gnomon.schedules WHERE reactor = $1",
    )
    .bind(reactor)
    .fetch_one(connection)
    .await?;
    Ok(seconds.map(|seconds| Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX)))
}
