//! How old events are.

use std::collections::{BTreeSet, HashMap};

use sqlx::PgConnection;

use super::event::Position;

/// How many seconds ago the events at some positions were appended.
///
/// The positions are known when Postgres plans the statement, so it opens the partitions that have them, and no other. In one statement with
/// the builds it would open, lock and plan for each partition of the log: with 1,000 of them that is 100 ms and 4,000 locks, of which a server
/// has 6,400 by default. Hence it is not kept as a prepared statement either: for the sixth time, Postgres would make a plan for any positions.
pub(crate) async fn ages(
    connection: &mut PgConnection,
    positions: BTreeSet<Position>,
) -> Result<HashMap<Position, f64>, sqlx::Error> {
    if positions.is_empty() {
        return Ok(HashMap::new());
    }
    let ages: Vec<(Position, f64)> = sqlx::query_as(
        "SELECT position, extract(epoch FROM clock_timestamp() - recorded_at)::float8 FROM gnomon.events WHERE position = ANY ($1)",
    )
    .bind(Vec::from_iter(positions))
    .persistent(false)
    .fetch_all(connection)
    .await?;
    Ok(ages.into_iter().collect())
}
