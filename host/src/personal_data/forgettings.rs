//! Who was forgotten, and how far that has come: all SQL on it.

use gnomon_values::Instant as Timestamp;
use sqlx::PgPool;
use uuid::Uuid;

use super::ttl::{MARGIN, PERSONAL_DATA_TTL};
use crate::{
    audit::Actor,
    postgres::{ANSWER_TIMEOUT, PgTimestamp, sql_row, within},
};

/// That a subject was forgotten. Nothing says who it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forgetting {
    /// Its number.
    pub number: i64,
    /// How many keys were destroyed.
    pub keys: usize,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// When no host read with the keys any more.
    pub effective_at: Option<Timestamp>,
    /// When the last rows were gone that were made with them.
    pub finished_at: Option<Timestamp>,
    /// Who asked for it.
    pub actor: Option<String>,
}

struct Row {
    forgetting: i64,
    keys: i32,
    requested_at: PgTimestamp,
    effective_at: Option<PgTimestamp>,
    finished_at: Option<PgTimestamp>,
    actor: Option<String>,
}

sql_row!(Row { forgetting, keys, requested_at, effective_at, finished_at, actor });

/// The columns of a [`Row`].
macro_rules! columns {
    () => {
        "forgetting, cardinality(keys) AS keys, requested_at, effective_at, finished_at, actor"
    };
}

impl From<Row> for Forgetting {
    fn from(row: Row) -> Self {
        let Row { forgetting: number, keys, requested_at, effective_at, finished_at, actor } = row;
        let keys = usize::try_from(keys).unwrap_or_default();
        let (effective_at, finished_at) =
            (effective_at.map(PgTimestamp::instant), finished_at.map(PgTimestamp::instant));
        Self { number, keys, requested_at: requested_at.instant(), effective_at, finished_at, actor }
    }
}

/// Forgettings of a database.
#[derive(Clone, Debug)]
pub(super) struct Forgettings(PgPool);

impl Forgettings {
    pub(super) fn new(pool: PgPool) -> Self {
        Self(pool)
    }

    /// Notes that these keys are to be destroyed. From now on any host can do it.
    pub(super) async fn begin(&self, keys: &[Uuid]) -> Result<Forgetting, sqlx::Error> {
        let [actor, address, request_id] = Actor::in_history();
        let insert = sqlx::query_as(concat!(
            "INSERT INTO gnomon.forgettings (keys, actor, address, request_id) VALUES ($1, $2, $3, $4) RETURNING ",
            columns!()
        ))
        .bind(keys)
        .bind(actor)
        .bind(address)
        .bind(request_id)
        .fetch_one(&self.0);
        let row: Row = within(ANSWER_TIMEOUT, "the note that a subject is forgotten", insert).await?;
        Ok(row.into())
    }

    /// Those whose keys may not be destroyed yet, each with its keys.
    pub(super) async fn not_destroyed(&self) -> Result<Vec<(i64, Vec<Uuid>)>, sqlx::Error> {
        let rows = sqlx::query_as(
            "SELECT forgetting, keys FROM gnomon.forgettings WHERE finished_at IS NULL AND destroyed_at IS NULL",
        )
        .fetch_all(&self.0);
        within(ANSWER_TIMEOUT, "who is to be forgotten", rows).await
    }

    /// Notes that the keys are destroyed.
    pub(super) async fn destroyed(&self, number: i64) -> Result<(), sqlx::Error> {
        let update = sqlx::query(
            "UPDATE gnomon.forgettings SET destroyed_at = clock_timestamp() WHERE forgetting = $1 AND destroyed_at IS NULL",
        )
        .bind(number)
        .execute(&self.0);
        within(ANSWER_TIMEOUT, "the note that a subject is forgotten", update).await.map(drop)
    }

    /// Notes which have become effective since: hosts know no key for so long, and keep nothing that was read with one for so long again.
    pub(super) async fn become_effective(&self) -> Result<(), sqlx::Error> {
        let update = sqlx::query(
            "UPDATE gnomon.forgettings SET effective_at = clock_timestamp()
             WHERE finished_at IS NULL AND effective_at IS NULL AND destroyed_at < clock_timestamp() - $1",
        )
        .bind(2 * PERSONAL_DATA_TTL + MARGIN)
        .execute(&self.0);
        within(ANSWER_TIMEOUT, "who is forgotten", update).await.map(drop)
    }

    /// Those that are not finished, the oldest first; at most `limit`.
    pub(super) async fn unfinished(&self, limit: usize) -> Result<Vec<Forgetting>, sqlx::Error> {
        let rows = sqlx::query_as(concat!(
            "SELECT ",
            columns!(),
            " FROM gnomon.forgettings WHERE finished_at IS NULL ORDER BY forgetting LIMIT $1"
        ))
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&self.0);
        let rows: Vec<Row> = within(ANSWER_TIMEOUT, "who is forgotten", rows).await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// Notes that nothing is left that was made with the keys of those that had become effective by then.
    pub(super) async fn finish(&self, effective_by: Timestamp) -> Result<(), sqlx::Error> {
        let update = sqlx::query(
            "UPDATE gnomon.forgettings SET finished_at = clock_timestamp() WHERE finished_at IS NULL AND effective_at <= $1",
        )
        .bind(PgTimestamp(effective_by.0))
        .execute(&self.0);
        within(ANSWER_TIMEOUT, "who is forgotten", update).await.map(drop)
    }

    /// One of them.
    pub(super) async fn one(&self, number: i64) -> Result<Option<Forgetting>, sqlx::Error> {
        let row = sqlx::query_as(concat!("SELECT ", columns!(), " FROM gnomon.forgettings WHERE forgetting = $1"))
            .bind(number)
            .fetch_optional(&self.0);
        let row: Option<Row> = within(ANSWER_TIMEOUT, "who is forgotten", row).await?;
        Ok(row.map(Into::into))
    }
}
