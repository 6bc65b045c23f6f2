//! What dashboards and alerts see of reactors.

use sqlx::PgPool;

use super::state::Work;
use crate::{
    event_log::{Position, ages},
    modules::ModuleVersion,
    postgres::sql_row,
    read_model::Identifier,
};

/// A reactor, as dashboards and alerts see it.
#[derive(Clone, Debug, PartialEq)]
pub struct ReactorReading {
    /// Its name.
    pub name: Identifier,
    /// The version that works.
    pub version: ModuleVersion,
    /// Whether it is worked on.
    pub work: Work,
    /// The position up to which it has handled every event.
    pub checkpoint: Position,
    /// Positions from there to the head.
    pub lag: u64,
    /// Age of the oldest event that it has not handled; 0 if there is none.
    pub lag_seconds: f64,
    /// How many events it has set aside.
    pub dead_letters: u64,
}

struct Row {
    name: Identifier,
    version: ModuleVersion,
    work: Work,
    checkpoint: Position,
    head: Position,
    dead_letters: i64,
}

sql_row!(Row { name, version, work, checkpoint, head, dead_letters });

/// Reactors, at most so many, in one snapshot.
pub(crate) async fn readings(pool: &PgPool, limit: usize) -> Result<Vec<ReactorReading>, sqlx::Error> {
    let mut connection = pool.acquire().await?;
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT name, version, work, checkpoint, head.position AS head,
                (SELECT count(*) FROM gnomon.dead_letters AS letter WHERE letter.subscription = reactor) AS dead_letters
         FROM gnomon.reactors JOIN gnomon.subscriptions ON subscription = reactor CROSS JOIN gnomon.head
         ORDER BY name LIMIT $1",
    )
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(&mut *connection)
    .await?;
    // Positions have no gaps, so the event behind the checkpoint is the oldest that is not handled. Events are never changed, so those of
    // positions that the snapshot had are read after it.
    let oldest = |row: &Row| (row.checkpoint < row.head).then(|| row.checkpoint.next());
    let ages = ages(&mut connection, rows.iter().filter_map(oldest).collect()).await?;
    let reading = |row: Row| {
        let age = oldest(&row).and_then(|position| ages.get(&position).copied());
        let Row { name, version, work, checkpoint, head, dead_letters } = row;
        // The clock of Postgres may have gone back.
        let (lag, lag_seconds) = (head.0.saturating_sub(checkpoint.0), age.unwrap_or_default().max(0.0));
        ReactorReading { name, version, work, checkpoint, lag, lag_seconds, dead_letters: dead_letters.cast_unsigned() }
    };
    Ok(rows.into_iter().map(reading).collect())
}
