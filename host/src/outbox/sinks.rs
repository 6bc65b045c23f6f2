//! The sinks that there are: all SQL on them.

use sqlx::PgPool;

use super::{
    history::{Change, note},
    publication::Publication,
    sink::{Sink, SinkKind, SinkSettings},
    sink_name::SinkName,
};
use crate::{
    event_log::Position,
    postgres::{ANSWER_TIMEOUT, PgTimestamp, begin, sql_row, within},
};

/// Sinks, at most: each host has a worker for each of them.
pub const MAX_SINKS: usize = 64;

/// Why a sink is not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeSinkError {
    /// There are as many as may be.
    #[error("there are {MAX_SINKS} sinks, and may be no more (max_sinks); remove one that is not needed")]
    TooMany,
    /// Messages wait for it.
    #[error(
        "{messages} messages wait for the sink `{sink}`; they would wait for ever. Wait until they are delivered, or drop them"
    )]
    InUse {
        /// The sink.
        sink: SinkName,
        /// How many; of many, that there are at least so many.
        messages: String,
    },
    /// There is no such sink.
    #[error("there is no sink `{0}`")]
    Unknown(SinkName),
    /// Postgres fails.
    #[error(transparent)]
    Postgres(#[from] sqlx::Error),
}

struct SinkRow {
    sink: SinkName,
    settings: String,
    created_at: PgTimestamp,
    changed_at: PgTimestamp,
    position: Option<Position>,
    sequence: Option<i64>,
    error: Option<String>,
}

sql_row!(SinkRow { sink, settings, created_at, changed_at, position, sequence, error });

macro_rules! select_sinks {
    ($rest:literal) => {
        concat!(
            "SELECT sink, settings, created_at, changed_at, position, sequence, error
             FROM gnomon.sinks LEFT JOIN gnomon.publications USING (sink) ",
            $rest
        )
    };
}

impl TryFrom<SinkRow> for Sink {
    type Error = sqlx::Error;

    fn try_from(row: SinkRow) -> Result<Self, sqlx::Error> {
        let SinkRow { sink: name, settings, created_at, changed_at, position, sequence, error } = row;
        let undecodable = |error: serde_json::Error| {
            sqlx::Error::Decode(format!("the settings of sink `{name}` cannot be read: {error}").into())
        };
        let settings: SinkSettings = serde_json::from_str(&settings).map_err(undecodable)?;
        let published = match (position, sequence) {
            (Some(position), Some(sequence)) if settings.kind == SinkKind::Log => {
                Some(Publication { position, sequence, error })
            }
            _ => None,
        };
        Ok(Self { name, settings, created_at, changed_at, published })
    }
}

/// Makes a sink, or changes it. Returns it, and whether it is new. The settings were checked.
pub(super) async fn put(
    pool: &PgPool,
    name: &SinkName,
    settings: &SinkSettings,
) -> Result<(Sink, bool), ChangeSinkError> {
    let text = serde_json::to_string(settings).map_err(|error| sqlx::Error::Encode(error.into()))?;
    within(ANSWER_TIMEOUT, "a change of a sink", async {
        let mut transaction = begin(pool).await?;
        // One at a time, so that there are not more than may be.
        sqlx::query("LOCK TABLE gnomon.sinks IN SHARE ROW EXCLUSIVE MODE").execute(&mut *transaction).await?;
        let others: i64 = sqlx::query_scalar("SELECT count(*) FROM gnomon.sinks WHERE sink <> $1")
            .bind(name)
            .fetch_one(&mut *transaction)
            .await?;
        if usize::try_from(others).is_ok_and(|others| others >= MAX_SINKS) {
            return Err(ChangeSinkError::TooMany);
        }
        let before: Option<String> = sqlx::query_scalar("SELECT settings FROM gnomon.sinks WHERE sink = $1")
            .bind(name)
            .fetch_optional(&mut *transaction)
            .await?;
        let change = match &before {
            None => Some((Change::Made, "made")),
            Some(before) if *before != text => Some((Change::Changed, "changed")),
            // Whoever says again and again how a sink is changes nothing.
            Some(_) => None,
        };
        if let Some((change, verb)) = change {
            let cause = format!("an operator {verb} it: {} to {}", settings.kind, settings.url);
            note(&mut transaction, name, None, change, &cause).await?;
        }
        let row: SinkRow = sqlx::query_as(
            "INSERT INTO gnomon.sinks (sink, settings) VALUES ($1, $2)
             ON CONFLICT (sink) DO UPDATE SET settings = excluded.settings, changed_at = now()
             RETURNING sink, settings, created_at, changed_at, NULL::bigint AS position, NULL::bigint AS sequence, NULL::text AS error",
        )
        .bind(name)
        .bind(text)
        .fetch_one(&mut *transaction)
        .await?;
        transaction.commit().await?;
        let sink = Sink::try_from(row)?;
        let is_new = sink.created_at == sink.changed_at;
        Ok((sink, is_new))
    })
    .await
}

/// All sinks, by name.
pub(super) async fn list(pool: &PgPool) -> Result<Vec<Sink>, sqlx::Error> {
    let rows = sqlx::query_as(select_sinks!("ORDER BY sink")).fetch_all(pool);
    let rows: Vec<SinkRow> = within(ANSWER_TIMEOUT, "the sinks", rows).await?;
    rows.into_iter().map(Sink::try_from).collect()
}

/// A sink.
pub(super) async fn get(pool: &PgPool, name: &SinkName) -> Result<Option<Sink>, sqlx::Error> {
    let row = sqlx::query_as(select_sinks!("WHERE sink = $1")).bind(name).fetch_optional(pool);
    let row: Option<SinkRow> = within(ANSWER_TIMEOUT, "a sink", row).await?;
    row.map(Sink::try_from).transpose()
}

/// Removes a sink for which no messages wait. One that a reactor sends at this moment waits, as for a sink that is not there yet.
pub(super) async fn delete(pool: &PgPool, name: &SinkName) -> Result<(), ChangeSinkError> {
    /// Messages that are counted for the error.
    const COUNTED: i64 = 1000;
    within(ANSWER_TIMEOUT, "the removal of a sink", async {
        let mut transaction = begin(pool).await?;
        let deleted =
            sqlx::query("DELETE FROM gnomon.sinks WHERE sink = $1").bind(name).execute(&mut *transaction).await?;
        if deleted.rows_affected() == 0 {
            return Err(ChangeSinkError::Unknown(name.clone()));
        }
        let waiting: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM (SELECT FROM gnomon.outbox WHERE sink = $1 AND state = 'pending' LIMIT $2) AS waiting",
        )
        .bind(name)
        .bind(COUNTED)
        .fetch_one(&mut *transaction)
        .await?;
        if waiting > 0 {
            let messages = if waiting < COUNTED { waiting.to_string() } else { format!("{COUNTED} or more") };
            return Err(ChangeSinkError::InUse { sink: name.clone(), messages });
        }
        note(&mut transaction, name, None, Change::Removed, "an operator removed it").await?;
        transaction.commit().await?;
        Ok(())
    })
    .await
}
